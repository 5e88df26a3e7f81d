"""A personal offer as its member sees it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from campaigns.campaign_rules import template_of
from campaigns.campaign_words import told_campaign
from campaigns.models import PersonalOffer
from campaigns.offer_words import gives_words, reason_words

State = PersonalOffer.State


@dataclass(frozen=True, slots=True)
class OfferCard:
    """`gives`: what it is; `reason`: why they have it."""

    offer: PersonalOffer
    title: str
    gives: str
    reason: str
    icon: str
    at: dt.datetime
    counts_down: bool
    is_taken: bool


def offer_card(offer: PersonalOffer, now: dt.datetime, locale: str = "") -> OfferCard:
    campaign = offer.campaign
    return OfferCard(
        offer, told_campaign(campaign, locale).title, gives_words(campaign, offer.name),
        reason_words(campaign, offer), template_of(campaign).icon, offer.ends_at,
        offer.ends_at - now < dt.timedelta(days=2), offer.state == State.TAKEN,
    )  # fmt: skip
