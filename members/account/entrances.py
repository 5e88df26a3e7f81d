"""Where strangers may join; higher applications say so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entrance:
    """A program that takes in whoever comes."""

    name: str
    url: str


_finders: dict[str, Callable[[], Sequence[Entrance]]] = {}


def register_entrances(name: str, find: Callable[[], Sequence[Entrance]]) -> None:
    """Make it known; the same name again replaces it."""
    _finders[name] = find


def all_entrances() -> list[Entrance]:
    return [item for find in _finders.values() for item in find()]
