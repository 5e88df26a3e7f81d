"""The sums of days and the carts of single people, worked out anew from what was told of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from campaigns.models import BrowsingDay, BrowsingEvent, CartLine
from campaigns.services.browsing import facts_in
from members.selectors.segments import merchant_moment


def rebuild_sums(customer_ids: Sequence[int], *, now: dt.datetime) -> None:
    """As they came about event by event. In the caller's transaction, which has locked the
    customers."""
    zone = merchant_moment(now)
    days: dict[tuple[int, str, str, dt.date], BrowsingDay] = {}
    lines: dict[tuple[int, str], CartLine] = {}
    rows = BrowsingEvent.objects.filter(customer__in=customer_ids).order_by("occurred_at", "pk")
    for event in rows:
        day, at = zone.day_of(event.occurred_at), event.occurred_at
        for what, subject in facts_in(event.kind, event.subject, event.category):
            key = (event.customer_id, what, subject, day)
            found = days.setdefault(
                key,
                BrowsingDay(customer_id=event.customer_id, what=what, subject=subject, day=day,
                            times=0),
            )  # fmt: skip
            found.times, found.last_at = found.times + 1, at
        if event.quantity is not None:
            lines[event.customer_id, event.subject] = CartLine(
                customer_id=event.customer_id, sku=event.subject, name=event.name,
                quantity=event.quantity, changed_at=at,
            )  # fmt: skip
    for table in (BrowsingDay, CartLine):
        table.objects.filter(customer__in=customer_ids).delete()
    BrowsingDay.objects.bulk_create(days.values(), batch_size=1_000)
    CartLine.objects.bulk_create(lines.values(), batch_size=1_000)
