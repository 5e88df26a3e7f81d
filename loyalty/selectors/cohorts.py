"""Members by the month in which they joined, and what they did in each month since: summed up by
the database, of all of them or of a segment as it is today."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from loyalty.models import CohortMonth, Order, Program
from loyalty.rules.calendar import add_months, start_of_day

# Who joined in one of the months before `until`, and in which: `joined` is its first day, `begun`
# when the day of joining began. The order that enrolls is placed before it does.
_MEMBERS = """
    m AS (SELECT m.customer_id, m.account_id,
                 date_trunc('month', m.enrolled_at AT TIME ZONE %(zone)s)::date AS joined,
                 date_trunc('day', m.enrolled_at AT TIME ZONE %(zone)s) AT TIME ZONE %(zone)s
                 AS begun
            FROM loyalty_membership m
           WHERE m.program_id = %(program)s AND m.merged_into_id IS NULL AND m.status <> 'left'
             AND m.enrolled_at >= %(first)s AND m.enrolled_at < %(until)s
             AND (%(segment)s::bigint IS NULL OR EXISTS (
                  SELECT FROM members_segmentmember s
                   WHERE s.segment_id = %(segment)s AND s.customer_id = m.customer_id)))
"""
# By the months of joining and of doing; an order counts with what was kept of it.
_SUMS = f"""
    WITH {_MEMBERS},
    o AS (SELECT m.joined, o.customer_id,
                 date_trunc('month', o.placed_at AT TIME ZONE %(zone)s)::date AS month,
                 (o.as_told - coalesce((SELECT sum(f.total) FROM loyalty_refund f
                                         WHERE f.order_id = o.id), 0)) * o.rate AS kept
            FROM m JOIN loyalty_countedorder o ON o.customer_id = m.customer_id
             AND (o.program_id IS NULL OR o.program_id = %(program)s)
           WHERE o.placed_at >= greatest(%(since)s, m.begun) AND o.placed_at < %(until)s
             AND o.currency = %(currency)s AND NOT o.status = ANY(%(void)s)),
    bought AS (SELECT joined, month, count(DISTINCT customer_id) AS buyers, count(*) AS orders,
                      sum(kept) AS revenue
                 FROM o WHERE kept > 0 GROUP BY 1, 2),
    spent AS (SELECT m.joined,
                     date_trunc('month', t.occurred_at AT TIME ZONE %(zone)s)::date AS month,
                     sum(CASE WHEN t.kind = 'reversal' THEN -t.amount ELSE t.amount END
                         / power(10::numeric, y.scale)) AS units
                FROM loyalty_transfer t
                JOIN loyalty_wallettype y ON y.id = t.wallet_type_id
                 AND y.program_id = %(program)s AND NOT y.stored_value
                JOIN loyalty_wallet w ON w.id = t.wallet_id
                JOIN m ON m.account_id = w.account_id
                LEFT JOIN loyalty_transfer r ON r.id = coalesce(t.reverses_id, t.corrects_id)
               WHERE t.occurred_at >= greatest(%(since)s, m.begun) AND t.occurred_at < %(until)s
                 AND (t.kind IN ('redemption', 'donation')
                      OR t.kind = 'reversal' AND r.kind IN ('redemption', 'donation'))
               GROUP BY 1, 2)
    SELECT c.joined, x.month::date, c.members, coalesce(b.buyers, 0), coalesce(b.orders, 0),
           coalesce(b.revenue, 0), coalesce(s.units, 0)
      FROM (SELECT joined, count(*) AS members FROM m GROUP BY 1) c
     CROSS JOIN generate_series(%(from)s::date, %(to)s::date, interval '1 month') x(month)
      LEFT JOIN bought b ON b.joined = c.joined AND b.month = x.month
      LEFT JOIN spent s ON s.joined = c.joined AND s.month = x.month
     WHERE x.month >= c.joined
     ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class CohortSums:
    """What the members who joined in a month did in another."""

    joined: dt.date
    month: dt.date
    members: int
    buyers: int
    orders: int
    revenue: Decimal
    units: Decimal


def measure_cohorts(
    program: Program,
    *,
    joined_from: dt.date,
    first: dt.date,
    last: dt.date,
    segment: int | None = None,
) -> list[CohortSums]:
    """The months from `first` to `last` of all who joined since `joined_from`; each is the first
    day of a month. One query."""
    asked: dict[str, Any] = {
        "program": program.pk, "currency": program.currency, "void": list(Order.VOID),
        "zone": program.time_zone, "segment": segment, "from": first, "to": last,
        "first": start_of_day(joined_from, program.zone),
        "since": start_of_day(first, program.zone),
        "until": start_of_day(add_months(last, 1), program.zone),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, asked)
        return [CohortSums(*row) for row in cursor.fetchall()]


def kept_cohorts(program: Program, months: Sequence[dt.date]) -> list[CohortSums]:
    """As they were summed up, of who joined in one of these months. One query."""
    rows = CohortMonth.objects.filter(
        program=program, joined__in=list(months), month__lte=max(months)
    ).order_by("joined", "month")
    return [
        CohortSums(
            row.joined, row.month, row.members, row.buyers, row.orders, row.revenue, row.units
        )
        for row in rows
    ]
