"""What higher applications have measured against members whom they kept aside by lot: how much more
was spent by those who were not. Only that says what something brings; what members and others spend
says who joins."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from loyalty.models import Program


@dataclass(frozen=True, slots=True)
class Holdout:
    """`key`: by which it is found again; `url`: of its page. `difference`: of what one member spent
    in the days it lasted, with the ends between which it lies; in the program's currency."""

    key: str
    name: str
    url: str
    since: dt.date
    until: dt.date
    led: int
    aside: int
    difference: Decimal
    low: Decimal
    high: Decimal


# What a program's holdouts have measured as of a moment; only those with enough people to say it.
Measure = Callable[[Program, dt.datetime], Sequence[Holdout]]
# The name and the page of one, by its key without the word; None: there is none.
Find = Callable[[Program, str], tuple[str, str] | None]

_sources: dict[str, tuple[Measure, Find]] = {}


def register_holdouts(word: str, measure: Measure, find: Find) -> None:
    """`word`: what the keys begin with, before a hyphen. The same again replaces."""
    _sources[word] = (measure, find)


def holdouts_of(program: Program, now: dt.datetime) -> Iterator[Holdout]:
    for measure, _find in _sources.values():
        yield from measure(program, now)


def find_holdout(program: Program, key: str) -> tuple[str, str] | None:
    """Its name and the address of its page; None: it is not known, or of another program."""
    word, _, own = key.partition("-")
    source = _sources.get(word)
    return source[1](program, own) if source else None
