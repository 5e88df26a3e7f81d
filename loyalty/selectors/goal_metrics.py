"""The figures that goals are about, as of the end of a day: from what happened, never from figures
that somebody keeps. Each is a constant number of queries; a tier's on a day that is over is worked
out member by member.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import connection

from loyalty.insight_sums import share, value_of_customer
from loyalty.models import Goal, Order, Program
from loyalty.rules.calendar import end_of_day, start_of_day
from loyalty.selectors.liability import get_liability
from loyalty.selectors.member_tiers import standings_of_all, tiered_program
from loyalty.selectors.tier_sets import tier_set_at
from members.read_once import read_once

Metric = Goal.Metric
YEAR, HALF, QUARTER, MONTH = 365, 180, 90, 30
MONTHS_OF_VALUE = 3
ZERO = Decimal(0)

MEMBERS = """
    SELECT m.id, m.customer_id, m.account_id FROM loyalty_membership m
     WHERE m.program_id = %(program)s AND m.merged_into_id IS NULL AND m.status <> 'left'
       AND m.enrolled_at < %(until)s
"""
# Orders of members, placed in the time that is looked at.
_BOUGHT = """
    SELECT o.id, o.customer_id, o.total, o.as_told, o.rate
      FROM loyalty_countedorder o JOIN m ON m.customer_id = o.customer_id
     WHERE o.placed_at >= %(since)s AND o.placed_at < %(until)s
       AND o.currency = %(currency)s AND NOT o.status = ANY(%(void)s)
       AND (o.program_id IS NULL OR o.program_id = %(program)s)
"""
# And of an order that something of it was kept: what came back as a whole was bought by nobody.
_KEPT = """
    AND o.as_told > coalesce((SELECT sum(f.total) FROM loyalty_refund f
                               WHERE f.order_id = o.id AND f.refunded_at < %(until)s), 0)
"""
KEPT_BOUGHT = f"{_BOUGHT} {_KEPT}"
_REFUNDED = """
    SELECT coalesce(sum(f.total), 0) FROM loyalty_countedrefund f
      {people}
      LEFT JOIN loyalty_order o ON o.id = f.order_id
     WHERE f.refunded_at >= %(since)s AND f.refunded_at < %(until)s AND f.currency = %(currency)s
       AND (f.program_id IS NULL {or_converted}) AND NOT coalesce(o.status, '') = ANY(%(void)s)
"""
_COUNT = f"WITH m AS ({MEMBERS}) SELECT count(*) FROM m"
# Of all buyers: what guests buy in another currency is never converted, so none of it counts here.
_ENROLLED = f"""
    WITH m AS ({MEMBERS}),
    b AS (SELECT DISTINCT o.customer_id FROM loyalty_countedorder o
           WHERE o.program_id IS NULL AND o.customer_id IS NOT NULL
             AND o.placed_at >= %(since)s AND o.placed_at < %(until)s
             AND o.currency = %(currency)s AND NOT o.status = ANY(%(void)s) {_KEPT})
    SELECT count(m.id), count(*) FROM b LEFT JOIN m ON m.customer_id = b.customer_id
"""
_ACTIVE = f"""
    WITH m AS ({MEMBERS}),
    a AS (SELECT customer_id FROM ({KEPT_BOUGHT}) bought
          UNION
          SELECT m.customer_id FROM loyalty_transfer t
            JOIN loyalty_wallet w ON w.id = t.wallet_id JOIN m ON m.account_id = w.account_id
           WHERE t.kind IN ('redemption', 'donation')
             AND t.occurred_at >= %(since)s AND t.occurred_at < %(until)s
          UNION
          SELECT v.customer_id FROM loyalty_activity v
           WHERE v.state = 'approved'
             AND v.occurred_at >= %(since)s AND v.occurred_at < %(until)s)
    SELECT count(a.customer_id), count(*) FROM m LEFT JOIN a ON a.customer_id = m.customer_id
"""
_BUYERS = f"""
    WITH m AS ({MEMBERS}),
    b AS (SELECT o.customer_id, count(*) AS orders FROM ({KEPT_BOUGHT}) o GROUP BY 1)
"""
_BOUGHT_SO = f"""
    {_BUYERS}
    SELECT count(*), count(*) FILTER (WHERE orders > 1), coalesce(sum(orders), 0) FROM b
"""
_REVENUE = f"""
    WITH m AS ({MEMBERS})
    SELECT (SELECT coalesce(sum(total), 0) FROM ({_BOUGHT}) b)
           - ({
    _REFUNDED.format(
        people="JOIN m ON m.customer_id = f.customer_id",
        or_converted="OR f.program_id = %(program)s",
    )
})
"""
# In the program's own currency alone, as above.
_ALL_REVENUE = f"""
    SELECT (SELECT coalesce(sum(o.total), 0) FROM loyalty_countedorder o
             WHERE o.program_id IS NULL AND o.placed_at >= %(since)s AND o.placed_at < %(until)s
               AND o.currency = %(currency)s AND NOT o.status = ANY(%(void)s))
           - ({_REFUNDED.format(people="", or_converted="")})
"""
_BUYING = f"WITH m AS ({MEMBERS}) SELECT count(DISTINCT customer_id) FROM ({KEPT_BOUGHT}) b"
_SEVERAL = f"""
    WITH m AS ({MEMBERS}),
    b AS (SELECT o.customer_id, count(DISTINCT l.category) AS categories
            FROM ({KEPT_BOUGHT}) o JOIN loyalty_orderline l ON l.order_id = o.id
           WHERE l.category <> '' GROUP BY 1)
    SELECT count(*) FILTER (WHERE categories > 1), count(*) FROM b
"""
# Who bought from `from` until `to`, and of them who bought in the time that is looked at.
_AGAIN = f"""
    WITH m AS ({MEMBERS}),
    b AS (SELECT DISTINCT o.customer_id
            FROM loyalty_countedorder o JOIN m ON m.customer_id = o.customer_id
           WHERE (o.program_id IS NULL OR o.program_id = %(program)s)
             AND o.placed_at >= %(from)s AND o.placed_at < %(to)s
             AND o.currency = %(currency)s AND NOT o.status = ANY(%(void)s) {_KEPT}),
    a AS (SELECT DISTINCT customer_id FROM ({KEPT_BOUGHT}) bought)
    SELECT count(a.customer_id), count(*) FROM b LEFT JOIN a ON a.customer_id = b.customer_id
"""
_SECOND = f"""
    WITH m AS ({MEMBERS}),
    f AS (SELECT o.customer_id, min(o.placed_at) AS at
            FROM loyalty_countedorder o JOIN m ON m.customer_id = o.customer_id
           WHERE (o.program_id IS NULL OR o.program_id = %(program)s)
             AND o.placed_at < %(until)s AND o.currency = %(currency)s
             AND NOT o.status = ANY(%(void)s) {_KEPT}
           GROUP BY 1 HAVING min(o.placed_at) >= %(since)s AND min(o.placed_at) < %(to)s)
    SELECT count(*) FILTER (WHERE EXISTS (
               SELECT FROM loyalty_countedorder o
                WHERE (o.program_id IS NULL OR o.program_id = %(program)s)
                  AND o.customer_id = f.customer_id AND o.placed_at > f.at
                  AND o.placed_at <= f.at + %(quarter)s * interval '1 day'
                  AND o.currency = %(currency)s AND NOT o.status = ANY(%(void)s) {_KEPT})), count(*)
      FROM f
"""
_AVERAGE = f"""
    WITH m AS ({MEMBERS}),
    b AS (SELECT (o.as_told
                  - coalesce((SELECT sum(f.total) FROM loyalty_refund f
                               WHERE f.order_id = o.id AND f.refunded_at < %(until)s), 0))
                 * o.rate AS kept
            FROM ({_BOUGHT}) o)
    SELECT coalesce(sum(kept), 0), count(*) FROM b WHERE kept > 0
"""
# By kind of unit: earned and spent, each less what was taken back, and what a unit is worth.
_MOVED = """
    SELECT y.unit_value, y.scale,
           coalesce(sum(CASE t.kind WHEN 'accrual' THEN t.amount WHEN 'clawback' THEN -t.amount
                        END), 0),
           coalesce(sum(CASE WHEN t.kind IN ('redemption', 'donation') THEN t.amount
                             WHEN t.kind = 'reversal' AND r.kind IN ('redemption', 'donation')
                             THEN -t.amount END), 0)
      FROM loyalty_wallettype y
      LEFT JOIN loyalty_transfer t ON t.wallet_type_id = y.id
            AND t.occurred_at >= %(since)s AND t.occurred_at < %(until)s
            AND t.kind IN ('accrual', 'clawback', 'redemption', 'donation', 'reversal')
      LEFT JOIN loyalty_transfer r ON r.id = coalesce(t.reverses_id, t.corrects_id)
     WHERE y.program_id = %(program)s AND NOT y.stored_value
     GROUP BY y.id ORDER BY y.id
"""
_DISCOUNTED = """
    SELECT coalesce(sum(d.amount), 0) FROM loyalty_orderdiscount d
      JOIN loyalty_earningruleversion v ON v.id = d.rule_version_id
      JOIN loyalty_earningrule r ON r.id = v.rule_id
      JOIN loyalty_order o ON o.id = d.order_id
     WHERE r.program_id = %(program)s AND NOT o.status = ANY(%(void)s)
       AND o.placed_at >= %(since)s AND o.placed_at < %(until)s
"""
_TIERED = """
    SELECT t.position, count(*)
      FROM loyalty_membertier x JOIN loyalty_membership m ON m.id = x.membership_id
      JOIN loyalty_tier t ON t.id = x.tier_id
     WHERE m.program_id = %(program)s AND m.merged_into_id IS NULL AND m.status <> 'left'
     GROUP BY 1
"""


def measure(
    program: Program, metric: str, day: dt.date, now: dt.datetime, tier_code: str = ""
) -> Decimal | None:
    """The figure at the end of a day (of today: as things are now). Percentages are out of 100.
    None: there was nothing to measure."""
    if metric == Metric.TIER:
        value = tier_shares(program, day, now).get(tier_code)
    else:
        value = _MEASURES[metric](program, day)
    return None if value is None else round(value, 4)


def _members(program: Program, day: dt.date) -> Decimal | None:
    return Decimal(one_row(_COUNT, program, day, 1)[0])


def _enrollment(program: Program, day: dt.date) -> Decimal | None:
    return share(*one_row(_ENROLLED, program, day, YEAR))


def _activity(program: Program, day: dt.date) -> Decimal | None:
    return share(*one_row(_ACTIVE, program, day, QUARTER))


def _repeats(program: Program, day: dt.date) -> Decimal | None:
    buyers, repeated, _orders = _buyers(program, day)
    return share(repeated, buyers)


def _redemption(program: Program, day: dt.date) -> Decimal | None:
    rows = _all(_MOVED, program, day, YEAR)
    by_worth = any(row[0] for row in rows)
    earned = spent = ZERO
    for value, scale, units_earned, units_spent in rows:
        weight = (value if by_worth else Decimal(1)).scaleb(-scale)
        earned += units_earned * weight
        spent += units_spent * weight
    return share(spent, earned)


def _purchases(program: Program, day: dt.date) -> Decimal | None:
    members, _repeated, orders = _buyers(program, day)
    return Decimal(orders) / members if members else None


def _buyers(program: Program, day: dt.date) -> Sequence[Any]:
    """Of a year: members who bought, who bought again, and how often all of them did. One look at
    their orders for all figures that are made of these."""
    return read_once(("buyers", program.pk, day), lambda: one_row(_BOUGHT_SO, program, day, YEAR))


def _categories(program: Program, day: dt.date) -> Decimal | None:
    return share(*one_row(_SEVERAL, program, day, YEAR))


def _retention(program: Program, day: dt.date) -> Decimal | None:
    return share(*_bought_again(program, day, before=QUARTER, now=QUARTER))


def _churn(program: Program, day: dt.date) -> Decimal | None:
    still, were = _bought_again(program, day, before=HALF, now=HALF)
    return share(were - still, were)


def _bought_again(program: Program, day: dt.date, *, before: int, now: int) -> tuple[int, int]:
    """Of those who bought within `before` days up to a quarter ago: who bought in the last `now`
    days, and how many they are."""
    then = day - dt.timedelta(days=QUARTER)
    again, were = one_row(
        _AGAIN, program, day, now, to=end_of_day(then, program.zone),
        **{"from": start_of_day(then - dt.timedelta(days=before - 1), program.zone)},
    )  # fmt: skip
    return again, were


def _second_orders(program: Program, day: dt.date) -> Decimal | None:
    then = day - dt.timedelta(days=QUARTER)
    found = one_row(
        _SECOND, program, day, YEAR + QUARTER, to=end_of_day(then, program.zone), quarter=QUARTER
    )
    return share(*found)


def _value(program: Program, day: dt.date) -> Decimal | None:
    revenue, buyers = (
        one_row(_REVENUE, program, day, MONTH)[0],
        one_row(_BUYING, program, day, MONTH)[0],
    )
    return value_of_customer(revenue, buyers, MONTHS_OF_VALUE)


def _revenue(program: Program, day: dt.date) -> Decimal | None:
    return Decimal(one_row(_REVENUE, program, day, MONTH)[0])


def _average(program: Program, day: dt.date) -> Decimal | None:
    total, orders = one_row(_AVERAGE, program, day, QUARTER)
    return total / orders if orders else None


def _liability(program: Program, day: dt.date) -> Decimal | None:
    kinds = program.wallet_types.filter(stored_value=False).select_related("program")
    owed = sum((get_liability(kind, day).worth for kind in kinds), ZERO)
    return share(owed, one_row(_ALL_REVENUE, program, day, MONTH)[0])


def _cost(program: Program, day: dt.date) -> Decimal | None:
    given = one_row(_DISCOUNTED, program, day, MONTH)[0]
    for value, scale, earned, _spent in _all(_MOVED, program, day, MONTH):
        given += (earned * value).scaleb(-scale)
    return share(given, one_row(_REVENUE, program, day, MONTH)[0])


def tier_shares(program: Program, day: dt.date, now: dt.datetime) -> dict[str, Decimal | None]:
    """Of each tier, from the lowest on, the share of members who have it or a higher one. Nothing
    where the program had no tiers then."""
    at = min(end_of_day(day, program.zone) - dt.timedelta(microseconds=1), now)
    found = tier_set_at(program, at)
    codes = [tier.code for tier in found.tiers.all()] if found else []
    places = _places_now(program, codes, day) if at == now else _places_at(program, codes, day, at)
    return {code: share(sum(places[place:]), sum(places)) for place, code in enumerate(codes)}


def _places_now(program: Program, codes: Sequence[str], day: dt.date) -> list[int]:
    """How many members are at each tier, by what is written down of them."""
    counted = dict(_all(_TIERED, program, day, 1)) if codes else {}
    return [counted.get(place, 0) for place in range(len(codes))]


def _places_at(program: Program, codes: Sequence[str], day: dt.date, at: dt.datetime) -> list[int]:
    """The same of a day that is over, worked out member by member."""
    counted = [0] * len(codes)
    terms = tiered_program(program.pk) if codes else None
    if terms is None:
        return counted
    members = {row[0] for row in _all(f"SELECT id FROM ({MEMBERS}) m", program, day, 1)}
    for pk, stands in standings_of_all(terms, at):
        if pk in members and stands.tier in codes:
            counted[codes.index(stands.tier)] += 1
    return counted


_MEASURES: Mapping[str, Callable[[Program, dt.date], Decimal | None]] = {
    Metric.MEMBERS: _members,
    Metric.ENROLLED: _enrollment,
    Metric.ACTIVE: _activity,
    Metric.REDEEMED: _redemption,
    Metric.REPEATED: _repeats,
    Metric.REVENUE: _revenue,
    Metric.AVERAGE: _average,
    Metric.LIABILITY: _liability,
    Metric.COST: _cost,
    Metric.PURCHASES: _purchases,
    Metric.VALUE: _value,
    Metric.SEVERAL: _categories,
    Metric.RETAINED: _retention,
    Metric.SECOND: _second_orders,
    Metric.LOST: _churn,
}


def one_row(query: str, program: Program, day: dt.date, days: int, **more: Any) -> tuple[Any, ...]:
    """Of the days up to one, as `_all` says."""
    return _all(query, program, day, days, **more)[0]


def _all(
    query: str, program: Program, day: dt.date, days: int, **more: Any
) -> list[tuple[Any, ...]]:
    """`days`: how many are looked at, the day itself the last of them."""
    asked: dict[str, Any] = {
        "program": program.pk,
        "currency": program.currency,
        "void": list(Order.VOID),
        "since": start_of_day(day - dt.timedelta(days=days - 1), program.zone),
        "until": end_of_day(day, program.zone),
        **more,
    }
    with connection.cursor() as cursor:
        cursor.execute(query, asked)
        return list(cursor.fetchall())
