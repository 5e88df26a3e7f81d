"""What higher applications say where a joining by mail ends: what somebody has joined for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from loyalty.models import Membership

# By the detail of what was asked for by mail, which is that of the membership only where it began
# with it. Empty: nothing to say to this member.
WordSource = Callable[[Membership, str, dt.datetime], str]

_sources: dict[str, WordSource] = {}


def register_joined_words(key: str, source: WordSource) -> None:
    """Add a sentence; the same key again replaces it."""
    _sources[key] = source


def joined_words(membership: Membership, detail: str, now: dt.datetime) -> list[str]:
    """In the order of registration."""
    found = (source(membership, detail, now) for source in _sources.values())
    return [words for words in found if words]
