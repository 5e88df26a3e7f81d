"""Rewards, and what became of them."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from loyalty.models import Program
from members.errors import NotFoundError
from rewards.definitions import RewardDefinition
from rewards.models import Redemption, Reward
from rewards.numbers import plain_units

Status = Redemption.Status


def rewards() -> QuerySet[Reward]:
    return Reward.objects.select_related("program", "wallet_type", "voucher_pool").prefetch_related(
        "tier_prices"
    )


def offered(program: Program) -> QuerySet[Reward]:
    """What members of a program may see: live ones, also those that are not begun."""
    return rewards().filter(program=program, status=Reward.Status.LIVE, on_shelf=True)


def get_reward(public_id: UUID | str) -> Reward:
    """Raises NotFoundError."""
    found = rewards().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such reward.")
    return found


def with_figures(found: QuerySet[Reward], now: dt.datetime) -> QuerySet[Reward]:
    """How often each was taken, in the last thirty days too, and how often it was used."""
    recent = now - dt.timedelta(days=30)
    kept = Q(redemptions__status__in=[Status.ISSUED, Status.USED, Status.EXPIRED])
    kept &= Q(redemptions__issued_at__isnull=False)
    return found.annotate(
        taken_ever=Count("redemptions", filter=kept),
        taken_lately=Count("redemptions", filter=kept & Q(redemptions__created_at__gte=recent)),
        used_ever=Count("redemptions", filter=Q(redemptions__status=Status.USED)),
        units_ever=Sum("redemptions__units", filter=kept, default=0),
    )


def definition_of(reward: Reward) -> RewardDefinition:
    """The reward as data."""
    scale = reward.wallet_type.scale
    same = set(RewardDefinition.model_fields) - {
        "wallet_type", "price", "tier_prices", "voucher_pool", "skus", "categories",
    }  # fmt: skip
    return RewardDefinition.model_validate(
        {name: getattr(reward, name) for name in same}
        | {
            "wallet_type": reward.wallet_type.code,
            "price": plain_units(reward.price, scale),
            "tier_prices": {
                item.tier: plain_units(item.price, scale) for item in reward.tier_prices.all()
            },
            "voucher_pool": reward.voucher_pool.code if reward.voucher_pool else "",
            "skus": tuple(reward.skus),
            "categories": tuple(reward.categories),
        }
    )
