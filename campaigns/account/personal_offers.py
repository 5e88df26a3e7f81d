"""What is offered to a member alone, on the page of ways to earn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from campaigns.offer_cards import OfferCard, offer_card
from campaigns.selectors.personal_offers import offers_to
from campaigns.services.personal_offers import mark_seen
from loyalty.account.earn_cards import EarnCard
from loyalty.models import Membership


def offer_shelf(membership: Membership, now: dt.datetime) -> EarnCard | None:
    """What ends first comes first; who opens the page has seen them."""
    found = offers_to(membership, now)
    if not found:
        return None
    mark_seen(found, now)
    cards: Iterable[OfferCard] = [offer_card(offer, now) for offer in found]
    return EarnCard(
        "campaigns/account/offer_shelf.html", {"cards": cards, "program": membership.program}
    )
