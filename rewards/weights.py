"""The one way in which something is drawn by weights: they are laid side by side, and a number
below their sum falls into one of them. Where the number comes from is the caller's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar


class Weighted(Protocol):
    @property
    def weight(self) -> int: ...


Item = TypeVar("Item", bound=Weighted)


def fallen_on(items: Iterable[Item], number: int) -> Item:
    """Whose part of the weights the number falls into."""
    for item in items:
        if number < item.weight:
            return item
        number -= item.weight
    raise AssertionError("The number is below the sum of the weights.")
