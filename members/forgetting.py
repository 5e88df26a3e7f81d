"""What else has to be forgotten when a customer's details are erased.

Higher applications register what they know of people; each is called in the transaction that
erases, with the customers: one and the duplicates that were merged into them. It returns the names
of what of theirs is labeled with a person's name in the audit log (`members.audit.target_of`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from members.models import Customer

Forgets = Callable[[Sequence["Customer"]], Sequence[str]]
_forgetting: dict[str, Forgets] = {}


def register_forgetting(name: str, forgets: Forgets) -> None:
    """Make it known; the same name again replaces it."""
    _forgetting[name] = forgets


def forget_elsewhere(customers: Sequence[Customer]) -> list[str]:
    """Everywhere; returns what is labeled with their names."""
    return [target for forgets in _forgetting.values() for target in forgets(customers)]
