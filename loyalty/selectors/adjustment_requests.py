"""What waits for a second person, and what became of what has waited."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import F, Q, QuerySet

from loyalty.models import AdjustmentRequest, BulkAdjustment
from loyalty.selectors.adjustment_limits import limits_by_program, whole_units
from members.models import Customer, User
from members.prepared import KeptRows

# More than that are not counted: nobody works through them by number.
COUNTED = 200


def requests() -> QuerySet[AdjustmentRequest]:
    """With all that showing one needs."""
    return AdjustmentRequest.objects.select_related(
        "wallet__wallet_type__program",
        "wallet__account__membership__customer",
        "asked_by",
        "decided_by",
    )


def waiting_requests(now: dt.datetime) -> QuerySet[AdjustmentRequest]:
    """Those that can still be decided; whether a job has written the others down or not."""
    return requests().filter(state=AdjustmentRequest.State.WAITING, expires_at__gt=now)


def waiting_requests_of(customer: Customer, now: dt.datetime) -> list[AdjustmentRequest]:
    found = waiting_requests(now).filter(about(customer))
    return list(found.order_by("asked_at", "pk"))


def about(customer: Customer) -> Q:
    """Requests for a wallet of the customer, or of a duplicate that was merged into them."""
    own = Q(wallet__account__membership__customer=customer)
    return own | Q(wallet__merged_into__account__membership__customer=customer)


def waiting_batches(since: dt.datetime) -> QuerySet[BulkAdjustment]:
    """Bulk adjustments that were asked for since then and can still be decided."""
    return BulkAdjustment.objects.select_related("wallet_type__program", "created_by").filter(
        state=BulkAdjustment.State.WAITING, asked_at__gt=since
    )


def count_to_decide(user: User, role: str, now: dt.datetime, since: dt.datetime) -> int:
    """How many wait for this person's decision; at most `COUNTED` of each kind."""
    waiting = _WAITING.rows(user.pk, now, since)
    return _decidable(role, ((abs(units), scale, program) for units, scale, program in waiting))


def _waiting_for(user: int, now: dt.datetime, since: dt.datetime) -> QuerySet[Any, Any]:
    single = (
        AdjustmentRequest.objects.filter(state=AdjustmentRequest.State.WAITING, expires_at__gt=now)
        .exclude(asked_by=user)
        .order_by()
        .values_list("units", "wallet__wallet_type__scale", "wallet__wallet_type__program")
    )
    batches = (
        waiting_batches(since)
        .select_related(None)
        .exclude(created_by=user)
        .order_by()
        .annotate(units=F("given") + F("taken"))
        .values_list("units", "wallet_type__scale", "wallet_type__program")
    )
    return single[:COUNTED].union(batches[:COUNTED], all=True)


# Each page of the back-office asks for it.
_DAYS = [dt.datetime(2000, 1, day, tzinfo=dt.UTC) for day in range(1, 5)]
_WAITING = KeptRows(_waiting_for, (-1, -2), (_DAYS[0], _DAYS[1]), (_DAYS[2], _DAYS[3]))


def _decidable(role: str, waiting: Iterable[tuple[int, int, int]]) -> int:
    rows = list(waiting)
    if not rows:
        return 0
    limits = limits_by_program(role, {program for _units, _scale, program in rows})
    return sum(limits[program].allows(whole_units(units, scale)) for units, scale, program in rows)
