"""Batches in which one order's units count for the tier that prices the next one of its buyer.

Where tiers count units, or an order is paid with some, what orders bring is known only once they
are judged. So the orders of one
buyer are recorded one after the other, each in a round with one order of everybody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

from loyalty.selectors.rulebooks import Terms
from loyalty.services.order_inputs import OrderInput
from members.errors import DomainError

Result = TypeVar("Result")


def in_rounds(
    record: Callable[[Sequence[OrderInput]], Sequence[Result]],
    orders: Sequence[OrderInput],
    rounds: Sequence[Sequence[int]],
) -> list[Result]:
    """The results of recording these orders round by round, in their order in the batch."""
    found: dict[int, Result] = {}
    for places in rounds:
        try:
            results = record([orders[place] for place in places])
        except DomainError as error:
            if error.index is not None:
                error.index = places[error.index]
            raise
        found |= dict(zip(places, results, strict=True))
    return [found[place] for place in range(len(orders))]


def _tiers_count_units(terms: Terms) -> bool:
    return any(
        ladder.metric == "units"
        for program in terms.programs
        if program.tiers is not None
        for ladder in program.tiers.ladders
    )


def _spends(order: OrderInput) -> bool:
    """Whether it is paid with units, which orders before it may bring."""
    return any(tender.units is not None for tender in order.tenders)


def rounds_of(orders: Sequence[OrderInput], terms: Terms) -> list[list[int]]:
    """Which orders are recorded together, by their places in the batch; usually all of them. The
    people of a later round are among those of the first, whose wallets are locked already."""
    everything = [list(range(len(orders)))]
    if len(orders) < 2 or not (_tiers_count_units(terms) or any(map(_spends, orders))):
        return everything
    seen: defaultdict[int | str, int] = defaultdict(int)
    rounds: defaultdict[int, list[int]] = defaultdict(list)
    for place, order in sorted(enumerate(orders), key=lambda item: item[1].placed_at):
        who = order.customer and (order.customer.key or order.customer.external_id)
        rounds[seen[who] if who else 0].append(place)
        if who:
            seen[who] += 1
    return [sorted(rounds[number]) for number in sorted(rounds)]
