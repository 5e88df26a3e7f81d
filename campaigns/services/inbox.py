"""Reading messages on one's own page."""

from __future__ import annotations

import datetime as dt

from campaigns.models import Delivery
from campaigns.selectors.inbox import inbox_of
from members.models import Customer


def mark_read(*, delivery: Delivery, now: dt.datetime) -> None:
    """Again changes nothing."""
    Delivery.objects.filter(pk=delivery.pk, read_at=None).update(read_at=now)


def mark_all_read(*, customer: Customer, now: dt.datetime) -> int:
    """Returns how many were unread."""
    unread = inbox_of(customer).filter(read_at=None).order_by().values("pk")
    return Delivery.objects.filter(pk__in=unread).update(read_at=now)
