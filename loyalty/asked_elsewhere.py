"""What conditions ask of a buyer that higher applications know: what was offered to them alone,
which challenges they have done. Who knows it registers here, by the scope of its fields."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class BuyerAsked:
    """A buyer (0: nobody is known), in one program, at a moment."""

    program_id: int
    customer_id: int
    at: dt.datetime


# The facts of each that was asked, None where nothing is known; a constant number of queries.
Keeper = Callable[[Sequence[BuyerAsked]], Sequence[Any]]
_keepers: dict[str, Keeper] = {}


def register_keeper(scope: str, keeper: Keeper) -> None:
    """Called once for each scope, in AppConfig.ready."""
    _keepers[scope] = keeper


def asked_scopes(scopes: Iterable[str]) -> list[str]:
    """Those of these scopes that somebody registered, in one order."""
    return sorted(_keepers.keys() & set(scopes))


def facts_of(scope: str, asked: Sequence[BuyerAsked]) -> Sequence[Any]:
    """What a field of the scope reads."""
    return _keepers[scope](asked) if asked else []
