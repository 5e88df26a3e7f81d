"""Rewards, and what became of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from uuid import UUID

from django.db.models import (
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    prefetch_related_objects,
)
from django.db.models.functions import TruncMonth

from loyalty.models import Program
from loyalty.plain_numbers import whole
from members.errors import NotFoundError
from members.prepared import KeptQuery, put_related
from rewards.definitions import RewardDefinition
from rewards.models import Reward, RewardPrice, RewardPrize, RewardTally


def rewards() -> QuerySet[Reward]:
    return Reward.objects.select_related(
        "program",
        "wallet_type",
        "voucher_pool",
        "event",
        "content_item",
        "charity__account",
        "window",
    ).prefetch_related("tier_prices", "prizes__prize")


def named_rewards(program: Program, public_ids: Collection[UUID]) -> QuerySet[Reward]:
    """Those that a cart names; what they cost whom is looked at when they are taken."""
    found = rewards().prefetch_related(None)
    return found.filter(program=program, public_id__in=public_ids)


def offered(program: Program) -> QuerySet[Reward]:
    """What members of a program may see: live ones, also those that are not begun."""
    return rewards().filter(program=program, status=Reward.Status.LIVE, on_shelf=True)


def get_reward(public_id: UUID | str) -> Reward:
    """Raises NotFoundError."""
    found = rewards().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such reward.")
    return found


def find_reward(public_id: UUID) -> Reward | None:
    """Which it is; anything else of it is read when it is asked for."""
    return _with_id.first(public_id)


def reward_now(pk: int, *, locks: bool) -> Reward:
    """All of a reward as it is, and nobody begins to count it meanwhile; `locks`: nobody else takes
    one, either."""
    found = (_locked if locks else _now).one(pk)
    # Most have neither, and then nothing is asked for.
    for name, there in (
        ("tier_prices", found.has_tier_prices),  # type: ignore[attr-defined]
        ("prizes", found.has_prizes),  # type: ignore[attr-defined]
    ):
        if not there:
            put_related(found, name, ())
    if found.has_tier_prices or found.has_prizes:  # type: ignore[attr-defined]
        prefetch_related_objects([found], "tier_prices", "prizes__prize")
    return found


def _whole(pk: int) -> QuerySet[Reward]:
    own = OuterRef("pk")
    return (
        Reward.objects.select_related(
            "program", "wallet_type", "voucher_pool", "event", "content_item", "window"
        )
        .filter(pk=pk)
        .order_by()
        .annotate(
            has_tier_prices=Exists(RewardPrice.objects.filter(reward=own)),
            has_prizes=Exists(RewardPrize.objects.filter(reward=own)),
        )
    )


_with_id = KeptQuery(
    lambda public_id: (
        Reward.objects.only("public_id", "program", "wallet_type", "kind", "stock")
        .filter(public_id=public_id)
        .order_by()
    )
)
# The lock that whatever refers to a reward takes anyhow. Who gives a reward its first stock waits
# for it, so nobody takes one uncounted meanwhile.
_now = KeptQuery(_whole, ending=' FOR KEY SHARE OF "rewards_reward"')
_locked = KeptQuery(lambda pk: _whole(pk).select_for_update(of=("self",), no_key=True))


def with_figures(found: QuerySet[Reward], program: Program, now: dt.datetime) -> QuerySet[Reward]:
    """How often each of the program's was taken, in the last thirty days too, and how often it was
    used."""
    recent = now.astimezone(program.zone).date() - dt.timedelta(days=30)
    return found.annotate(
        taken_ever=Sum("tallies__taken", default=0),
        taken_lately=Sum("tallies__taken", filter=Q(tallies__day__gt=recent), default=0),
        used_ever=Sum("tallies__used", default=0),
        units_ever=Sum("tallies__units", default=0),
    )


def taken_by_month(reward: Reward, now: dt.datetime, months: int = 12) -> dict[dt.date, int]:
    """How many were handed out and kept in each of the last months, in the program's time zone;
    months without any are in it."""
    today = now.astimezone(reward.program.zone).date()
    days = [today.replace(day=1)]
    while len(days) < months:
        days.append((days[-1] - dt.timedelta(days=1)).replace(day=1))
    found = (
        RewardTally.objects.filter(reward=reward, day__gte=days[-1], day__lte=today)
        .annotate(month=TruncMonth("day"))
        .values_list("month")
        .annotate(count=Sum("taken"))
    )
    counted = dict(found)
    return {day: counted.get(day, 0) for day in reversed(days)}


def definition_of(reward: Reward) -> RewardDefinition:
    """The reward as data."""
    unit = reward.wallet_type
    same = set(RewardDefinition.model_fields) - {
        "wallet_type", "price", "tier_prices", "voucher_pool", "skus", "categories", "prizes",
        "event", "content", "gift_days", "charity", "window",
    }  # fmt: skip
    return RewardDefinition.model_validate(
        {name: getattr(reward, name) for name in same}
        | {
            "wallet_type": unit.code,
            "price": whole(reward.price, unit),
            "tier_prices": {
                item.tier: whole(item.price, unit) for item in reward.tier_prices.all()
            },
            "voucher_pool": reward.voucher_pool.code if reward.voucher_pool else "",
            "charity": reward.charity.code if reward.charity else "",
            "window": reward.window.code if reward.window else "",
            "prizes": {item.prize.code: item.weight for item in reward.prizes.all()},
            "skus": tuple(reward.skus),
            "categories": tuple(reward.categories),
        }
    )
