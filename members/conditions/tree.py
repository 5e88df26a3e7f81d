"""Conditions as trees: read from what a program file, the API or a form says, and written back.

{"all": […]}  {"any": […]}  {"not": …}
{"field": "order.total", "op": "at_least", "value": 50}
{"lines": "any", "where": …}                  also "all", "none"
{"lines": "total", "where": …, "op": "at_least", "value": 30}   also "count", "quantity"
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from django.utils.translation import gettext as _

from members.conditions import values
from members.conditions.fields import LINE, Field, field_named
from members.conditions.operators import (
    Operator,
    compared,
    dumped,
    operator_named,
    operators_of,
)
from members.errors import DomainError, FieldError

DEEPEST = 6
MOST_QUESTIONS = 100

Quantifier = Literal["any", "all", "none"]
Measure = Literal["count", "quantity", "total"]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds; of no parts, always."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Node


@dataclass(frozen=True, slots=True)
class Question:
    """One question about one field."""

    field: Field
    operator: Operator
    operand: Any = None


@dataclass(frozen=True, slots=True)
class Lines:
    """A question about the lines of an order that match `where`: whether there are some, whether
    all match, or how many there are, by number, quantity or money."""

    measure: Quantifier | Measure
    where: Node
    operator: Operator | None = None
    operand: Any = None


Node = AllOf | AnyOf | Not | Question | Lines
ALWAYS = AllOf(())


class ConditionError(DomainError):
    """A condition that cannot be read; `errors` name each node by its path."""

    code = "invalid_condition"


def parse(
    data: Any,
    *,
    scopes: frozenset[str],
    in_database: bool = False,
    choices_known: bool = True,
    path: str = "",
) -> Node:
    """Read a condition that may name fields of these scopes. Empty: it always holds. Raises
    ConditionError with everything that is wrong in it. `choices_known`: what it picks has to be
    there still."""
    reader = _Reader(scopes, in_database, choices_known)
    node = reader.node(data, path, 0) if data else ALWAYS
    if reader.asked > MOST_QUESTIONS:
        reader.wrong(
            path,
            _("At most %(most)s questions in one condition.") % {"most": MOST_QUESTIONS},
        )
    if reader.errors:
        first = reader.errors[0]
        raise ConditionError(
            _("The condition cannot be read: %(where)s %(what)s")
            % {"where": f"{first.field}:" if first.field else "", "what": first.message},
            errors=reader.errors,
        )
    return node


def dump(node: Node) -> dict[str, Any]:
    """What `parse` reads back."""
    match node:
        case AllOf(parts):
            return {"all": [dump(part) for part in parts]} if parts else {}
        case AnyOf(parts):
            return {"any": [dump(part) for part in parts]}
        case Not(part):
            return {"not": dump(part)}
        case Question(field, operator, operand):
            said = {"field": field.name, "op": operator.code}
            return said | _value(field.kind, operator, operand)
        case Lines(measure, where, operator, operand):
            asked: dict[str, Any] = {"lines": measure}
            if where != ALWAYS:
                asked["where"] = dump(where)
            if operator is not None:
                asked |= {"op": operator.code} | _value(measured(measure), operator, operand)
            return asked


def questions_of(node: Node) -> Iterator[Question]:
    """Every question in a tree, in its order, those about lines too."""
    match node:
        case Question():
            yield node
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from questions_of(part)
        case Not(part):
            yield from questions_of(part)
        case Lines(where=where):
            yield from questions_of(where)


def at(node: Node, place: str) -> Node:
    """The node at a place such as "0.2": the third part of the first."""
    for number in place.split(".") if place else ():
        match node:
            case AllOf(parts) | AnyOf(parts):
                node = parts[int(number)]
            case Not(part):
                node = part
            case _:
                return node
    return node


def measured(measure: str) -> values.ValueType:
    """The type of what lines come to."""
    return values.MONEY if measure == "total" else values.NUMBER


def _value(kind: values.ValueType, operator: Operator, operand: Any) -> dict[str, Any]:
    return {} if operator.takes == "nothing" else {"value": dumped(kind, operator, operand)}


class _Reader:
    """Reads a tree and keeps what is wrong with it, by path."""

    def __init__(self, scopes: frozenset[str], in_database: bool, choices_known: bool) -> None:
        self.scopes, self.in_database = scopes, in_database
        self.choices_known = choices_known
        self.errors: list[FieldError] = []
        self.asked = 0

    def wrong(self, path: str, message: str, code: str = "invalid") -> AllOf:
        self.errors.append(FieldError(path, message, code))
        return ALWAYS

    def node(self, data: Any, path: str, depth: int) -> Node:
        if depth > DEEPEST:
            return self.wrong(path, _("Groups are nested too deeply."))
        if not isinstance(data, Mapping):
            return self.wrong(path, _("Write a group (all, any, not) or a question (field, op)."))
        for key in ("all", "any"):
            if key in data:
                return self._group(data, key, path, depth)
        if "not" in data:
            self._only(data, {"not"}, path)
            return Not(self.node(data["not"], _join(path, "not"), depth + 1))
        if "lines" in data:
            return self._lines(data, path, depth)
        return self._question(data, path)

    def _group(self, data: Mapping[str, Any], key: str, path: str, depth: int) -> Node:
        self._only(data, {key}, path)
        parts = data[key]
        inner = _join(path, key)
        if not isinstance(parts, list | tuple):
            return self.wrong(inner, _("Write a list of conditions."))
        if not parts:
            return self.wrong(inner, _("Name at least one condition, or leave the group out."))
        nodes = tuple(
            self.node(part, f"{inner}[{number}]", depth + 1) for number, part in enumerate(parts)
        )
        return AllOf(nodes) if key == "all" else AnyOf(nodes)

    def _lines(self, data: Mapping[str, Any], path: str, depth: int) -> Node:
        if LINE not in self.scopes:
            return self.wrong(path, _("There is no order here whose lines could be asked about."))
        measure = data["lines"]
        where: Node = ALWAYS
        if data.get("where"):
            of_lines = _Reader(frozenset({LINE}), False, self.choices_known)
            where = of_lines.node(data["where"], _join(path, "where"), depth + 1)
            self.errors += of_lines.errors
            self.asked += of_lines.asked
        if measure in get_args(Quantifier):
            self._only(data, {"lines", "where"}, path)
            if where == ALWAYS and not self.errors:
                self.wrong(_join(path, "where"), _("Say which lines."))
            return Lines(measure, where)
        if measure not in get_args(Measure):
            known = ", ".join((*get_args(Quantifier), *get_args(Measure)))
            return self.wrong(_join(path, "lines"), _("Write one of %(known)s.") % {"known": known})
        self._only(data, {"lines", "where", "op", "value"}, path)
        self.asked += 1
        operator, operand = self._question_of(data, measured(measure), path)
        return Lines(measure, where, operator, operand) if operator else ALWAYS

    def _question(self, data: Mapping[str, Any], path: str) -> Node:
        self._only(data, {"field", "op", "value"}, path)
        self.asked += 1
        field = field_named(data.get("field"))
        if field is None:
            return self.wrong(
                _join(path, "field"),
                _("There is no field “%(name)s”.") % {"name": data.get("field")},
                "unknown_field",
            )
        if field.scope not in self.scopes or (self.in_database and not field.in_database):
            return self.wrong(
                _join(path, "field"),
                _("“%(name)s” cannot be asked about here.") % {"name": field.name},
                "field_out_of_place",
            )
        operator, operand = self._question_of(data, field.kind, path)
        if operator is None:
            return ALWAYS
        if self.choices_known:
            self._check_choice(field, operator, operand, path)
        return Question(field, operator, operand)

    def _question_of(
        self, data: Mapping[str, Any], kind: values.ValueType, path: str
    ) -> tuple[Operator | None, Any]:
        operator = operator_named(kind, data.get("op"))
        if operator is None:
            known = ", ".join(found.code for found in operators_of(kind))
            self.wrong(
                _join(path, "op"),
                _("“%(op)s” cannot be asked here; write one of %(known)s.")
                % {"op": data.get("op"), "known": known},
                "unknown_operator",
            )
            return None, None
        try:
            return operator, compared(kind, operator, data.get("value"))
        except ValueError as wrong:
            self.wrong(_join(path, "value"), str(wrong), "wrong_value")
            return operator, None

    def _check_choice(self, field: Field, operator: Operator, operand: Any, path: str) -> None:
        if field.choices is None or not field.closed or operand is None:
            return
        known = {code for code, _word in field.choices()}
        asked = operand if operator.takes == "many" else {operand}
        unknown = sorted(set(asked) - known)
        if unknown and operator.takes in ("one", "many"):
            self.wrong(
                _join(path, "value"),
                _("“%(value)s” is none of %(known)s.")
                % {"value": unknown[0], "known": ", ".join(sorted(known)) or "–"},
                "wrong_value",
            )

    def _only(self, data: Mapping[str, Any], keys: set[str], path: str) -> None:
        for key in data:
            if key not in keys:
                self.wrong(_join(path, str(key)), _("This does not belong here."), "unknown_key")


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
