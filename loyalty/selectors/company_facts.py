"""The companies that members bought for at given moments, and what was bought for them before."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence

from django.db import connection

from loyalty.rules.calendar import add_months, period_start, start_of_day
from loyalty.rules.companies import CompanyFacts

# The place that a member had in a company at x.at; everybody's places there; of each what they
# ordered for it before x.at, less what came back. Indexes by customer and time make each a short
# range.
_BEFORE = """
    SELECT x.ord, p.id, m.role, c.external_id, c.tags, c.employees, b.buyers,
           o.orders, o.ever - r.ever, o.year - r.year, o.months - r.months
      FROM unnest(%(members)s::bigint[], %(moments)s::timestamptz[], %(years)s::timestamptz[],
                  %(months)s::timestamptz[])
           WITH ORDINALITY AS x(member, at, year, months, ord)
      JOIN loyalty_poolmember m ON m.membership_id = x.member AND m.joined_at <= x.at
           AND (m.left_at IS NULL OR m.left_at > x.at)
      JOIN loyalty_pool p ON p.id = m.pool_id AND p.kind = 'company'
      JOIN loyalty_company c ON c.pool_id = p.id
      JOIN loyalty_program g ON g.id = p.program_id
     CROSS JOIN LATERAL (
           SELECT count(*) AS buyers FROM loyalty_poolmember q
            WHERE q.pool_id = p.id AND q.joined_at <= x.at
              AND (q.left_at IS NULL OR q.left_at > x.at)) b
     CROSS JOIN LATERAL (
           SELECT count(*) AS orders, coalesce(sum(d.total), 0) AS ever,
                  coalesce(sum(d.total) FILTER (WHERE d.placed_at >= x.year), 0) AS year,
                  coalesce(sum(d.total) FILTER (WHERE d.placed_at >= x.months), 0) AS months
             FROM loyalty_poolmember q
             JOIN loyalty_membership s ON s.id = q.membership_id
             JOIN loyalty_countedorder d ON d.customer_id = s.customer_id
              AND (d.program_id IS NULL OR d.program_id = g.id)
              AND d.placed_at >= q.joined_at AND d.placed_at < least(q.left_at, x.at)
            WHERE q.pool_id = p.id AND d.currency = g.currency
              AND d.status NOT IN ('cancelled', 'refunded')) o
     CROSS JOIN LATERAL (
           SELECT coalesce(sum(f.total), 0) AS ever,
                  coalesce(sum(f.total) FILTER (WHERE f.refunded_at >= x.year), 0) AS year,
                  coalesce(sum(f.total) FILTER (WHERE f.refunded_at >= x.months), 0) AS months
             FROM loyalty_poolmember q
             JOIN loyalty_membership s ON s.id = q.membership_id
             JOIN loyalty_countedrefund f ON f.customer_id = s.customer_id
              AND f.refunded_at < x.at AND (f.program_id IS NULL OR f.program_id = g.id)
             LEFT JOIN loyalty_order d ON d.id = f.order_id
            WHERE q.pool_id = p.id AND f.currency = g.currency
              AND coalesce(d.placed_at, f.refunded_at) >= q.joined_at
              AND coalesce(d.placed_at, f.refunded_at) < coalesce(q.left_at, 'infinity')
              AND coalesce(d.status, '') NOT IN ('cancelled', 'refunded')) r
     ORDER BY x.ord
"""


def companies_before(
    wanted: Sequence[tuple[int, dt.datetime]], zone: zoneinfo.ZoneInfo
) -> list[CompanyFacts | None]:
    """Of each (membership key, moment) the company that they bought for then, in one query; None:
    for none. Years and months begin as days do in the time zone."""
    if not wanted:
        return []
    years = [start_of_day(period_start("year", at, zone), zone) for _member, at in wanted]
    months = [
        start_of_day(add_months(at.astimezone(zone).date(), -12), zone) for _member, at in wanted
    ]
    found: list[CompanyFacts | None] = [None] * len(wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            _BEFORE,
            {
                "members": [member for member, _at in wanted],
                "moments": [at for _member, at in wanted],
                "years": years,
                "months": months,
            },
        )
        rows = cursor.fetchall()
    for place, pool, role, number, tags, employees, buyers, orders, *spent in rows:
        index = place - 1
        found[index] = CompanyFacts(
            pool, role, years[index], months[index], number, frozenset(tags), employees, buyers,
            orders, *spent,
        )  # fmt: skip
    return found
