"""What rules have given orders so far, and how much of it was taken again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loyalty.models import Transfer
from loyalty.selectors.order_takings import taken_of
from members.prepared import run_prepared

# (order, rule version)
Address = tuple[int, int]
_END = 2**63
_POSTED = """
    SELECT id, order_id, rule_version_id, kind, amount, corrects_id,
           EXISTS (SELECT 1 FROM loyalty_ordertaking WHERE accrual_id = t.id)
      FROM loyalty_transfer t
     WHERE order_id = ANY(%s::bigint[]) AND rule_version_id IS NOT NULL
     ORDER BY id
"""


@dataclass(slots=True)
class Posted:
    """What one rule version has given an order so far: net units, and each accrual's correctable
    rest. `taken`: what was taken of it by hand, each time with what there was before."""

    units: int = 0
    movements: int = 0
    accruals: list[tuple[int, int]] = field(default_factory=list)
    taken: list[tuple[int, int]] = field(default_factory=list)

    @property
    def taken_by_hand(self) -> int:
        return sum(units for _was, units in self.taken)

    def due(self, units: int) -> int:
        """What is left of so many that the order deserves. What was taken by hand was the last of
        what it had then: a return takes it only once it reaches what is below."""
        for was, taken in self.taken:
            units = min(units, max(was - taken, units - taken))
        return units


def posted_units(order_ids: Sequence[int]) -> dict[tuple[int, int], Posted]:
    """By (order, rule version)."""
    posted: defaultdict[tuple[int, int], Posted] = defaultdict(Posted)
    corrected: defaultdict[int, int] = defaultdict(int)
    accruals: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    rows = run_prepared(_POSTED, [list(order_ids)])
    takings = _takings(rows)
    for pk, order_id, version_id, kind, amount, corrects_id, _taken in rows:
        address = (order_id, version_id)
        takings = _take(takings, pk, posted, corrected)
        posted[address].movements += 1
        if kind == Transfer.Kind.ACCRUAL:
            posted[address].units += amount
            accruals[address].append((pk, amount))
        elif corrects_id is not None:
            posted[address].units -= amount
            corrected[corrects_id] += amount
    _take(takings, _END, posted, corrected)
    for address, found in accruals.items():
        posted[address].accruals = [(pk, amount - corrected[pk]) for pk, amount in found]
    return posted


# (the movement that took, of what, of which accrual, units)
_Taken = tuple[int, Address, int, int]


def _takings(rows: Sequence[tuple[Any, ...]]) -> list[_Taken]:
    """What was taken by hand of these movements, in the order in which it was."""
    addresses = {row[0]: (row[1], row[2]) for row in rows if row[6]}
    if not addresses:
        return []
    return sorted(
        (row.made_by, addresses[accrual], accrual, row.units)
        for accrual, found in taken_of(addresses).items()
        for row in found
    )


def _take(
    takings: list[_Taken], before: int, posted: Mapping[tuple[int, int], Posted],
    corrected: dict[int, int],
) -> list[_Taken]:  # fmt: skip
    """Take what was taken before this movement; returns what comes later."""
    while takings and takings[0][0] < before:
        _made_by, address, accrual_id, units = takings[0]
        takings = takings[1:]
        so_far = posted[address]
        so_far.taken.append((so_far.units, units))
        so_far.units -= units
        corrected[accrual_id] += units
    return takings
