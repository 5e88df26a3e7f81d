"""What discount rules cost: money off the orders that shops told, less what came back of those."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from loyalty.ledger.discounts import KEPT
from loyalty.models import Program

_COSTS = f"""
    SELECT v.rule_id, count(*), count(DISTINCT o.customer_id), sum(d.amount),
           round(sum(d.amount * x.kept), 4), coalesce(sum(o.total * x.kept), 0)
      FROM loyalty_orderdiscount d
      JOIN loyalty_earningruleversion v ON v.id = d.rule_version_id
      JOIN loyalty_earningrule r ON r.id = v.rule_id
      JOIN loyalty_order o ON o.id = d.order_id
     CROSS JOIN LATERAL ({KEPT}) x
     WHERE r.program_id = %(program)s
       AND (%(since)s::timestamptz IS NULL OR o.placed_at >= %(since)s)
       AND (%(until)s::timestamptz IS NULL OR o.placed_at < %(until)s)
     GROUP BY v.rule_id
"""
# By what the rules belong to: an order that two of them took something off is one.
_BY_SOURCE = f"""
    SELECT r.source, count(DISTINCT o.id), round(sum(d.amount * x.kept), 4)
      FROM loyalty_orderdiscount d
      JOIN loyalty_earningruleversion v ON v.id = d.rule_version_id
      JOIN loyalty_earningrule r ON r.id = v.rule_id
      JOIN loyalty_order o ON o.id = d.order_id
     CROSS JOIN LATERAL ({KEPT}) x
     WHERE r.program_id = %(program)s AND r.source <> '' AND x.kept > 0
       AND o.placed_at >= %(since)s AND o.placed_at < %(until)s
     GROUP BY r.source
"""


@dataclass(frozen=True, slots=True)
class SourceCost:
    """Of all rules of a campaign, a tier set or a plan: how many orders kept something of what was
    taken off, and how much that is."""

    orders: int
    kept: Decimal


@dataclass(frozen=True, slots=True)
class DiscountCost:
    """Of one rule: how many orders and customers had it, what was taken off, what of that is kept,
    and what those orders came to, returns left out. Money in the program's currency."""

    orders: int = 0
    customers: int = 0
    given: Decimal = Decimal(0)
    kept: Decimal = Decimal(0)
    revenue: Decimal = Decimal(0)

    @property
    def share(self) -> Decimal | None:
        """Of what those orders would have come to without it; between 0 and 1."""
        whole = self.revenue + self.kept
        return self.kept / whole if whole > 0 else None


def discount_costs(
    program: Program, since: dt.datetime | None = None, until: dt.datetime | None = None
) -> dict[int, DiscountCost]:
    """By rule, of orders placed in [since, until); in one query."""
    with connection.cursor() as cursor:
        cursor.execute(_COSTS, {"program": program.pk, "since": since, "until": until})
        return {row[0]: DiscountCost(*row[1:]) for row in cursor.fetchall()}


def discounts_by_source(
    program: Program, since: dt.datetime, until: dt.datetime
) -> dict[str, SourceCost]:
    """By the source of the rules, those of the program itself left out; of orders placed in
    [since, until), in one query."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_SOURCE, {"program": program.pk, "since": since, "until": until})
        return {row[0]: SourceCost(*row[1:]) for row in cursor.fetchall()}
