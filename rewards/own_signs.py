"""Who took a reward or was given one, and who wants one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.utils.translation import gettext_lazy as _

from loyalty.own_signs import register_own_sign
from rewards.models import AutoTake, ContentDownload, EventWait, Redemption, RewardGoal


def has_rewards(customers: Collection[int], since: dt.datetime) -> Collection[int]:
    found = Redemption.objects.filter(membership__customer__in=customers, created_at__gte=since)
    return found.values_list("membership__customer", flat=True)


def wants_rewards(customers: Collection[int], since: dt.datetime) -> Collection[int]:
    """What they save for, have taken for them, wait for, or have fetched."""
    found = (
        RewardGoal.objects.filter(chosen_at__gte=since),
        AutoTake.objects.filter(chosen_at__gte=since),
        EventWait.objects.filter(created_at__gte=since),
        ContentDownload.objects.filter(last_at__gte=since),
    )
    return {
        pk
        for rows in found
        for pk in rows.filter(membership__customer__in=customers).values_list(
            "membership__customer", flat=True
        )
    }


def register() -> None:
    """Called once, when the application is ready."""
    register_own_sign("rewards", _("They took a reward, or were given one."), has_rewards)
    register_own_sign("wishes", _("They chose a reward, or fetched something."), wants_rewards)
