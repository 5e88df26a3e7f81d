"""Which rewards a member could take, whatever they have."""

from __future__ import annotations

import datetime as dt

from loyalty.models import Membership
from rewards.models import Reward
from rewards.selectors.rewards import offered
from rewards.services.eligibility import Offer, offers_for


def reachable_offers(member: Membership, now: dt.datetime) -> list[Offer]:
    """What a member could take, units aside, the cheapest first."""
    rewards: list[Reward] = list(offered(member.program).filter(price__gt=0))
    found = [offer for offer in offers_for(rewards, member, now) if not offer.refusals]
    return sorted(found, key=lambda offer: (offer.price, offer.reward.pk))
