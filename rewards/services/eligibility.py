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
from loyalty.selectors.benefits import early_access
from loyalty.selectors.member_tiers import member_standings
from loyalty.selectors.program_times import program_times
from loyalty.services.member_conditions import AskedOfMember, conditions_met
from loyalty.told_conditions import told_sentence
from members.formatting import format_end, format_start
from rewards.models import Event, Redemption, Reward
from rewards.selectors.prizes import filled_pools, prizes_left
from rewards.selectors.redemptions import of_member
from rewards.services.sale_times import own_times, refusal_of_sale
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
    return _Finder(rewards, membership, now).offers()


class _Finder:
    """What is known of a member and of rewards, to say of each what is against it."""

    def __init__(self, rewards: Sequence[Reward], membership: Membership, now: dt.datetime) -> None:
        self.rewards, self.membership, self.now = rewards, membership, now
        self.program = membership.program
        self.live = self.program.status == Program.Status.LIVE
        self.spends = self.live and program_times([self.program])[self.program.pk].spends_at(now)
        self.conditions = {item.pk: stored_condition(item.when) for item in rewards}
        asked = [
            AskedOfMember(item.pk, condition, item.wallet_type)
            for item in rewards
            if (condition := self.conditions[item.pk]) is not None
        ]
        self.met = conditions_met(asked, membership, now) if self.live else set[int]()
        self.counted = _counted(rewards, membership, now)
        self.filled = filled_pools(rewards)
        priced = any(item.tier_prices.all() for item in rewards)
        self.tier = _tier_of(membership, now) if priced else ""
        self.earlier = dt.timedelta()
        if any(item.starts_at is not None and item.starts_at > now for item in rewards):
            self.earlier = early_access([membership], now).get(membership.pk, self.earlier)
        self.sales = own_times([item.window for item in rewards], membership, now)

    def offers(self) -> list[Offer]:
        return [
            Offer(
                reward,
                _price(reward, self.tier),
                (*self._of_everything(), *self._of_times(reward), *self._of_it(reward)),
            )
            for reward in self.rewards
        ]

    def _of_everything(self) -> Iterable[Refusal]:
        """Whatever the reward."""
        if not self.live:
            yield Refusal("program_not_live", _("The program is not running."))
        elif self.membership.status != Membership.Status.ACTIVE:
            yield Refusal("not_active", _("The membership is not active."))
        elif not self.spends:
            yield Refusal("spending_stopped", _("Nothing can be spent in the program now."))

    def _of_times(self, reward: Reward) -> Iterable[Refusal]:
        zone = self.program.zone
        if reward.starts_at is not None and self.now < reward.starts_at - self.earlier:
            begins = format_start(reward.starts_at - self.earlier, zone)
            yield Refusal("not_yet", _("It can be taken from %s on.") % begins)
        if reward.window_id is not None:
            own = self.sales[reward.window_id]
            code, words = refusal_of_sale(own, self.membership, self.now)
            if code:
                yield Refusal(code, words)
        if reward.ends_at is not None and self.now >= reward.ends_at:
            ended = format_end(reward.ends_at, zone)
            yield Refusal("over", _("It could be taken until %s.") % ended)
        elif (event := event_of(reward)) is not None and self.now >= event.starts_at:
            yield Refusal("over", _("It has begun."))

    def _of_it(self, reward: Reward) -> Iterable[Refusal]:
        event = event_of(reward)
        off = event is not None and event.status == Event.Status.CANCELED
        off = off or (reward.charity is not None and not reward.charity.live)
        if off or reward.status != Reward.Status.LIVE or not reward.on_shelf:
            yield Refusal("not_offered", _("It is not offered any more."))
        if self._is_gone(reward):
            yield Refusal("sold_out", _("All of them are taken."))
        if reward.per_member is not None and self.counted[reward.pk] >= reward.per_member:
            yield Refusal("limit_reached", limit_words(reward))
        condition = self.conditions[reward.pk]
        if condition is not None and reward.pk not in self.met:
            yield Refusal("not_for_you", _("Only for this: %s.") % told_sentence(condition.root))

    def _is_gone(self, reward: Reward) -> bool:
        pool = reward.voucher_pool_id
        if reward.left == 0 or (pool is not None and pool not in self.filled):
            return True
        gift = reward.kind == Reward.Kind.MYSTERY
        return gift and not prizes_left(reward, self.filled)


def event_of(reward: Reward) -> Event | None:
    """The event that a seat is at."""
    is_seat = reward.kind == Reward.Kind.EVENT_SEAT
    return getattr(reward, "event", None) if is_seat else None


def _price(reward: Reward, tier: str) -> int:
    own = {item.tier: item.price for item in reward.tier_prices.all()}
    return own.get(tier, reward.price)


def _tier_of(membership: Membership, now: dt.datetime) -> str:
    """The code of the member's tier."""
    standing = member_standings([membership], now).get(membership.pk)
    return standing.tier.code if standing else ""


def _counted(
    rewards: Sequence[Reward], membership: Membership, now: dt.datetime
) -> Mapping[int, int]:
    """How many of each the member has taken in its period; what was given does not count."""
    if all(reward.per_member is None for reward in rewards):
        return Counter()
    zone = membership.program.zone
    wanted = Q(pk__in=[])
    for period in {reward.per_period for reward in rewards if reward.per_member is not None}:
        own = [item.pk for item in rewards if item.per_period == period and item.per_member]
        since = Q()
        if period != Reward.Period.EVER:
            since = Q(created_at__gte=start_of_day(period_start(period, now, zone), zone))
        wanted |= Q(reward__in=own) & since
    found = (
        Redemption.objects.filter(of_member(membership), wanted, Redemption.HAD, gift="")
        .values("reward")
        .annotate(count=Count("pk"))
    )
    return Counter({row["reward"]: row["count"] for row in found})
