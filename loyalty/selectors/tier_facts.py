"""What counts towards members' tiers: their orders, refunds, units and activities, as facts."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef

from loyalty.models import ManualTier, Membership, Order
from loyalty.selectors.rulebooks import ProgramTerms
from loyalty.selectors.tier_sets import TierTerms
from loyalty.tiers.facts import Fact, Manual

ONE = Decimal(1)

# Orders that the program has judged and that did not come to nothing, less the gift cards among
# them; and what was given back of them, or without any order, likewise. What waits for its order
# takes nothing back yet.
_ORDERS = """
    SELECT m.id, o.id, o.placed_at, least(o.confirmed_at, o.completed_at),
           o.total - coalesce((SELECT sum(n.total) FROM loyalty_orderline n
                                WHERE n.order_id = o.id AND n.stored_value), 0), o.total
      FROM loyalty_membership m
      JOIN loyalty_order o ON o.customer_id = m.customer_id
      JOIN loyalty_orderevaluation e ON e.order_id = o.id AND e.program_id = m.program_id
     WHERE m.id = ANY(%(members)s) AND o.currency = %(currency)s
       AND o.status NOT IN ('cancelled', 'refunded')
"""
_REFUNDS = """
    SELECT m.id, f.id, f.order_id, f.refunded_at,
           f.total - coalesce((SELECT sum(r.total) FROM loyalty_refundline r
                                WHERE r.refund_id = f.id AND EXISTS (
                                      SELECT 1 FROM loyalty_orderline n
                                       WHERE n.order_id = f.order_id AND n.stored_value
                                         AND (n.line_no = r.order_line_no
                                              OR r.order_line_no IS NULL AND r.sku <> ''
                                                 AND n.sku = r.sku)))
                              , 0), f.total
      FROM loyalty_membership m
      JOIN loyalty_refund f ON f.customer_id = m.customer_id
     WHERE m.id = ANY(%(members)s) AND f.currency = %(currency)s
       AND (f.order_id IS NOT NULL OR f.order_external_id = '')
     ORDER BY f.refunded_at, f.id
"""
# What was earned of a kind of unit and what was taken back of that; also by those who were merged
# into the member.
_UNITS = """
    SELECT coalesce(m.merged_into_id, m.id), t.id, t.occurred_at, t.amount, t.kind, t.corrects_id,
           t.order_id IS NOT NULL, least(o.confirmed_at, o.completed_at)
      FROM loyalty_membership m
      JOIN loyalty_wallet w ON w.account_id = m.account_id
      JOIN loyalty_wallettype y ON y.id = w.wallet_type_id AND y.code = %(unit)s
      JOIN loyalty_transfer t ON t.wallet_id = w.id AND t.kind IN ('accrual', 'clawback')
      LEFT JOIN loyalty_order o ON o.id = t.order_id
     WHERE m.id = ANY(%(members)s) OR m.merged_into_id = ANY(%(members)s)
"""
_ACTIVITIES = """
    SELECT m.id, a.id, a.occurred_at, y.code
      FROM loyalty_membership m
      JOIN loyalty_activity a ON a.customer_id = m.customer_id AND a.state = 'approved'
      JOIN loyalty_activitytype y ON y.id = a.type_id
     WHERE m.id = ANY(%(members)s)
"""


def tier_facts(program: ProgramTerms, memberships: Sequence[int]) -> dict[int, list[Fact]]:
    """By membership. One query for each thing that counts in any of the program's tier sets, two
    for orders."""
    assert program.tiers is not None
    found: defaultdict[int, list[Fact]] = defaultdict(list)
    metrics: set[str] = {ladder.metric for ladder in program.tiers.ladders}
    members = list(memberships)
    if metrics & {"spend", "orders"}:
        for membership, fact in _of_orders(program, members, metrics):
            found[membership].append(fact)
    for unit in {ladder.unit for ladder in program.tiers.ladders} - {""}:
        for membership, fact in _of_units(program.tiers, unit, members):
            found[membership].append(fact)
    if "score" in metrics:
        for membership, fact in _of_activities(program.tiers, members):
            found[membership].append(fact)
    return found


def _of_orders(
    program: ProgramTerms, members: list[int], metrics: set[str]
) -> Iterator[tuple[int, Fact]]:
    values = {"members": members, "currency": program.currency}
    left: dict[int, Decimal] = {}
    owners: dict[int, int] = {}
    counts: dict[int, Decimal] = {}
    for membership, order, placed_at, confirmed_at, counted, total in _rows(_ORDERS, values):
        left[order], owners[order], counts[order] = total, membership, counted
        said: dict[str, Any] = {"of_order": True, "confirmed_at": confirmed_at}
        if "spend" in metrics:
            yield membership, Fact(f"order:{order}", "spend", placed_at, counted, **said)
        if "orders" in metrics:
            yield membership, Fact(f"order:{order}", "orders", placed_at, ONE, **said)
    for membership, pk, order, refunded_at, counted, total in _rows(_REFUNDS, values):
        if order is not None and owners.get(order) != membership:
            continue  # its order came to nothing, or never counted here
        of = f"order:{order}" if order else ""
        # Told without lines, it may be for gift cards, which never counted.
        part = counted if order is None else min(counted, counts[order])
        if order is not None:
            counts[order] -= part
        if "spend" in metrics and part:
            yield membership, Fact(f"refund:{pk}", "spend", refunded_at, -part, of)
        if "orders" in metrics and order is not None:
            before, left[order] = left[order], left[order] - total
            if before > 0 >= left[order]:
                yield membership, Fact(f"refund:{pk}", "orders", refunded_at, -ONE, of)


def _of_units(terms: TierTerms, unit: str, members: list[int]) -> Iterator[tuple[int, Fact]]:
    scale = terms.units.get(unit, 0)
    for row in _rows(_UNITS, {"members": members, "unit": unit}):
        membership, pk, at, amount, kind, corrects, of_order, confirmed_at = row
        units = Decimal(amount).scaleb(-scale)
        if kind == "accrual":
            yield membership, Fact(
                f"transfer:{pk}", f"units:{unit}", at, units, of_order=of_order,
                confirmed_at=confirmed_at,
            )  # fmt: skip
        else:
            of = f"transfer:{corrects}" if corrects else ""
            yield membership, Fact(f"transfer:{pk}", f"units:{unit}", at, -units, of)


def _of_activities(terms: TierTerms, members: list[int]) -> Iterator[tuple[int, Fact]]:
    """What an activity counts is each tier set's own."""
    scores = [ladder for ladder in terms.ladders if ladder.metric == "score"]
    for membership, pk, at, code in _rows(_ACTIVITIES, {"members": members}):
        for ladder in scores:
            if code in ladder.score:
                yield membership, Fact(f"activity:{pk}", ladder.measure, at, ladder.score[code])


def manual_tiers(memberships: Sequence[int]) -> dict[int, list[Manual]]:
    """By membership what was given by hand, also under a name that was merged into it. One that
    was ended before it began never was."""
    found: defaultdict[int, list[Manual]] = defaultdict(list)
    rows = ManualTier.objects.select_related("membership")
    given = rows.filter(membership__in=memberships) | rows.filter(
        membership__merged_into__in=memberships
    )
    for item in given.order_by("pk"):
        owner = item.membership.merged_into_id or item.membership_id
        until = item.lasts_until
        if until is None or until > item.since:
            found[owner].append(Manual(str(item.pk), item.tier_code, item.since, until))
    return found


def _rows(query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def buyers_between(program_id: int, since: dt.datetime, until: dt.datetime) -> set[int]:
    """Memberships with an order that the program has judged, placed in [since, until)."""
    orders = Order.objects.filter(placed_at__gte=since, placed_at__lt=until)
    bought = orders.exclude(status__in=Order.VOID).filter(
        evaluations__program=program_id, customer=OuterRef("customer")
    )
    members = Membership.objects.filter(Exists(bought), program=program_id)
    return set(members.values_list("pk", flat=True))
