"""The figures that goals are about, as of the end of a day: from what happened, never from figures
that somebody keeps. Each is a constant number of queries; a tier's on a day that is over is worked
out member by member.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.db import connection

from loyalty.models import Goal, Order, Program
from loyalty.rules.calendar import end_of_day, start_of_day
from loyalty.selectors.liability import get_liability
from loyalty.selectors.member_tiers import standings_of_all, tiered_program
from loyalty.selectors.tier_sets import tier_set_at

Metric = Goal.Metric
YEAR, QUARTER, MONTH = 365, 90, 30
ZERO = Decimal(0)

_MEMBERS = """
    SELECT m.id, m.customer_id, m.account_id FROM loyalty_membership m
     WHERE m.program_id = %(program)s AND m.merged_into_id IS NULL AND m.status <> 'left'
       AND m.enrolled_at < %(until)s
"""
# Orders that came to something, of members, placed in the time that is looked at.
_BOUGHT = """
    SELECT o.id, o.customer_id, o.total FROM loyalty_order o JOIN m ON m.customer_id = o.customer_id
     WHERE o.placed_at >= %(since)s AND o.placed_at < %(until)s
       AND o.currency = %(currency)s AND NOT o.status = ANY(%(void)s)
"""
_REFUNDED = """
    SELECT coalesce(sum(f.total), 0) FROM loyalty_refund f
      {people}
      LEFT JOIN loyalty_order o ON o.id = f.order_id
     WHERE f.refunded_at >= %(since)s AND f.refunded_at < %(until)s AND f.currency = %(currency)s
       AND NOT coalesce(o.status, '') = ANY(%(void)s)
"""
_COUNT = f"WITH m AS ({_MEMBERS}) SELECT count(*) FROM m"
_ENROLLED = f"""
    WITH m AS ({_MEMBERS}),
    b AS (SELECT DISTINCT o.customer_id FROM loyalty_order o
           WHERE o.customer_id IS NOT NULL
             AND o.placed_at >= %(since)s AND o.placed_at < %(until)s
             AND o.currency = %(currency)s AND NOT o.status = ANY(%(void)s))
    SELECT count(m.id), count(*) FROM b LEFT JOIN m ON m.customer_id = b.customer_id
"""
_ACTIVE = f"""
    WITH m AS ({_MEMBERS}),
    a AS (SELECT customer_id FROM ({_BOUGHT}) bought
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
_REPEATED = f"""
    WITH m AS ({_MEMBERS}),
    b AS (SELECT o.customer_id, count(*) AS orders FROM ({_BOUGHT}) o
           WHERE o.total > coalesce((SELECT sum(f.total) FROM loyalty_refund f
                                      WHERE f.order_id = o.id AND f.refunded_at < %(until)s), 0)
           GROUP BY 1)
    SELECT count(*) FILTER (WHERE orders > 1), count(*) FROM b
"""
_REVENUE = f"""
    WITH m AS ({_MEMBERS})
    SELECT (SELECT coalesce(sum(total), 0) FROM ({_BOUGHT}) b)
           - ({_REFUNDED.format(people="JOIN m ON m.customer_id = f.customer_id")})
"""
_ALL_REVENUE = f"""
    SELECT (SELECT coalesce(sum(o.total), 0) FROM loyalty_order o
             WHERE o.placed_at >= %(since)s AND o.placed_at < %(until)s
               AND o.currency = %(currency)s AND NOT o.status = ANY(%(void)s))
           - ({_REFUNDED.format(people="")})
"""
_AVERAGE = f"""
    WITH m AS ({_MEMBERS}),
    b AS (SELECT o.total - coalesce((SELECT sum(f.total) FROM loyalty_refund f
                                      WHERE f.order_id = o.id AND f.refunded_at < %(until)s), 0)
                 AS kept
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
    SELECT count(*) FILTER (WHERE t.position >= %(position)s), count(*)
      FROM loyalty_membertier x JOIN loyalty_membership m ON m.id = x.membership_id
      JOIN loyalty_tier t ON t.id = x.tier_id
     WHERE m.program_id = %(program)s AND m.merged_into_id IS NULL AND m.status <> 'left'
"""


def measure(
    program: Program, metric: str, day: dt.date, now: dt.datetime, tier_code: str = ""
) -> Decimal | None:
    """The figure at the end of a day (of today: as things are now). Percentages are out of 100.
    None: there was nothing to measure."""
    if metric == Metric.TIER:
        value = _tier_share(program, day, now, tier_code)
    else:
        value = _MEASURES[metric](program, day)
    return None if value is None else round(value, 4)


def _members(program: Program, day: dt.date) -> Decimal | None:
    return Decimal(_one(_COUNT, program, day, 1)[0])


def _enrollment(program: Program, day: dt.date) -> Decimal | None:
    return _share(*_one(_ENROLLED, program, day, YEAR))


def _activity(program: Program, day: dt.date) -> Decimal | None:
    return _share(*_one(_ACTIVE, program, day, QUARTER))


def _repeats(program: Program, day: dt.date) -> Decimal | None:
    return _share(*_one(_REPEATED, program, day, YEAR))


def _redemption(program: Program, day: dt.date) -> Decimal | None:
    rows = _all(_MOVED, program, day, YEAR)
    by_worth = any(row[0] for row in rows)
    earned = spent = ZERO
    for value, scale, units_earned, units_spent in rows:
        weight = (value if by_worth else Decimal(1)).scaleb(-scale)
        earned += units_earned * weight
        spent += units_spent * weight
    return _share(spent, earned)


def _revenue(program: Program, day: dt.date) -> Decimal | None:
    return Decimal(_one(_REVENUE, program, day, MONTH)[0])


def _average(program: Program, day: dt.date) -> Decimal | None:
    total, orders = _one(_AVERAGE, program, day, QUARTER)
    return total / orders if orders else None


def _liability(program: Program, day: dt.date) -> Decimal | None:
    kinds = program.wallet_types.filter(stored_value=False).select_related("program")
    owed = sum((get_liability(kind, day).worth for kind in kinds), ZERO)
    return _share(owed, _one(_ALL_REVENUE, program, day, MONTH)[0])


def _cost(program: Program, day: dt.date) -> Decimal | None:
    given = _one(_DISCOUNTED, program, day, MONTH)[0]
    for value, scale, earned, _spent in _all(_MOVED, program, day, MONTH):
        given += (earned * value).scaleb(-scale)
    return _share(given, _one(_REVENUE, program, day, MONTH)[0])


def _tier_share(program: Program, day: dt.date, now: dt.datetime, tier_code: str) -> Decimal | None:
    at = min(end_of_day(day, program.zone) - dt.timedelta(microseconds=1), now)
    found = tier_set_at(program, at)
    codes = [tier.code for tier in found.tiers.all()] if found else []
    if tier_code not in codes:
        return None
    position = codes.index(tier_code)
    if at == now:
        return _share(*_one(_TIERED, program, day, 1, position=position))
    terms = tiered_program(program.pk)
    if terms is None:
        return None
    members = {row[0] for row in _all(f"SELECT id FROM ({_MEMBERS}) m", program, day, 1)}
    places = [
        codes.index(stands.tier)
        for pk, stands in standings_of_all(terms, at)
        if pk in members and stands.tier in codes
    ]
    return _share(sum(place >= position for place in places), len(places))


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
}


def _share(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """Out of 100."""
    return Decimal(part) * 100 / whole if whole > 0 else None


def _one(query: str, program: Program, day: dt.date, days: int, **more: Any) -> tuple[Any, ...]:
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
