"""How real orders were priced: what a program's own discounts took off them, and what their buyers
had spent before; of a range of customers in a constant number of queries."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from django.db import connection

from loyalty.models import Program
from loyalty.rules.calendar import period_start, start_of_day
from loyalty.rules.discounts import OF_COMPANIES, DiscountVersion
from loyalty.rules.facts import ZERO
from loyalty.rules.replayed_prices import Charged
from loyalty.selectors.behavior import spent_between
from loyalty.selectors.company_facts import companies_before

_TAKEN = """
    SELECT d.order_id, sum(d.amount)
      FROM loyalty_orderdiscount d
      JOIN loyalty_earningruleversion v ON v.id = d.rule_version_id
      JOIN loyalty_earningrule r ON r.id = v.rule_id
     WHERE r.program_id = %(program)s AND d.order_id = ANY(%(orders)s)
     GROUP BY d.order_id
"""
BEGINNING = dt.datetime.min.replace(tzinfo=dt.UTC)
# An order: its key, who bought it and when.
Bought = tuple[int, int, dt.datetime]


def charged_prices(
    program: Program, orders: Iterable[Bought], asking: Iterable[DiscountVersion]
) -> Charged:
    """`asking`: by which rules they are priced."""
    orders, asking = list(orders), list(asking)
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKEN, {"program": program.pk, "orders": [number for number, *_rest in orders]}
        )
        taken: dict[int, Decimal] = dict(cursor.fetchall())
    spent: defaultdict[int, dict[int, Decimal]] = defaultdict(dict)
    for by in {version.body.brackets_by for version in asking if version.body.brackets}:
        own = [version.id for version in asking if version.body.brackets_by == by]
        for number, amount in _spent(program, orders, by).items():
            spent[number] |= dict.fromkeys(own, max(amount, ZERO))
    return Charged(taken, spent)


def _spent(program: Program, orders: list[Bought], by: str) -> dict[int, Decimal]:
    """What was spent before each order, as brackets ask for it; nothing, where they go by the
    order itself."""
    if by in OF_COMPANIES:
        return _of_companies(program, orders, by)
    if by not in ("spent_year", "spent_lifetime"):
        return {}
    wanted = [
        (customer, _beginning(program, at) if by == "spent_year" else BEGINNING, at, program.pk)
        for _number, customer, at in orders
    ]
    found = spent_between(wanted, currency=program.currency)
    return {order[0]: amount for order, amount in zip(orders, found, strict=True)}


def _of_companies(program: Program, orders: list[Bought], by: str) -> dict[int, Decimal]:
    members = dict(program.memberships.filter(customer__in={one[1] for one in orders})
                   .values_list("customer_id", "pk"))  # fmt: skip
    placed = [order for order in orders if order[1] in members]
    found = companies_before([(members[who], at) for _pk, who, at in placed], program.zone)
    return {
        order[0]: facts.spend_year if by == "company_year" else facts.spend
        for order, facts in zip(placed, found, strict=True)
        if facts is not None
    }


def _beginning(program: Program, at: dt.datetime) -> dt.datetime:
    return start_of_day(period_start("year", at, program.zone), program.zone)
