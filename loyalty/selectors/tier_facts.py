"""What counts towards members' tiers: their orders, refunds, units and activities, as facts."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q

from loyalty.models import ManualTier, Membership, Order
from loyalty.selectors.rulebooks import ProgramTerms
from loyalty.selectors.tier_sets import TierTerms
from loyalty.tiers.facts import Fact, Manual
from loyalty.unearned import earned_sql
from members.prepared import KeptQuery, run_prepared
from members.read_once import read_once

ONE = Decimal(1)
Whose = dict[str, list[Any]]
_Told = tuple[int, Fact]

# Whose facts, and from when on.
_WHOSE = "unnest(%(members)s::bigint[], %(since)s::timestamptz[]) AS k (member, since)"
# Each by itself and in this order, by its index, whatever the planner expects of the tables.
_ALONE = "OFFSET 0"
EVER = dt.datetime.min.replace(tzinfo=dt.UTC)

# Orders that the program has judged and that did not come to nothing, less the gift cards among
# them; and what was given back of them, or without any order, likewise. What waits for its order
# takes nothing back yet.
_COUNTS = "o.status NOT IN ('cancelled', 'refunded')"
# By which rate the order was converted, of orders in another currency; looked up for these alone.
_RATE = f"""
      LEFT JOIN LATERAL (
           SELECT rate, digits FROM loyalty_orderconversion
            WHERE %s.currency <> %%(currency)s AND order_id = %s
              AND program_id = m.program_id {_ALONE}) c ON true
"""
_COUNTED = "CASE WHEN c.rate IS NULL THEN %s ELSE round((%s) * c.rate, c.digits) END"
_GOODS = """o.total - coalesce((SELECT sum(n.total) FROM loyalty_orderline n
                                WHERE n.order_id = o.id AND n.stored_value), 0)"""
_BACK = """f.total - coalesce((SELECT sum(r.total) FROM loyalty_refundline r
                                WHERE r.refund_id = f.id AND EXISTS (
                                      SELECT 1 FROM loyalty_orderline n
                                       WHERE n.order_id = f.order_id AND n.stored_value
                                         AND (n.line_no = r.order_line_no
                                              OR r.order_line_no IS NULL AND r.sku <> ''
                                                 AND n.sku = r.sku)))
                              , 0)"""
_ORDERS = f"""
    SELECT m.id, o.id, o.placed_at, least(o.confirmed_at, o.completed_at),
           {_COUNTED % (_GOODS, _GOODS)}, {_COUNTED % ("o.total", "o.total")}
      FROM {_WHOSE}
      JOIN loyalty_membership m ON m.id = k.member
     CROSS JOIN LATERAL (
           SELECT * FROM loyalty_order
            WHERE customer_id = m.customer_id AND placed_at >= k.since {_ALONE}) o
     CROSS JOIN LATERAL (
           SELECT 1 FROM loyalty_orderevaluation
            WHERE order_id = o.id AND program_id = m.program_id {_ALONE}) e
    {_RATE % ("o", "o.id")}
     WHERE {_COUNTS} AND (o.currency = %(currency)s OR c.rate IS NOT NULL)
"""
# The last column: it is of an order that is older than what is asked for, and counts.
_REFUNDS = f"""
    SELECT m.id, f.id, f.order_id, f.refunded_at,
           {_COUNTED % (_BACK, _BACK)}, {_COUNTED % ("f.total", "f.total")},
           EXISTS (SELECT 1 FROM loyalty_order o
                     JOIN loyalty_orderevaluation e ON e.order_id = o.id
                      AND e.program_id = m.program_id
                    WHERE o.id = f.order_id AND o.placed_at < k.since
                      AND o.customer_id = m.customer_id AND {_COUNTS})
      FROM {_WHOSE}
      JOIN loyalty_membership m ON m.id = k.member
     CROSS JOIN LATERAL (
           SELECT * FROM loyalty_refund
            WHERE customer_id = m.customer_id AND refunded_at >= k.since {_ALONE}) f
    {_RATE % ("f", "f.order_id")}
     WHERE (f.currency = %(currency)s OR c.rate IS NOT NULL)
       AND (f.order_id IS NOT NULL OR f.order_external_id = '')
       AND coalesce(f.only_program_id, m.program_id) = m.program_id
     ORDER BY f.refunded_at, f.id
"""
# What was earned of a kind of unit and what was taken back of that; also by those who were merged
# into the member.
_UNITS = f"""
    SELECT k.member, t.id, t.occurred_at, t.amount, t.kind, t.corrects_id,
           t.order_id IS NOT NULL, least(o.confirmed_at, o.completed_at)
      FROM {_WHOSE}
     CROSS JOIN LATERAL (
           SELECT account_id FROM loyalty_membership WHERE id = k.member
            UNION ALL
           SELECT account_id FROM loyalty_membership WHERE merged_into_id = k.member) m
      JOIN loyalty_wallet w ON w.account_id = m.account_id
      JOIN loyalty_wallettype y ON y.id = w.wallet_type_id AND y.code = %(unit)s
      JOIN loyalty_transfer t ON t.wallet_id = w.id AND t.kind IN ('accrual', 'clawback')
       AND {earned_sql("t")} AND t.occurred_at >= k.since
      LEFT JOIN loyalty_order o ON o.id = t.order_id
"""
_ACTIVITIES = f"""
    SELECT m.id, a.id, a.occurred_at, y.code
      FROM {_WHOSE}
      JOIN loyalty_membership m ON m.id = k.member
      JOIN loyalty_activity a ON a.customer_id = m.customer_id AND a.state = 'approved'
       AND a.occurred_at >= k.since
      JOIN loyalty_activitytype y ON y.id = a.type_id
"""
_MANUAL: KeptQuery[ManualTier] = KeptQuery(
    lambda members, again: (
        ManualTier.objects.select_related("membership")
        .filter(
            Q(membership__among=members)
            | Q(membership__in=Membership.objects.filter(merged_into__among=again))
        )
        .order_by("pk")
    )
)


def tier_facts(
    program: ProgramTerms,
    memberships: Sequence[int],
    since: Mapping[int, dt.datetime] | None = None,
) -> dict[int, list[Fact]]:
    """By membership. One query for each thing that counts in any of the program's tier sets, two
    for orders. `since`: by membership, from when on, if not from ever; what takes back from
    something older names a fact that is not among them."""
    assert program.tiers is not None
    found: defaultdict[int, list[Fact]] = defaultdict(list)
    metrics: set[str] = {ladder.metric for ladder in program.tiers.ladders}
    whose: Whose = {
        "members": list(memberships),
        "since": [(since or {}).get(membership, EVER) for membership in memberships],
    }
    if metrics & {"spend", "orders"}:
        for membership, fact in _of_orders(program, whose, metrics):
            found[membership].append(fact)
    for unit in {ladder.unit for ladder in program.tiers.ladders} - {""}:
        for membership, fact in _of_units(program.tiers, unit, whose):
            found[membership].append(fact)
    if "score" in metrics:
        for membership, fact in _of_activities(program.tiers, whose):
            found[membership].append(fact)
    return found


def _of_orders(program: ProgramTerms, whose: Whose, metrics: set[str]) -> Iterator[_Told]:
    values = {**whose, "currency": program.currency}
    orders = _Orders(metrics)
    for row in _rows(_ORDERS, values):
        yield from orders.placed(*row)
    for membership, pk, order, refunded_at, counted, total, older in _rows(_REFUNDS, values):
        if older:
            yield membership, _of_older(program, f"refund:{pk}", order, refunded_at)
        elif order is None or orders.owners.get(order) == membership:
            # Else its order came to nothing, or never counted here.
            yield from orders.back(membership, pk, order, refunded_at, counted, total)


class _Orders:
    """Orders as they are told, and what is left of each."""

    def __init__(self, metrics: set[str]) -> None:
        self.metrics = metrics
        self.owners: dict[int, int] = {}
        self._left: dict[int, Decimal] = {}
        self._counts: dict[int, Decimal] = {}

    def placed(
        self, membership: int, order: int, placed_at: dt.datetime,
        confirmed_at: dt.datetime | None, counted: Decimal, total: Decimal,
    ) -> Iterator[_Told]:  # fmt: skip
        self._left[order], self.owners[order], self._counts[order] = total, membership, counted
        said: dict[str, Any] = {"of_order": True, "confirmed_at": confirmed_at}
        if "spend" in self.metrics:
            yield membership, Fact(f"order:{order}", "spend", placed_at, counted, **said)
        if "orders" in self.metrics:
            yield membership, Fact(f"order:{order}", "orders", placed_at, ONE, **said)

    def back(
        self, membership: int, pk: int, order: int | None, refunded_at: dt.datetime,
        counted: Decimal, total: Decimal,
    ) -> Iterator[_Told]:  # fmt: skip
        of = f"order:{order}" if order else ""
        # Told without lines, it may be for gift cards, which never counted.
        part = counted if order is None else min(counted, self._counts[order])
        if order is not None:
            self._counts[order] -= part
        if "spend" in self.metrics and part:
            yield membership, Fact(f"refund:{pk}", "spend", refunded_at, -part, of)
        if "orders" in self.metrics and order is not None:
            before, self._left[order] = self._left[order], self._left[order] - total
            if before > 0 >= self._left[order]:
                yield membership, Fact(f"refund:{pk}", "orders", refunded_at, -ONE, of)


def _of_older(program: ProgramTerms, key: str, order: int, at: dt.datetime) -> Fact:
    """It takes back from an order that is not among the facts; how much is not worked out."""
    assert program.tiers is not None
    return Fact(key, program.tiers.ladders[-1].measure, at, Decimal(0), f"order:{order}")


def _of_units(terms: TierTerms, unit: str, whose: Whose) -> Iterator[_Told]:
    scale = terms.units.get(unit, 0)
    for row in _rows(_UNITS, {**whose, "unit": unit}):
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


def _of_activities(terms: TierTerms, whose: Whose) -> Iterator[_Told]:
    """What an activity counts is each tier set's own."""
    scores = [ladder for ladder in terms.ladders if ladder.metric == "score"]
    for membership, pk, at, code in _rows(_ACTIVITIES, dict(whose)):
        for ladder in scores:
            if code in ladder.score:
                yield membership, Fact(f"activity:{pk}", ladder.measure, at, ladder.score[code])


def manual_tiers(memberships: Sequence[int]) -> dict[int, list[Manual]]:
    """By membership what was given by hand, also under a name that was merged into it. One that
    was ended before it began never was."""
    return read_once(("manual tiers", tuple(memberships)), lambda: _manual_tiers(memberships))


def _manual_tiers(memberships: Sequence[int]) -> dict[int, list[Manual]]:
    found: defaultdict[int, list[Manual]] = defaultdict(list)
    for item in _MANUAL.rows(list(memberships), list(memberships)):
        owner = item.membership.merged_into_id or item.membership_id
        until = item.lasts_until
        if until is None or until > item.since:
            found[owner].append(Manual(str(item.pk), item.tier_code, item.since, until))
    return found


def _rows(query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    return run_prepared(query, values)


def buyers_between(program_id: int, since: dt.datetime, until: dt.datetime) -> set[int]:
    """Memberships with an order that the program has judged, placed in [since, until)."""
    orders = Order.objects.filter(placed_at__gte=since, placed_at__lt=until)
    bought = orders.exclude(status__in=Order.VOID).filter(
        evaluations__program=program_id, customer=OuterRef("customer")
    )
    members = Membership.objects.filter(Exists(bought), program=program_id)
    return set(members.values_list("pk", flat=True))
