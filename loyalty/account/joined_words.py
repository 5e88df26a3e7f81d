"""What higher applications say to somebody who has just joined: what they joined for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from loyalty.models import Membership

# Empty: nothing to say to this member.
WordSource = Callable[[Membership, dt.datetime], str]

_sources: dict[str, WordSource] = {}


def register_joined_words(key: str, source: WordSource) -> None:
    """Add a sentence; the same key again replaces it."""
    _sources[key] = source


def joined_words(membership: Membership, now: dt.datetime) -> list[str]:
    """In the order of registration."""
    found = (source(membership, now) for source in _sources.values())
    return [words for words in found if words]
