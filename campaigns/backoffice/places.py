"""Where the screens of messages lead to and come from."""

from __future__ import annotations

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.channels import Channel, channel_named
from campaigns.occasions import Occasion, family_of, occasion_named
from loyalty.backoffice.links import Crumbs
from members.navigation import Tab

NAMESPACE = "messages_backoffice"


def tabs(current: str) -> list[Tab]:
    """The pages about messages."""
    pages = (
        ("occasion_list", _("Occasions")), ("broadcast_list", _("Broadcasts")),
        ("journey_list", _("Journeys")),
        ("delivery_list", _("Sent messages")), ("figure_list", _("Figures")),
        ("way_list", _("Ways")),
        ("topic_list", _("Topics")),
        ("policy", _("When and how often")),
    )  # fmt: skip
    return [
        Tab(label, reverse(f"{NAMESPACE}:{name}"), current=name == current) for name, label in pages
    ]


def occasion_url(occasion: Occasion) -> str:
    return reverse(f"{NAMESPACE}:occasion", args=[occasion.code])


def crumbs(occasion: Occasion | None = None) -> Crumbs:
    """Down to the list of occasions, or to one of them."""
    found = [(_("Messages"), reverse(f"{NAMESPACE}:occasion_list"))]
    return [*found, (str(occasion.label), occasion_url(occasion))] if occasion else found


def find_occasion(code: str) -> Occasion:
    found = occasion_named(code)
    # Broadcasts have pages of their own.
    if found is None or family_of(code) is not None:
        raise Http404("There is no such occasion.")
    return found


def find_channel(key: str) -> Channel:
    found = channel_named(key)
    if found is None:
        raise Http404("There is no such channel.")
    return found
