"""How a program's members spread over what a ladder counts: what its screen draws thresholds on.

One query that works out every member's amount of the last twelve months, or ever; only a thousand
parts of the members come out of it, however many there are.
"""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

from django.db import connection

from loyalty.models import Program
from loyalty.tier_definitions import TiersDefinition
from loyalty.tiers.spread import Part, Spread
from loyalty.unearned import earned_sql

PARTS = 1000
YEAR = dt.timedelta(days=365)

# By membership, what counts: as in `loyalty.selectors.tier_facts`, summed up in the database. What
# comes back counts on its own date here.
_AMOUNTS = {
    "spend": """
        SELECT e.membership_id AS member,
               sum((o.total - coalesce(g.total, 0)) * coalesce(c.rate, 1)) AS amount
          FROM loyalty_orderevaluation e JOIN loyalty_order o ON o.id = e.order_id
          LEFT JOIN loyalty_orderconversion c
                 ON c.order_id = e.order_id AND c.program_id = e.program_id
          LEFT JOIN LATERAL (SELECT sum(n.total) AS total FROM loyalty_orderline n
                              WHERE n.order_id = o.id AND n.stored_value) g ON true
         WHERE e.program_id = %(program)s AND o.status NOT IN ('cancelled', 'refunded')
           AND o.placed_at >= %(since)s AND o.placed_at < %(now)s
         GROUP BY 1
        UNION ALL
        SELECT m.id, -sum(f.total)
          FROM loyalty_countedrefund f
          JOIN loyalty_membership m ON m.customer_id = f.customer_id AND m.program_id = %(program)s
          LEFT JOIN loyalty_order o ON o.id = f.order_id
         WHERE f.refunded_at >= %(since)s AND f.refunded_at < %(now)s
           AND f.currency = %(currency)s AND (f.program_id IS NULL OR f.program_id = %(program)s)
           AND coalesce(o.status, '') NOT IN ('cancelled', 'refunded')
           AND CASE WHEN f.order_id IS NULL
                    THEN f.order_external_id = ''
                         AND coalesce(f.only_program_id, m.program_id) = m.program_id
                    ELSE EXISTS (SELECT 1 FROM loyalty_orderevaluation e
                                  WHERE e.order_id = o.id AND e.program_id = m.program_id) END
         GROUP BY 1""",
    "orders": """
        SELECT e.membership_id AS member, count(*) AS amount
          FROM loyalty_orderevaluation e JOIN loyalty_order o ON o.id = e.order_id
          LEFT JOIN LATERAL (SELECT sum(f.total) AS total FROM loyalty_refund f
                              WHERE f.order_id = o.id) r ON true
         WHERE (o.total <= 0 OR o.total > coalesce(r.total, 0))
           AND e.program_id = %(program)s AND o.status NOT IN ('cancelled', 'refunded')
           AND o.placed_at >= %(since)s AND o.placed_at < %(now)s
         GROUP BY 1""",
    "units": f"""
        SELECT coalesce(m.merged_into_id, m.id) AS member,
               sum(CASE WHEN t.kind = 'accrual' THEN t.amount ELSE -t.amount END)
                   / power(10::numeric, y.scale) AS amount
          FROM loyalty_transfer t
          JOIN loyalty_wallettype y ON y.id = t.wallet_type_id
          JOIN loyalty_wallet w ON w.id = t.wallet_id
          JOIN loyalty_membership m ON m.account_id = w.account_id
         WHERE y.program_id = %(program)s AND y.code = %(unit)s
           AND t.kind IN ('accrual', 'clawback') AND {earned_sql("t")}
           AND t.occurred_at >= %(since)s AND t.occurred_at < %(now)s
         GROUP BY 1, y.scale""",
    "score": """
        SELECT m.id AS member, sum((%(score)s::jsonb ->> y.code)::numeric) AS amount
          FROM loyalty_activity a
          JOIN loyalty_activitytype y ON y.id = a.type_id
          JOIN loyalty_membership m ON m.customer_id = a.customer_id
         WHERE m.program_id = %(program)s AND a.state = 'approved'
           AND %(score)s::jsonb ? y.code
           AND a.occurred_at >= %(since)s AND a.occurred_at < %(now)s
         GROUP BY 1""",
}
# Every member, also those with nothing, and what each earned of the program's main units by rules
# that multipliers act on.
_SPREAD = """
    WITH counted AS ({amounts}),
    amounts AS (
        SELECT m.id, greatest(coalesce(sum(c.amount), 0), 0) AS amount
          FROM loyalty_membership m LEFT JOIN counted c ON c.member = m.id
         WHERE m.program_id = %(program)s AND m.merged_into_id IS NULL AND m.status = 'active'
         GROUP BY m.id),
    earned AS (
        SELECT w.account_id, sum(t.amount) AS units
          FROM loyalty_transfer t
          JOIN loyalty_wallet w ON w.id = t.wallet_id
          JOIN loyalty_earningruleversion v ON v.id = t.rule_version_id
         WHERE t.wallet_type_id = %(main)s AND t.kind = 'accrual'
           AND coalesce(v.body ->> 'kind', 'rate') IN ('rate', 'cashback')
           AND t.occurred_at >= %(year)s AND t.occurred_at < %(now)s
         GROUP BY 1),
    placed AS (
        SELECT a.amount, coalesce(e.units, 0) AS units,
               ntile(%(parts)s) OVER (ORDER BY a.amount) AS part
          FROM amounts a JOIN loyalty_membership m ON m.id = a.id
          LEFT JOIN earned e ON e.account_id = m.account_id)
    SELECT min(amount), max(amount), count(*), sum(units)
      FROM placed GROUP BY part ORDER BY part
"""


def tier_spread(program: Program, tiers: TiersDefinition, now: dt.datetime) -> Spread:
    """Over what such tiers count: in the last twelve months, or ever where they count ever. Units
    are those of the program's first wallet type, of the last twelve months."""
    main = program.wallet_types.order_by("pk")[0]
    since = dt.datetime.min.replace(tzinfo=dt.UTC) if tiers.window == "lifetime" else now - YEAR
    values: dict[str, Any] = {
        "program": program.pk,
        "currency": program.currency,
        "unit": tiers.wallet_type,
        "score": json.dumps({item.activity: str(item.points) for item in tiers.score}),
        "main": main.pk,
        "since": since,
        "year": now - YEAR,
        "now": now,
        "parts": PARTS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SPREAD.format(amounts=_AMOUNTS[tiers.metric]), values)
        rows = cursor.fetchall()
    return Spread(
        tuple(
            Part(lowest, highest, members, Decimal(units).scaleb(-main.scale))
            for lowest, highest, members, units in rows
        )
    )
