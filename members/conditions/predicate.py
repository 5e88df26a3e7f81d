"""Conditions answered in Python.

What depends on the order alone is asked of the order each time, also after a return. Everything
else (customer, behavior, membership, segments) is answered once, when the order is first judged,
and kept as a string of 0 and 1: so an order is judged under what was true then, and no personal
data is copied to remember it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter, eq
from typing import Any, TypeGuard

from members.conditions.fields import OF_THE_ORDER
from members.conditions.moments import Moment
from members.conditions.operators import is_unknown
from members.conditions.tree import AllOf, AnyOf, Lines, Node, Not, Question

# Asked of an order (anything with `moment` and `lines`) and of the answers known before.
Check = Callable[[Any, str], bool]


@dataclass(frozen=True)
class Condition:
    """A tree ready to be asked. `outer`: the questions that are answered beforehand, in order."""

    root: Node
    outer: tuple[Question, ...] = field(init=False)
    # Whether it holds for an order, with these answers to the outer questions.
    holds: Check = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        outer: list[Question] = []
        object.__setattr__(self, "holds", _compile(self.root, outer))
        object.__setattr__(self, "outer", tuple(outer))

    @property
    def scopes(self) -> frozenset[str]:
        """Whose facts have to be looked up to answer it."""
        return frozenset(question.field.scope for question in self.outer)

    def answers(self, facts: Mapping[str, Any], moment: Moment) -> str:
        """The outer questions' answers. Facts by scope; of one that is missing nothing is known."""
        return "".join(
            "1" if ask(question, facts.get(question.field.scope), moment) else "0"
            for question in self.outer
        )

    def holds_for(self, facts: Mapping[str, Any], moment: Moment) -> bool:
        """The answer where there is no order."""
        return self.holds(None, self.answers(facts, moment))

    def unmet(self, order: Any, answers: str) -> str:
        """The place of the first part that keeps it from holding, as `tree.at` reads it."""
        numbered = iter(range(len(self.outer)))
        places: dict[str, int] = {}
        _number(self.root, "", numbered, places)
        return _unmet(self.root, "", order, answers, places)


def ask(question: Question, facts: Any, moment: Moment) -> bool:
    """One question's answer from the facts of its scope."""
    value = None if facts is None else question.field.value(facts, moment)
    if is_unknown(value):
        return question.operator.unknown
    return question.operator.test(value, question.operand, moment)


def _compile(node: Node, outer: list[Question]) -> Check:
    match node:
        case AllOf(parts):
            checks = tuple(_compile(part, outer) for part in parts)
            return _all_of(checks)
        case AnyOf(parts):
            checks = tuple(_compile(part, outer) for part in parts)
            return lambda order, answers: not _all_fail(checks, order, answers)
        case Not(part):
            check = _compile(part, outer)
            return lambda order, answers: not check(order, answers)
        case Lines():
            return _compile_lines(node)
    if node.field.scope in OF_THE_ORDER:
        return _compile_order_question(node)
    place = len(outer)
    outer.append(node)
    return lambda _order, answers: answers[place] == "1"


def _all_of(checks: tuple[Check, ...]) -> Check:
    if len(checks) == 1:
        return checks[0]
    if len(checks) == 2:
        one, other = checks
        return lambda order, answers: one(order, answers) and other(order, answers)

    def check(order: Any, answers: str) -> bool:
        # A loop: a generator costs more than most checks.
        for each in checks:  # noqa: SIM110
            if not each(order, answers):
                return False
        return True

    return check


def _all_fail(checks: tuple[Check, ...], order: Any, answers: str) -> bool:
    for check in checks:  # noqa: SIM110
        if check(order, answers):
            return False
    return True


def _compile_order_question(question: Question) -> Check:
    read, asked, operand = question.field.read, question.operator.test, question.operand
    unknown, compare = question.operator.unknown, question.operator.timeless
    if _asks_equal(question):
        return lambda order, _answers: bool(read(order) == operand)

    def check(order: Any, _answers: str) -> bool:
        value = read(order)
        if not value and is_unknown(value):
            return unknown
        return asked(value, operand, order.moment)

    if compare is None:
        return check

    def check_timeless(order: Any, _answers: str) -> bool:
        value = read(order)
        return unknown if not value and is_unknown(value) else compare(value, operand)

    return check_timeless


def _compile_question(question: Question) -> Callable[[Any, Moment], bool]:
    read, asked, operand = question.field.read, question.operator.test, question.operand
    unknown, compare = question.operator.unknown, question.operator.timeless

    def check(facts: Any, moment: Moment) -> bool:
        value = read(facts)
        if not value and is_unknown(value):
            return unknown
        if compare is not None:
            return compare(value, operand)
        return asked(value, operand, moment)

    return check


def _compile_line(node: Node) -> Callable[[Any, Moment], bool]:
    match node:
        case AllOf(parts):
            checks = tuple(_compile_line(part) for part in parts)
            return lambda line, moment: all(check(line, moment) for check in checks)
        case AnyOf(parts):
            checks = tuple(_compile_line(part) for part in parts)
            return lambda line, moment: any(check(line, moment) for check in checks)
        case Not(part):
            check = _compile_line(part)
            return lambda line, moment: not check(line, moment)
        case Question():
            return _compile_question(node)
    raise AssertionError("lines have no lines")


def _compile_lines(node: Lines) -> Check:
    """Lines that were given back count no more: what is left of them is nothing."""
    chosen = _compile_choice(node.where)
    match node.measure:
        case "any":
            return _compile_any(node.where) or (lambda order, _answers: bool(chosen(order)))
        case "none":
            return lambda order, _answers: not chosen(order)
        case "all":
            return lambda order, _answers: 0 < len(order.lines) == len(chosen(order))
    assert node.operator is not None
    asked, operand = node.operator.test, node.operand
    if node.measure == "count":
        return lambda order, _answers: asked(len(chosen(order)), operand, order.moment)
    name = attrgetter("quantity" if node.measure == "quantity" else "total")
    return lambda order, _answers: asked(sum(map(name, chosen(order))), operand, order.moment)


def _asks_equal(node: Node) -> TypeGuard[Question]:
    """Whether it asks for one value, and nothing else: what is not known is not it."""
    return isinstance(node, Question) and node.operator.timeless is eq and not node.operator.unknown


def _compile_any(node: Node) -> Check | None:
    if not _asks_equal(node):
        return None
    read, operand = node.field.read, node.operand
    return lambda order, _answers: operand in map(read, order.lines)


def _compile_choice(node: Node) -> Callable[[Any], list[Any]]:
    """The lines that match. One question to which the moment does not matter is asked of all of
    them in a row."""
    if _asks_equal(node):
        own, wanted = node.field.read, node.operand
        return lambda order: [line for line in order.lines if own(line) == wanted]
    if isinstance(node, Question) and (compare := node.operator.timeless) is not None:
        read, operand, unknown = node.field.read, node.operand, node.operator.unknown
        return lambda order: [
            line
            for line in order.lines
            if (
                compare(value, operand)
                if (value := read(line)) or not is_unknown(value)
                else unknown
            )
        ]
    matches = _compile_line(node)

    def chosen(order: Any) -> list[Any]:
        moment = order.moment
        return [line for line in order.lines if matches(line, moment)]

    return chosen


def _number(node: Node, place: str, numbers: Any, places: dict[str, int]) -> None:
    """Which answer belongs to the outer question at a place."""
    match node:
        case AllOf(parts) | AnyOf(parts):
            for number, part in enumerate(parts):
                _number(part, _at(place, number), numbers, places)
        case Not(part):
            _number(part, _at(place, 0), numbers, places)
        case Question() if node.field.scope not in OF_THE_ORDER:
            places[place] = next(numbers)


def _unmet(node: Node, place: str, order: Any, answers: str, places: dict[str, int]) -> str:
    if not isinstance(node, AllOf):
        return place
    for number, part in enumerate(node.parts):
        inner = _at(place, number)
        if not _holds_at(part, inner, order, answers, places):
            return _unmet(part, inner, order, answers, places)
    return place


def _holds_at(node: Node, place: str, order: Any, answers: str, places: dict[str, int]) -> bool:
    outer: list[Question] = []
    check = _compile(node, outer)
    own = sorted(
        number
        for where, number in places.items()
        if where == place or where.startswith(f"{place}.")
    )
    return check(order, "".join(answers[number] for number in own))


def _at(place: str, number: int) -> str:
    return f"{place}.{number}" if place else str(number)
