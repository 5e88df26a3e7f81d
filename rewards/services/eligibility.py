"""Whether a member may take a reward now, what it costs them, and if not, why not."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from loyalty.models import Membership, Program
from loyalty.rule_conditions import stored_condition
from loyalty.rules.calendar import period_start, start_of_day
from loyalty.selectors.member_tiers import member_standings
from loyalty.services.member_conditions import AskedOfMember, conditions_met
from loyalty.told_conditions import told_sentence
from members.formatting import format_moment
from rewards.models import Redemption, Reward
from rewards.selectors.redemptions import of_member
from rewards.words import limit_words

# What somebody of the staff may let pass, with a reason.
OVERRIDABLE = ("not_yet", "over", "limit_reached", "not_for_you")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not; `code` is stable."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A reward as one member finds it. `price` in the smallest units of its wallet type."""

    reward: Reward
    price: int
    refusals: tuple[Refusal, ...]


def offers_for(rewards: Sequence[Reward], membership: Membership, now: dt.datetime) -> list[Offer]:
    """Each of these rewards of the member's program, as they find it. A constant number of
    queries."""
    tier, hours = _tier_of(membership, now)
    asked = [
        AskedOfMember(reward.pk, condition, reward.wallet_type)
        for reward in rewards
        if (condition := stored_condition(reward.when)) is not None
    ]
    live = membership.program.status == Program.Status.LIVE
    met = conditions_met(asked, membership, now) if live else set[int]()
    counted = _counted(rewards, membership, now)
    earlier = dt.timedelta(hours=hours)
    return [
        Offer(
            reward,
            _price(reward, tier),
            tuple(_refusals(reward, membership, now, met, counted, earlier)),
        )
        for reward in rewards
    ]


def _refusals(
    reward: Reward, membership: Membership, now: dt.datetime, met: set[int],
    counted: Mapping[int, int], earlier: dt.timedelta,
) -> Iterable[Refusal]:  # fmt: skip
    if membership.program.status != Program.Status.LIVE:
        yield Refusal("program_not_live", _("The program is not running."))
    elif membership.status != Membership.Status.ACTIVE:
        yield Refusal("not_active", _("The membership is not active."))
    if reward.status != Reward.Status.LIVE:
        yield Refusal("not_offered", _("It is not offered any more."))
    zone = membership.program.zone
    if reward.starts_at is not None and now < reward.starts_at - earlier:
        begins = format_moment(reward.starts_at - earlier, zone)
        yield Refusal("not_yet", _("It can be taken from %s on.") % begins)
    if reward.ends_at is not None and now >= reward.ends_at:
        yield Refusal(
            "over", _("It could be taken until %s.") % format_moment(reward.ends_at, zone)
        )
    if reward.left == 0:
        yield Refusal("sold_out", _("All of them are taken."))
    if reward.per_member is not None and counted[reward.pk] >= reward.per_member:
        yield Refusal("limit_reached", limit_words(reward))
    condition = stored_condition(reward.when)
    if condition is not None and reward.pk not in met:
        yield Refusal("not_for_you", _("Only for this: %s.") % told_sentence(condition.root))


def _price(reward: Reward, tier: str) -> int:
    own = {item.tier: item.price for item in reward.tier_prices.all()}
    return own.get(tier, reward.price)


def _tier_of(membership: Membership, now: dt.datetime) -> tuple[str, int]:
    """The code of the member's tier, and how many hours earlier than others it lets them come."""
    standing = member_standings([membership], now).get(membership.pk)
    if standing is None:
        return "", 0
    hours = [benefit.hours or 0 for benefit, _words in standing.benefits]
    return standing.tier.code, max(hours, default=0)


def _counted(
    rewards: Sequence[Reward], membership: Membership, now: dt.datetime
) -> Mapping[int, int]:
    """How many of each the member has taken in its period."""
    zone = membership.program.zone
    wanted = Q(pk__in=[])
    for period in {reward.per_period for reward in rewards if reward.per_member is not None}:
        own = [item.pk for item in rewards if item.per_period == period and item.per_member]
        since = Q()
        if period != Reward.Period.EVER:
            since = Q(created_at__gte=start_of_day(period_start(period, now, zone), zone))
        wanted |= Q(reward__in=own) & since
    found = (
        Redemption.objects.filter(
            of_member(membership), wanted, status__in=Redemption.COUNTED_FOR_LIMITS
        )
        .values("reward")
        .annotate(count=Count("pk"))
    )
    return Counter({row["reward"]: row["count"] for row in found})
