"""What else has to be forgotten when a customer's details are erased.

Higher applications register what they know of people; each is called in the transaction that
erases, with the customers: one and the duplicates that were merged into them. It returns the names
of what of theirs is labeled with a person's name in the audit log (`members.audit.target_of`).

What is called and said here goes by the keys of `members.personal_data`, which names the tables: a
test finds what becomes of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.functional import Promise

if TYPE_CHECKING:
    from members.models import Customer

Forgets = Callable[[Sequence["Customer"]], Sequence[str]]
# Called with the customer and the time: what to know before.
Warns = Callable[["Customer", datetime], Sequence[str]]
Text = str | Promise
_forgetting: dict[str, Forgets] = {}
_erased: dict[str, Text] = {}
_warns: dict[str, Warns] = {}


def register_forgetting(name: str, forgets: Forgets) -> None:
    """Make it known; the same name again replaces it."""
    _forgetting[name] = forgets


def forget_elsewhere(customers: Sequence[Customer]) -> list[str]:
    """Everywhere; returns what is labeled with their names."""
    return [target for forgets in _forgetting.values() for target in forgets(customers)]


def register_erased(words: Mapping[str, Text]) -> None:
    """Say what becomes of each part of what is known of a person."""
    _erased.update(words)


def register_warning(name: str, warns: Warns) -> None:
    """Have something said before somebody is erased; the same name again replaces it."""
    _warns[name] = warns


def erased_words(key: str) -> Text:
    """What becomes of a part, in a sentence."""
    return _erased[key]


def forgotten_parts() -> set[str]:
    """The keys of which something is said or done here."""
    return {*_forgetting, *_erased}


def warnings_before(customer: Customer, now: datetime) -> list[str]:
    """What to know before somebody is erased."""
    return [words for warns in _warns.values() for words in warns(customer, now)]
