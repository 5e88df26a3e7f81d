"""Conditions that nothing can ever meet: "total at least 100, and less than 50".

A condition is opened into the ways in which it can be met. A way is impossible if what it asks of
one field cannot all be true of a single value; the values tried are those the questions name and
their neighbors. What cannot be decided like that counts as possible.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Any

from members.conditions import values
from members.conditions.moments import Moment
from members.conditions.operators import is_unknown
from members.conditions.tree import AllOf, AnyOf, Lines, Node, Not, Question

MOST_WAYS = 500
STEP = Decimal("0.0001")
NOON = dt.timedelta(hours=12)
# A text that no condition names.
ANOTHER_TEXT = "\N{WHITE SQUARE}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and whether it has to be answered with yes."""

    question: Question
    wanted: bool


@dataclass(frozen=True, slots=True)
class Range:
    """Which values a field has at all, with some of them: the day of an order is one on which the
    rule counts."""

    allows: Callable[[Any], bool]
    samples: tuple[Any, ...] = ()


Way = tuple[Asked, ...]
Ranges = Mapping[str, Range]


def never_holds(node: Node, moment: Moment, ranges: Ranges | None = None) -> Way | None:
    """The questions about one field that are never all answered as a condition needs them; None if
    it can hold, or if that cannot be said."""
    ways = _ways(node, True, moment)
    if ways is None:
        return None
    first: Way | None = None
    for way in ways:
        found = _contradiction(way, moment, ranges or {})
        if found is None:
            return None
        first = first or found
    return first


def _ways(node: Node, wanted: bool, moment: Moment) -> list[Way] | None:
    """Every way to meet a condition; None: too many to look at."""
    match node:
        case Not(part):
            return _ways(part, not wanted, moment)
        case AllOf(parts) if wanted:
            return _together(parts, True, moment)
        case AnyOf(parts) if not wanted:
            return _together(parts, False, moment)
        case AllOf(parts) | AnyOf(parts):
            return _either(parts, wanted, moment)
        case Question():
            return [(Asked(node, wanted),)]
        case Lines(measure="any", where=where) if wanted:
            # One line has to meet all of it: as with a field of its own.
            return _ways(where, True, moment) if never_holds(where, moment) else [()]
    return [()]


def _together(parts: Sequence[Node], wanted: bool, moment: Moment) -> list[Way] | None:
    found: list[Way] = [()]
    for part in parts:
        ways = _ways(part, wanted, moment)
        if ways is None or len(ways) * len(found) > MOST_WAYS:
            return None
        found = [(*way, *more) for way, more in product(found, ways)]
    return found


def _either(parts: Sequence[Node], wanted: bool, moment: Moment) -> list[Way] | None:
    found: list[Way] = []
    for part in parts:
        ways = _ways(part, wanted, moment)
        if ways is None or len(ways) + len(found) > MOST_WAYS:
            return None
        found += ways
    return found


def _contradiction(way: Way, moment: Moment, ranges: Ranges) -> Way | None:
    by_field: dict[str, list[Asked]] = {}
    for each in way:
        by_field.setdefault(each.question.field.name, []).append(each)
    for name, of_field in by_field.items():
        if not _possible(of_field, moment, ranges.get(name)):
            return tuple(of_field)
    return None


def _possible(of_field: Sequence[Asked], moment: Moment, within: Range | None) -> bool:
    """Whether one value answers all these questions."""
    candidates = _candidates(of_field, moment)
    if candidates is None:
        return True
    if within is not None:
        candidates = filter(within.allows, (*candidates, *within.samples))
    else:
        candidates = (None, *candidates)
    return any(
        all(_answer(each.question, value, moment) == each.wanted for each in of_field)
        for value in candidates
    )


def _answer(question: Question, value: Any, moment: Moment) -> bool:
    if is_unknown(value):
        return question.operator.unknown
    return question.operator.test(value, question.operand, moment)


def _candidates(of_field: Sequence[Asked], moment: Moment) -> Iterable[Any] | None:
    """Values of which one answers the questions, if any does; None where that is not certain."""
    kind = of_field[0].question.field.kind
    named = [value for each in of_field for value in _operands(each.question)]
    match kind.code:
        case "weekday":
            return range(7)
        case "clock":
            return (dt.time(minute // 60, minute % 60) for minute in range(24 * 60))
        case "yes_no":
            return (True, False)
        case "number" | "money" | "share":
            return [number + near for number in (*named, Decimal(0)) for near in (-STEP, 0, STEP)]
        case "day" | "instant":
            return _days(of_field, named, moment)
        case "text":
            asked = {each.question.operator.code for each in of_field}
            return None if asked & {"starts_with", "contains"} else [*named, ANOTHER_TEXT]
    return None


def _days(of_field: Sequence[Asked], named: list[Any], moment: Moment) -> Iterable[Any] | None:
    """Days named by the calendar, or counted from the day on which it is asked; of both together
    nothing is certain, as one moves and the other does not."""
    relative = [
        each.question.operand for each in of_field if each.question.operator.takes == "days"
    ]
    if named and relative:
        return None
    counted = [moment.day(way * days) for days in relative for way in (-1, 1)]
    days = [
        day + dt.timedelta(days=near)
        for day in (*named, *counted, moment.today)
        for near in (-1, 0, 1)
    ]
    if of_field[0].question.field.kind is values.INSTANT:
        return [moment.start_of(day) + NOON for day in days]
    return days


def _operands(question: Question) -> Iterator[Any]:
    match question.operator.takes:
        case "one":
            yield question.operand
        case "many" | "range":
            yield from question.operand
