"""What is said on a customer's page of birthdays and anniversaries: one sentence of each thing that
is given for them. Higher applications, which give other things, add theirs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from members.models import Customer


@dataclass(frozen=True, slots=True)
class OccasionVerdict:
    """Of one rule, or of one reward. `given`: the last day brought something; `coming`: when the
    next one does."""

    program: str
    rule: str
    occasion: str
    given: bool
    said: str
    coming: str


@dataclass(frozen=True, slots=True)
class _Source:
    verdicts: Callable[[Customer, dt.datetime], Sequence[OccasionVerdict]]
    is_there: Callable[[], bool]


_sources: dict[str, _Source] = {}


def register_occasion_verdicts(
    key: str,
    verdicts: Callable[[Customer, dt.datetime], Sequence[OccasionVerdict]],
    is_there: Callable[[], bool],
) -> None:
    """`is_there`: whether any program gives something of the kind. Both ask the database as often
    for many as for one; the same key again replaces."""
    _sources[key] = _Source(verdicts, is_there)


def all_verdicts(customer: Customer, now: dt.datetime) -> list[OccasionVerdict]:
    """In the order of registration."""
    return [found for source in _sources.values() for found in source.verdicts(customer, now)]


def anything_given() -> bool:
    return any(source.is_there() for source in _sources.values())
