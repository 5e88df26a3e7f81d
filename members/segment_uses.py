"""What names a segment: other segments here, and in higher applications whatever they register."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SegmentUse:
    """Something that asks who is in a segment. `kind` says in a word what it is."""

    code: str
    kind: str
    label: str
    url: str = ""


# All uses of segments that there are, by a constant number of queries.
Uses = Callable[[], Iterable[SegmentUse]]

_sources: dict[str, Uses] = {}


def register_segment_uses(name: str, uses: Uses) -> None:
    """Make a source known; the same name again replaces it."""
    _sources[name] = uses


def segment_uses() -> dict[str, list[SegmentUse]]:
    """Who asks for which segment, by its code."""
    found: dict[str, list[SegmentUse]] = {}
    for uses in _sources.values():
        for use in uses():
            found.setdefault(use.code, []).append(use)
    return found
