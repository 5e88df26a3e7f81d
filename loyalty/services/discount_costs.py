"""Booking what discounts cost. What one costs by now is compared with its lines, and the difference
is another line; so booking it again changes nothing, and what is in closed books stays there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from loyalty.ledger.discounts import OF_ORDERS
from loyalty.models import DiscountEntry, Program, Refund
from members.prepared import run_prepared

# Of the discounts in `due`: (kind, subject, program, order, version, at, cost). Two who book the
# same change meet at `discount_entry_once`; the later one looks again.
_ENTER = """
    INSERT INTO loyalty_discountentry
           (program_id, kind, subject, turn, order_id, rule_version_id, amount, occurred_at,
            booked_on, recorded_at)
    SELECT d.program_id, d.kind, d.subject, b.lines, d.order_id, d.rule_version_id,
           d.cost - b.booked, x.at,
           greatest((x.at AT TIME ZONE p.time_zone)::date, o.open_from), {now}
      FROM ({due}) d
      JOIN loyalty_program p ON p.id = d.program_id
      LEFT JOIN ledger_open_days() o ON o.program_id = d.program_id
     CROSS JOIN LATERAL (SELECT count(*) AS lines, coalesce(sum(amount), 0) AS booked
                           FROM loyalty_discountentry WHERE subject = d.subject) b
     CROSS JOIN LATERAL (SELECT CASE WHEN b.lines = 0 THEN d.at ELSE d.changed_at END AS at) x
     WHERE d.cost <> b.booked
"""
_OF_ORDERS = _ENTER.format(
    now="%(now)s",
    due=f"""SELECT due.*, coalesce(c.at, %(now)s) AS changed_at FROM ({OF_ORDERS}) due
              LEFT JOIN unnest(%(caused)s::bigint[], %(times)s::timestamptz[]) AS c (order_id, at)
                     ON c.order_id = due.order_id""",
)  # fmt: skip
_ANY = """
    SELECT EXISTS (SELECT 1 FROM loyalty_orderdiscount WHERE order_id = ANY(%s::bigint[]))
        OR EXISTS (SELECT 1 FROM loyalty_discountentry
                    WHERE kind = 'rule' AND order_id = ANY(%s::bigint[]))
"""
_OF_ONE = _ENTER.format(
    now="%(now)s",
    due="""SELECT %(program)s::bigint AS program_id, %(kind)s AS kind, %(subject)s AS subject,
                  NULL::bigint AS order_id, NULL::bigint AS rule_version_id, %(at)s AS at,
                  %(at)s AS changed_at, %(cost)s::numeric AS cost""",
)


def book_rule_discounts(
    order_ids: Sequence[int], *, now: dt.datetime,
    causes: Mapping[int, Sequence[Refund]] | None = None,
) -> None:  # fmt: skip
    """What discount rules took off these orders. A new one costs on the day of its order; what a
    refund brings back, on the day of the refund (`causes`), else it changes now."""
    if not order_ids:
        return
    orders = list(order_ids)
    # Far quicker than working out that nothing is due; and mostly nothing is.
    if not run_prepared(_ANY, [orders, orders])[0][0]:
        return
    times = {pk: max(item.refunded_at for item in found)
             for pk, found in (causes or {}).items() if found}  # fmt: skip
    _book(_OF_ORDERS, {"orders": orders, "now": now, "caused": list(times),
                       "times": list(times.values())})  # fmt: skip


def book_discount(
    *, program: Program, kind: DiscountEntry.Kind, subject: str, cost: Decimal, at: dt.datetime,
    now: dt.datetime,
) -> None:  # fmt: skip
    """What something else than a rule costs from `at` on. The caller holds whatever it is."""
    _book(_OF_ONE, {"program": program.pk, "kind": kind.value, "subject": subject, "cost": cost,
                    "at": at, "now": now})  # fmt: skip


def _book(statement: str, values: dict[str, Any]) -> None:
    # Whoever closes books waits for this one; from here on it knows what is open.
    run_prepared("SELECT ledger_hold_books()", ())
    run_prepared(statement, values)
