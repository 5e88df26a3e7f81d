"""What people did themselves, as higher applications know it: by it an import that is undone leaves
them as they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator

# The customers (by key) who did something since then.
OwnSign = Callable[[Collection[int], dt.datetime], Collection[int]]

_signs: dict[str, tuple[object, OwnSign]] = {}


def register_own_sign(key: str, words: object, sign: OwnSign) -> None:
    """`words`: what they did, in a sentence. It asks the database as often for many as for one; the
    same key again replaces."""
    _signs[key] = (words, sign)


def own_signs(customers: Collection[int], since: dt.datetime) -> Iterator[tuple[str, set[int]]]:
    for words, sign in _signs.values():
        yield str(words), set(sign(customers, since))
