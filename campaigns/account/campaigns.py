"""Promotions on the member's own pages: what is on for them, and what comes soon."""

from __future__ import annotations

import datetime as dt
import uuid

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from campaigns.campaign_cards import card_of
from campaigns.selectors.campaigns import shown_to
from loyalty.account.chosen import choose_membership
from loyalty.account.earn_cards import EarnCard
from loyalty.account.home_cards import HomeCard
from loyalty.account.pages import no_membership, render_page
from loyalty.models import Membership
from members.account.access import CustomerRequest, customer_view


def campaign_card(membership: Membership, now: dt.datetime) -> HomeCard | None:
    """For the home page: what is on, or comes soon, with the nearest first."""
    found = shown_to(membership, now)
    if not found:
        return None
    cards = [card_of(item, now) for item in found]
    return HomeCard("campaigns/account/home_card.html", {"cards": cards, "member": membership})


def campaign_earn_card(membership: Membership, now: dt.datetime) -> EarnCard | None:
    """For the page of ways to earn: all that is on and announced."""
    cards = [card_of(item, now) for item in shown_to(membership, now)]
    if not cards:
        return None
    return EarnCard(
        "campaigns/account/earn_card.html", {"cards": cards, "program": membership.program}
    )


@require_safe
@customer_view
def campaign_list(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """Everything that is on for them, and what is announced."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    now = timezone.now()
    context = {
        "title": _("On now"),
        "tabs": chosen.tabs("campaigns_account:campaigns_of"),
        "cards": [card_of(item, now) for item in shown_to(chosen.membership, now)],
    }
    return render_page(request, "campaigns/account/campaign_list.html", chosen, context)
