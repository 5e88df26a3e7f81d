"""What was offered to a buyer alone, and holds when they order. Who makes offers registers here; a
rule asks for the name of one, so it takes no rule of their own for each member."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OfferAsked:
    """A buyer (0: nobody is known), in one program, at a moment."""

    program_id: int
    customer_id: int
    at: dt.datetime


# The names of what holds, for each that was asked; a constant number of queries.
OfferKeeper = Callable[[Sequence[OfferAsked]], list[frozenset[str]]]
_keepers: list[OfferKeeper] = []


def register_offer_keeper(keeper: OfferKeeper) -> None:
    """Called once, in AppConfig.ready."""
    _keepers[:] = [keeper]


def offers_of(asked: Sequence[OfferAsked]) -> list[frozenset[str]]:
    """Nothing where nobody makes any."""
    if not _keepers or not asked:
        return [frozenset()] * len(asked)
    return _keepers[0](asked)
