"""From when on an order's units can be spent: worked out anew whenever the order went on, was held
back, released or confirmed. No units move."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from loyalty.ledger.posting import Retiming
from loyalty.models import Lot, LotChange, Order
from loyalty.rules.lots import LotTerms, LotTimes, OrderTimes, lot_times, matures_at, within
from loyalty.selectors.rulebooks import ProgramTerms, Terms, lot_terms
from members.prepared import KeptQuery, run_prepared

# What gave a lot an end that the order does not take back.
GIVEN = {
    LotChange.Reason.EXTENDED, LotChange.Reason.REINSTATED, LotChange.Reason.RESTORED,
    LotChange.Reason.WARNED,
}  # fmt: skip

_CHANGES = """
    WITH RECURSIVE line AS (
        SELECT l.id AS lot_id, l.id AS of_id, 'infinity'::timestamptz AS until, 0 AS back
          FROM loyalty_lot l WHERE l.id = ANY(%(lots)s::bigint[])
         UNION ALL
        SELECT line.lot_id, l.parent_id, least(line.until, t.recorded_at), line.back + 1
          FROM line JOIN loyalty_lot l ON l.id = line.of_id
          JOIN loyalty_transfer t ON t.id = l.transfer_id
         WHERE l.parent_id IS NOT NULL
    )
    SELECT line.lot_id, c.id
      FROM line JOIN loyalty_lotchange c ON c.lot_id = line.of_id AND c.recorded_at <= line.until
     ORDER BY line.lot_id, line.back DESC, c.id
"""


def _with_terms() -> QuerySet[Lot]:
    return Lot.objects.select_related("origin", "policy__wallet_type")


_FIRST_LOTS: KeptQuery[Lot] = KeptQuery(
    lambda orders: _with_terms().filter(transfer__order__among=orders, parent=None)
)
_LATER_LOTS: KeptQuery[Lot] = KeptQuery(
    lambda orders: _with_terms().filter(origin__order__among=orders, parent__isnull=False)
)


@dataclass(frozen=True, slots=True)
class ByHand:
    """Why somebody changed from when on an order's units can be spent, and who."""

    reason: str
    actor_id: int | None
    note: str


def times_of(order: Order) -> OrderTimes:
    """When a stored order reached its states."""
    return OrderTimes(
        order.placed_at,
        order.paid_at,
        order.fulfilled_at,
        order.completed_at,
        held=order.held_at is not None,
        confirmed_at=order.confirmed_at,
    )


def retimings(
    orders: Sequence[Order], *, terms: Terms, now: dt.datetime, by_hand: ByHand | None
) -> list[Retiming]:
    """Lots of these orders that mature at another time than they say."""
    by_order = {order.pk: order for order in orders}
    programs = {program.id: program for program in terms.programs}
    moved: list[tuple[Lot, ProgramTerms, dt.datetime]] = []
    for lot in _lots(list(by_order)):
        program = programs.get(lot.policy.wallet_type.program_id)
        if program is not None:
            times = times_of(by_order[lot.origin.order_id or 0])
            spendable_at = matures_at(lot_terms(lot.policy), times, program.zone)
            if spendable_at != lot.spendable_at:
                moved.append((lot, program, spendable_at))
    changes = _changes([lot.pk for lot, _program, _at in moved])
    return [
        _retiming(lot, _end(lot, program, at, changes.get(lot.pk, ())), now, by_hand)
        for lot, program, at in moved
    ]


def _lots(order_ids: Sequence[int]) -> list[Lot]:
    """The units of these orders, wherever they are; also what was spent, since it may come back.
    The two kinds of lots have an index each."""
    ids = list(order_ids)
    return [*_FIRST_LOTS.rows(ids), *_LATER_LOTS.rows(ids)]


def _changes(lot_ids: Sequence[int]) -> Mapping[int, Sequence[LotChange]]:
    """What was changed on these lots, and by then on those that they came out of."""
    if not lot_ids:
        return {}
    pairs = run_prepared(_CHANGES, {"lots": list(lot_ids)})
    changes = LotChange.objects.in_bulk({change_id for _lot_id, change_id in pairs})
    found: defaultdict[int, list[LotChange]] = defaultdict(list)
    for lot_id, change_id in pairs:
        found[lot_id].append(changes[change_id])
    return found


def _end(
    lot: Lot, program: ProgramTerms, spendable_at: dt.datetime, changes: Sequence[LotChange]
) -> LotTimes:
    """A lot's times once it matures then. Its expiry moves along if it is counted from maturity;
    more time that it was given it keeps."""
    terms = _terms(lot, program, changes)
    if terms.counted_from != "maturity" or terms.renewable:
        return LotTimes(spendable_at, lot.expires_at, lot.planned_expires_at)
    wanted = lot_times(terms, lot.earned_at, spendable_at, program.zone)
    wanted = within(wanted, _ended(changes, program))
    had = lot.expires_at or lot.planned_expires_at
    if had is None or not _was_given_time(changes):
        return wanted
    ends = max(had, wanted.expires_at or wanted.planned_expires_at or had)
    if lot.expires_at is None:
        return LotTimes(spendable_at, None, ends)
    return LotTimes(spendable_at, ends, wanted.planned_expires_at)


def terms_of_lots(lots: Sequence[Lot], programs: Mapping[int, ProgramTerms]) -> dict[int, LotTerms]:
    """By lot: the terms that it lives under, which are those that were applied to it last, else
    those under which it was granted. `programs`: by wallet type."""
    changes = _changes([lot.pk for lot in lots])
    return {
        lot.pk: _terms(lot, programs[lot.policy.wallet_type_id], changes.get(lot.pk, ()))
        for lot in lots
    }


def _terms(lot: Lot, program: ProgramTerms, changes: Sequence[LotChange]) -> LotTerms:
    applied = [change for change in changes if change.reason == LotChange.Reason.POLICY]
    if not applied:
        return lot_terms(lot.policy)
    return program.units[lot.policy.wallet_type_id].terms_at(applied[-1].occurred_at)


def _ended(changes: Sequence[LotChange], program: ProgramTerms) -> dt.datetime | None:
    """The end of a program that ends, where its units have been told."""
    told = any(change.reason == LotChange.Reason.ENDING for change in changes)
    return program.times.end.spend_until if told and program.times.end else None


def _was_given_time(changes: Sequence[LotChange]) -> bool:
    """Since terms were applied to it last."""
    decided = [
        change.reason in GIVEN
        for change in changes
        if change.reason in GIVEN or change.reason == LotChange.Reason.POLICY
    ]
    return bool(decided) and decided[-1]


def _retiming(lot: Lot, times: LotTimes, now: dt.datetime, by_hand: ByHand | None) -> Retiming:
    return Retiming(
        lot_id=lot.pk,
        spendable_at=times.spendable_at,
        expires_at=times.expires_at,
        planned_expires_at=times.planned_expires_at,
        reason=by_hand.reason if by_hand else LotChange.Reason.ORDER,
        occurred_at=now,
        actor_id=by_hand.actor_id if by_hand else None,
        note=by_hand.note if by_hand else "",
    )
