"""What this application adds to reviews of programs: rewards that nobody takes, and those that cost
more than the units that members pay for them are worth."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _

from loyalty.models import Program
from loyalty.quarters import Quarter
from loyalty.review_registry import Use, UseKind, register_uses
from loyalty.rules.calendar import end_of_day, start_of_day
from loyalty.selectors.review_uses import days_in
from rewards.models import Reward

REWARD = UseKind(
    "reward", _("Reward"),
    unused=_("Nobody took the reward “%(name)s” in %(days)s days."),
    unused_advice=_("Make it cheaper, show it higher up, or take it off the shelf: a short catalog "
                    "of what people want is better than a long one."),
    dear=_("The reward “%(name)s” costs you %(cost)s each time; the units paid for it are worth "
           "%(limit)s."),
    dear_advice=_("Raise its price in units, or put something in its place that costs you less."),
)  # fmt: skip


def register() -> None:
    """Called once, when the application is ready."""
    register_uses(REWARD, reward_uses)


def reward_uses(program: Program, quarter: Quarter, day: dt.date) -> list[Use]:
    """Of those on the shelf for some time in it, also those archived since, by what was handed
    out: one query, over totals of days."""
    since, until = start_of_day(quarter.first, program.zone), end_of_day(day, program.zone)
    in_it = Q(tallies__day__gte=quarter.first, tallies__day__lte=day)
    rows = Reward.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=since),
        Q(status=Reward.Status.LIVE) | Q(archived_at__gt=since),
        program=program, on_shelf=True, created_at__lt=until,
    )  # fmt: skip
    rows = rows.select_related("wallet_type").annotate(times=Sum("tallies__taken", filter=in_it))
    return [
        Use(
            REWARD.code, item.code, item.name, max(item.times or 0, 0),
            days_in(quarter, max(item.created_at, item.starts_at or item.created_at),
                    _end_of(item), program, day),
            "rewards_backoffice:reward_page", f"{program.code}/{item.code}",
            cost=item.cost or None, limit=_worth_of_price(item),
            ended=(end := _end_of(item)) is not None and end < until,
        )
        for item in rows
    ]  # fmt: skip


def _end_of(reward: Reward) -> dt.datetime | None:
    """When nobody can take it any more."""
    return min(filter(None, (reward.ends_at, reward.archived_at)), default=None)


def _worth_of_price(reward: Reward) -> Decimal | None:
    """None: its units have no worth that somebody has written down."""
    unit = reward.wallet_type
    if not unit.unit_value or not reward.price:
        return None
    return Decimal(reward.price).scaleb(-unit.scale) * unit.unit_value
