"""What is told in every order in which it can come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from tests.sharing import rolled_back

Fact = TypeVar("Fact")
End = TypeVar("End")


def in_every_order(
    facts: Sequence[Fact], tell: Callable[[Fact], object], end: Callable[[], End]
) -> list[End]:
    """What there is after each order in which these can be told. Those that begin alike share
    their beginning: each of its continuations is rolled back to it."""
    if not facts:
        return [end()]
    found = []
    for place, fact in enumerate(facts):
        with rolled_back():
            tell(fact)
            found += in_every_order([*facts[:place], *facts[place + 1 :]], tell, end)
    return found
