"""Why a member is offered something, in their words, and what it gives them."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.campaign_definitions import offer_of
from campaigns.campaign_rules import template_of, unit_of
from campaigns.models import Campaign, PersonalOffer
from campaigns.selectors.offer_picks import Candidate
from loyalty.rule_words import units_in_words
from members.formatting import format_number, format_percent

Picked = PersonalOffer | Candidate


def reason_words(campaign: Campaign, picked: Picked) -> str:
    """Why this one."""
    said = {"what": picked.name, "times": format_number(picked.times)}
    if picked.whole:
        said["whole"] = format_number(picked.whole)
        return _("You have %(times)s of %(whole)s. Still missing: %(what)s.") % said
    offer = offer_of(campaign)
    if offer.picks == "birthday":
        return _("For your birthday, because you like %(what)s.") % said
    if not picked.times:
        return _("Something new for you: %(what)s.") % said
    return (
        ngettext(
            "Because you bought %(what)s once.", "Because you bought %(what)s %(times)s times.",
            picked.times,
        )
        % said
    )  # fmt: skip


def gives_words(campaign: Campaign, name: str) -> str:
    """What it gives for what it is about."""
    offer, [part] = offer_of(campaign), template_of(campaign).parts
    if part == "off":
        percent = format_percent(offer.percent / 100, digits=4)
        return _("%(percent)s off %(what)s") % {"percent": percent, "what": name}
    if part == "bonus":
        return _("%(units)s for %(what)s") % {
            "units": units_in_words(offer.units, unit_of(campaign)), "what": name
        }  # fmt: skip
    unit = unit_of(campaign)
    said = {"factor": format_number(offer.factor), "units": unit.plural, "what": name}
    return _("%(factor)s × %(units)s on %(what)s") % said
