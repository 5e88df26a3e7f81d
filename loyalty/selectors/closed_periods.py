"""Which books are closed, and up to when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import Max

from loyalty.models import ClosedPeriod, Program


def list_closed_periods(program: Program) -> Sequence[ClosedPeriod]:
    """Every period that is or was closed, the latest first."""
    found = ClosedPeriod.objects.filter(program=program).select_related("closed_by", "reopened_by")
    return list(found.order_by("-until", "-pk"))


def closed_periods(program: Program) -> list[ClosedPeriod]:
    """The periods that are closed, the earliest first; they follow one another without a gap."""
    return list(ClosedPeriod.objects.filter(program=program, reopened_at=None).order_by("until"))


def first_open_day(program: Program) -> dt.date | None:
    """The first day on which may be booked; None: every day is open."""
    found = ClosedPeriod.objects.filter(program=program, reopened_at=None)
    closed = found.aggregate(until=Max("until"))["until"]
    return closed + dt.timedelta(days=1) if closed else None
