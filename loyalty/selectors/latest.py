"""The movements that happened last, of everybody, without reading all there are."""

from __future__ import annotations

import datetime as dt

from loyalty.models import DailyTotal, Transfer
from loyalty.selectors.transfers import transfers


def latest_transfers(limit: int) -> list[Transfer]:
    """By business time, newest first. The daily totals say how far back to look."""
    found = transfers()
    since = _since(limit)
    if since is None:
        return list(found.order_by("-pk")[:limit])
    wallet_types = DailyTotal.objects.order_by().values("wallet_type").distinct()
    recent = Transfer.objects.filter(wallet_type__in=wallet_types, booked_on__gte=since)
    # What is shown of them is read of these alone: a busy day has tens of thousands.
    keys = list(recent.order_by("-occurred_at", "-pk").values_list("pk", flat=True)[:limit])
    return list(found.filter(pk__in=keys).order_by("-occurred_at", "-pk"))


def _since(limit: int) -> dt.date | None:
    """The day from which on there are at least so many movements; None while no day is totaled."""
    counted, day = 0, None
    newest = DailyTotal.objects.filter(movements__gt=0).order_by("-day")
    for day, movements in newest.values_list("day", "movements")[: limit * 4]:  # noqa: B007
        counted += movements
        if counted >= limit:
            break
    return day
