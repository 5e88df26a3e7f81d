"""What customers had done before given moments, worked out from their orders and returns."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import connection

from loyalty.models import Membership
from loyalty.rules.behavior import Behavior

# Of x.customer before x.at: orders that did not come to nothing, what was given back, and
# activities that count, by type. The one definition, here and for the facts that segments ask about
# (`loyalty.services.facts`). Indexes by customer and time make each a short range.
MEASURED = """
     CROSS JOIN LATERAL (
           SELECT count(*) AS orders, coalesce(sum(total), 0) AS ordered,
                  coalesce(sum(discount_total), 0) AS discounts,
                  min(placed_at) AS first_at, max(placed_at) AS last_at
             FROM loyalty_order
            WHERE customer_id = x.customer AND placed_at < x.at
              AND status NOT IN ('cancelled', 'refunded')) o
     CROSS JOIN LATERAL (
           SELECT coalesce(sum(f.total), 0) AS returned
             FROM loyalty_refund f LEFT JOIN loyalty_order fo ON fo.id = f.order_id
            WHERE f.customer_id = x.customer AND f.refunded_at < x.at
              AND coalesce(fo.status, '') NOT IN ('cancelled', 'refunded')) r
     CROSS JOIN LATERAL (
           SELECT coalesce(sum(n.total + n.discount), 0) AS goods,
                  coalesce(sum(n.discount), 0) AS discounts,
                  array_agg(DISTINCT n.category) FILTER (WHERE n.category <> '') AS categories
             FROM loyalty_order lo JOIN loyalty_orderline n ON n.order_id = lo.id
            WHERE %(lines)s AND lo.customer_id = x.customer AND lo.placed_at < x.at
              AND lo.status NOT IN ('cancelled', 'refunded')) l
     CROSS JOIN LATERAL (
           SELECT jsonb_object_agg(by_type.code, by_type.number) AS activities FROM (
               SELECT at.code, count(*) AS number
                 FROM loyalty_activity a JOIN loyalty_activitytype at ON at.id = a.type_id
                WHERE a.customer_id = x.customer AND a.occurred_at < x.at AND a.state = 'approved'
                GROUP BY at.code) by_type) d
"""

_BEFORE = f"""
    SELECT x.ord, o.orders, o.ordered, r.returned, l.goods, o.discounts + l.discounts,
           o.first_at, o.last_at, l.categories, p.spend_percentile,
           d.activities
      FROM unnest(%(customers)s::bigint[], %(moments)s::timestamptz[])
           WITH ORDINALITY AS x(customer, at, ord)
      LEFT JOIN members_customerfacts p ON p.customer_id = x.customer
    {MEASURED}
     ORDER BY x.ord
"""


def behavior_before(
    wanted: Sequence[tuple[int, dt.datetime]], *, with_lines: bool = True
) -> list[Behavior]:
    """Of each (customer key, moment), in one query. Without lines: no categories and no discounts
    of lines."""
    if not wanted:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _BEFORE,
            {
                "customers": [customer for customer, _at in wanted],
                "moments": [at for _customer, at in wanted],
                "lines": with_lines,
            },
        )
        rows = cursor.fetchall()
    return [
        Behavior(
            orders=row[1], ordered=row[2], returned=row[3], goods=row[4], discounts=row[5],
            first_order_at=row[6], last_order_at=row[7], categories=frozenset(row[8] or ()),
            spend_percentile=row[9], activities=_by_type(row[10]),
        )
        for row in rows
    ]  # fmt: skip


def _by_type(found: Any) -> dict[str, int]:
    """Number of activities by the code of their type, as the database answers it."""
    return json.loads(found) if isinstance(found, str) else found or {}


_SINCE = """
    SELECT o.orders
      FROM unnest(%(customers)s::bigint[], %(since)s::timestamptz[], %(moments)s::timestamptz[])
           WITH ORDINALITY AS x(customer, since, at, ord)
     CROSS JOIN LATERAL (
           SELECT count(*) AS orders FROM loyalty_order
            WHERE customer_id = x.customer AND placed_at >= x.since AND placed_at < x.at
              AND status NOT IN ('cancelled', 'refunded')) o
     ORDER BY x.ord
"""


def orders_between(wanted: Sequence[tuple[int, dt.datetime, dt.datetime]]) -> list[int]:
    """How many orders that did not come to nothing each customer placed in [since, until), in one
    query."""
    if not wanted:
        return []
    customers, since, moments = (list(column) for column in zip(*wanted, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_SINCE, {"customers": customers, "since": since, "moments": moments})
        return [row[0] for row in cursor.fetchall()]


_LAST = """
    SELECT (SELECT max(placed_at) FROM loyalty_order
             WHERE customer_id = x.customer AND placed_at < x.at
               AND status NOT IN ('cancelled', 'refunded'))
      FROM unnest(%(customers)s::bigint[], %(moments)s::timestamptz[])
           WITH ORDINALITY AS x(customer, at, ord)
     ORDER BY x.ord
"""


def last_orders_before(wanted: Sequence[tuple[int, dt.datetime]]) -> list[dt.datetime | None]:
    """When each customer last placed an order that did not come to nothing before a moment, in one
    query."""
    if not wanted:
        return []
    customers, moments = (list(column) for column in zip(*wanted, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_LAST, {"customers": customers, "moments": moments})
        return [row[0] for row in cursor.fetchall()]


_BOUGHT = """
    SELECT count(*), coalesce(sum(total), 0) FROM loyalty_countedorder
     WHERE customer_id = %(customer)s AND placed_at >= %(since)s AND placed_at < %(until)s
       AND status NOT IN ('cancelled', 'refunded') AND currency = %(currency)s
       AND (program_id IS NULL OR program_id = %(program)s)
"""


def bought_between(
    member: Membership, since: dt.datetime, until: dt.datetime
) -> tuple[int, Decimal]:
    """How many orders a member placed in [since, until) that did not come to nothing, and what they
    came to, as the program counts them."""
    with connection.cursor() as cursor:
        cursor.execute(
            _BOUGHT,
            {
                "customer": member.customer_id, "since": since, "until": until,
                "currency": member.program.currency, "program": member.program_id,
            },
        )  # fmt: skip
        orders, spent = cursor.fetchone()
    return orders, spent


_SPENT = """
    SELECT o.spent - r.returned
      FROM unnest(%(customers)s::bigint[], %(since)s::timestamptz[], %(moments)s::timestamptz[],
                  %(programs)s::bigint[])
           WITH ORDINALITY AS x(customer, since, at, program, ord)
     CROSS JOIN LATERAL (
           SELECT coalesce(sum(total), 0) AS spent FROM loyalty_countedorder
            WHERE customer_id = x.customer AND placed_at >= x.since AND placed_at < x.at
              AND status NOT IN ('cancelled', 'refunded') AND currency = %(currency)s
              AND (program_id IS NULL OR program_id = x.program)) o
     CROSS JOIN LATERAL (
           SELECT coalesce(sum(f.total), 0) AS returned
             FROM loyalty_countedrefund f LEFT JOIN loyalty_order fo ON fo.id = f.order_id
            WHERE f.customer_id = x.customer AND f.refunded_at >= x.since AND f.refunded_at < x.at
              AND f.currency = %(currency)s AND (f.program_id IS NULL OR f.program_id = x.program)
              AND coalesce(fo.status, '') NOT IN ('cancelled', 'refunded')) r
     ORDER BY x.ord
"""


def spent_between(
    wanted: Sequence[tuple[int, dt.datetime, dt.datetime, int]], *, currency: str
) -> list[Decimal]:
    """What each customer bought less what they gave back in [since, until), as a program of this
    currency counts it, in one query."""
    if not wanted:
        return []
    columns = zip(*wanted, strict=True)
    customers, since, moments, programs = (list(column) for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            _SPENT,
            {
                "customers": customers, "since": since, "moments": moments, "programs": programs,
                "currency": currency,
            },
        )  # fmt: skip
        return [row[0] for row in cursor.fetchall()]
