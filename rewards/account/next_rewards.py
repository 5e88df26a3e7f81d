"""On the home page: what a member saves for, and what they can take now, or what is nearest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from django.urls import reverse

from loyalty.account.home_cards import HomeCard
from loyalty.models import Membership
from loyalty.services.usable_units import spendable_units
from members.formatting import format_units
from members.languages import locale_of
from rewards.account.wishes import GoalCard, goal_card
from rewards.models import Reward, RewardGoal
from rewards.selectors.rewards import offered
from rewards.services.eligibility import Offer, offers_for
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


@dataclass(frozen=True, slots=True)
class HomeRewards:
    goal: GoalCard | None
    next: NextReward | None


def home_rewards(membership: Membership, now: dt.datetime) -> HomeCard | None:
    """Nothing where nothing is offered. Who saves for one reads how far they are with that, and
    what they could have at once."""
    saved_for = RewardGoal.objects.filter(membership=membership, reward=OuterRef("pk"))
    found = list(offered(membership.program).annotate(saved_for=Exists(saved_for)))
    if not found:
        return None
    offers = offers_for(found, membership, now)
    held = spendable_units([membership.pk], now).get(membership.pk, {})
    goal = None
    for offer in offers:
        if offer.reward.saved_for:  # type: ignore[attr-defined]
            goal = goal_card(offer, membership, held.get(offer.reward.wallet_type_id, 0))
    following = _next(offers, membership, held, saves=goal is not None)
    if goal is None and following is None:
        return None
    return HomeCard("rewards/account/home_rewards.html", HomeRewards(goal, following), first=True)


def _next(
    offers: Sequence[Offer], membership: Membership, held: Mapping[int, int], *, saves: bool
) -> NextReward | None:
    open_to_them = [offer for offer in offers if not offer.refusals]
    ready = [item for item in open_to_them if item.price <= _held(item, held)]
    locale = locale_of(membership.customer)
    if ready:
        first = ready[0].reward
        shelf = reverse("rewards_account:shelf_of", args=[membership.public_id])
        return NextReward(len(ready), shelf, first, told(first, locale).name, icon_of(first))
    if saves or not open_to_them:
        return None
    nearest = max(open_to_them, key=lambda item: (_held(item, held) / item.price, -item.price))
    reward, has = nearest.reward, _held(nearest, held)
    return NextReward(
        0, reverse("rewards_account:reward", args=[membership.public_id, reward.public_id]),
        reward, told(reward, locale).name, icon_of(reward),
        min(100 * max(has, 0) // nearest.price, 100),
        format_units(nearest.price - has, reward.wallet_type),
    )  # fmt: skip


def _held(offer: Offer, held: Mapping[int, int]) -> int:
    return held.get(offer.reward.wallet_type_id, 0)
