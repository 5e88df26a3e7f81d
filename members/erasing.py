"""What else must be forgotten when somebody's details are erased: each application says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from members.models import Customer

# Called with the customer and the duplicates that were merged into them, in the transaction that
# erases; again it changes nothing.
Eraser = Callable[[Sequence[Customer]], None]

_erasers: dict[str, Eraser] = {}


def register_eraser(name: str, eraser: Eraser) -> None:
    """Add one; the same name again replaces it."""
    _erasers[name] = eraser


def erase_elsewhere(customers: Sequence[Customer]) -> None:
    for _name, eraser in sorted(_erasers.items()):
        eraser(customers)
