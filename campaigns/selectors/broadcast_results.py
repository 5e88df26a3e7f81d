"""What a broadcast brought: what became of its messages, and whoever it was for against whoever was
kept aside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Count, Sum

from campaigns.comparisons import compare, led_and_aside
from campaigns.models import Broadcast, Delivery
from campaigns.selectors.figures import Measured, figures_of_broadcast
from campaigns.selectors.journey_results import Result
from loyalty.models import Order
from members.selectors.merchants import get_merchant

# All that it was for, whether or not it reached them: who is reached buys more as it is.
_ARMS = """
    SELECT r.held_out, count(*), avg(x.orders), avg(x.revenue),
           coalesce(var_samp(x.orders), 0), coalesce(var_samp(x.revenue), 0),
           coalesce(covar_samp(x.orders, x.revenue), 0)
      FROM campaigns_broadcastrecipient r
     CROSS JOIN LATERAL (
           SELECT count(*) AS orders, coalesce(sum(o.total), 0) AS revenue
             FROM loyalty_countedorder o
            WHERE (o.program_id IS NULL OR o.program_id = %(program)s)
              AND o.customer_id = r.customer_id AND o.placed_at > r.due_at
              AND o.placed_at <= r.due_at + %(days)s * interval '1 day'
              AND o.currency = %(currency)s AND o.status <> ALL (%(void)s)) x
     WHERE r.broadcast_id = %(broadcast)s
       AND r.due_at <= %(now)s - %(days)s * interval '1 day'
     GROUP BY r.held_out
"""


@dataclass(frozen=True, slots=True)
class BroadcastResult:
    """`against`: None where nobody is kept aside. `reasons`: by way, why messages did not go out,
    or were not written."""

    measured: Measured
    against: Result | None = None
    reasons: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    untold: Mapping[str, int] = field(default_factory=dict)


def result_of(broadcast: Broadcast, now: dt.datetime) -> BroadcastResult:
    """A constant number of queries."""
    return BroadcastResult(
        figures_of_broadcast(broadcast, now=now),
        against_those_aside(broadcast, now) if broadcast.holdout else None,
        _reasons(broadcast), _untold(broadcast),
    )  # fmt: skip


def against_those_aside(broadcast: Broadcast, now: dt.datetime) -> Result:
    """Of those whose days are over; orders are None where too few are on either side. One query."""
    program = broadcast.program
    asked: dict[str, Any] = {
        "broadcast": broadcast.pk, "days": broadcast.order_days, "now": now,
        "program": broadcast.program_id,
        "currency": program.currency if program else get_merchant().currency,
        "void": [str(status) for status in Order.VOID],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_ARMS, asked)
        led, aside = led_and_aside(cursor.fetchall())
    return Result(broadcast.order_days, led.size, aside.size, *compare(led, aside))


def _reasons(broadcast: Broadcast) -> dict[str, dict[str, int]]:
    rows = Delivery.objects.filter(
        message__occasion=broadcast.occasion, state=Delivery.State.SUPPRESSED
    )
    found: dict[str, dict[str, int]] = {}
    for channel, reason, count in rows.values_list("channel", "reason").annotate(Count("pk")):
        found.setdefault(channel, {})[reason] = count
    return found


def _untold(broadcast: Broadcast) -> dict[str, int]:
    rows = broadcast.tallies.exclude(untold="").order_by()
    counted = rows.values_list("untold").annotate(of=Sum("recipients"))
    return dict(counted.exclude(of=0))
