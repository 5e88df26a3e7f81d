"""On the home page: what can be taken now, or what is nearest."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.urls import reverse

from loyalty.account.home_cards import HomeCard
from loyalty.models import Membership
from loyalty.services.usable_units import spendable_units
from members.formatting import format_units
from rewards.models import Reward, RewardGoal
from rewards.selectors.rewards import offered
from rewards.services.eligibility import offers_for
from rewards.texts import told
from rewards.words import icon_of


@dataclass(frozen=True, slots=True)
class NextReward:
    """`ready`: how many rewards can be taken now; else this one is the nearest, with how far they
    have come in percent, and what is missing."""

    ready: int
    url: str
    reward: Reward
    name: str
    icon: str
    share: int = 100
    missing: str = ""


def next_reward_card(membership: Membership, now: dt.datetime) -> HomeCard | None:
    """Nothing where nothing is offered to them. Who saves for one has that one's card, and here
    what they could have at once."""
    offers = [
        offer
        for offer in offers_for(list(offered(membership.program)), membership, now)
        if not offer.refusals
    ]
    if not offers:
        return None
    held = spendable_units([membership.pk], now).get(membership.pk, {})
    locale = membership.customer.locale
    ready = [item for item in offers if item.price <= held.get(item.reward.wallet_type_id, 0)]
    if ready:
        first = ready[0].reward
        card = NextReward(
            len(ready), reverse("rewards_account:shelf_of", args=[membership.public_id]),
            first, told(first, locale).name, icon_of(first),
        )  # fmt: skip
        return HomeCard("rewards/account/next_reward_card.html", card)
    if RewardGoal.objects.filter(membership=membership).exists():
        return None
    nearest = max(
        offers, key=lambda item: (held.get(item.reward.wallet_type_id, 0) / item.price, -item.price)
    )
    reward, has = nearest.reward, held.get(nearest.reward.wallet_type_id, 0)
    card = NextReward(
        0, reverse("rewards_account:reward", args=[membership.public_id, reward.public_id]),
        reward, told(reward, locale).name, icon_of(reward),
        min(100 * max(has, 0) // nearest.price, 100),
        format_units(nearest.price - has, reward.wallet_type),
    )  # fmt: skip
    return HomeCard("rewards/account/next_reward_card.html", card)
