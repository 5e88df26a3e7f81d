"""Conditions while they are put together on a screen, complete or not.

A draft is read from the builder's inputs or from a condition, changed by one step at a time, and
written as a condition, whose errors find the part that they are about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from django.http import QueryDict

from members.conditions.fields import Field, FieldFamily, families_of, field_named
from members.conditions.operators import Operator, operator_named, operators_of
from members.conditions.tree import Measure, Quantifier, measured
from members.conditions.values import ValueType
from members.errors import FieldError

Kind = Literal["group", "question", "lines"]
# How a group's parts are taken together.
MODES = ("all", "any", "none", "not_all")
MEASURES = (*get_args(Quantifier), *get_args(Measure))
_NEGATED = {"none": "any", "not_all": "all"}


@dataclass
class Draft:
    """A part of a condition. `mode`: how a group takes its parts together, or what is asked of
    lines, whose only part is the group that says which. `path`: where it is in what was written
    last, as errors name it."""

    kind: Kind
    place: str = ""
    mode: str = "all"
    parts: list[Draft] = field(default_factory=list)
    # The name of a field, or the prefix of a family with the rest of the name.
    named: str = ""
    rest: str = ""
    op: str = ""
    values: list[str] = field(default_factory=list)
    path: str = ""
    errors: list[str] = field(default_factory=list)

    @property
    def asked(self) -> Field | None:
        return field_named(self.named + self.rest)

    @property
    def value_type(self) -> ValueType | None:
        """The type of what is asked; none where nothing is compared."""
        if self.kind == "lines":
            return measured(self.mode) if self.mode in get_args(Measure) else None
        found = self.asked
        return found.kind if found else None

    @property
    def operator(self) -> Operator | None:
        kind = self.value_type
        return operator_named(kind, self.op) if kind else None


def empty_group() -> Draft:
    return Draft("group")


def read_draft(inputs: QueryDict, prefix: str) -> Draft:
    """What the builder's inputs say; a part's inputs begin with the prefix and its place."""
    root = _read(inputs, prefix, "", "group")
    return numbered(root)


def _read(inputs: QueryDict, prefix: str, place: str, kind: str) -> Draft:
    at = f"{prefix}.{place}" if place else prefix
    if kind == "question":
        draft = Draft("question", named=inputs.get(f"{at}.field", "").strip())
        draft.rest = inputs.get(f"{at}.rest", "").strip() if draft.named.endswith(".") else ""
    else:
        draft = Draft("lines" if kind == "lines" else "group")
        draft.mode = inputs.get(f"{at}.mode", "")
        known = MEASURES if kind == "lines" else MODES
        draft.mode = draft.mode if draft.mode in known else known[0]
        draft.parts = list(_read_parts(inputs, prefix, place))
    if kind == "lines" and not draft.parts:
        draft.parts = [empty_group()]
    draft.op = inputs.get(f"{at}.op", "")
    draft.values = _read_values(inputs, at)
    _settle(draft, inputs.get(f"{at}.was", ""))
    return draft


def _read_parts(inputs: QueryDict, prefix: str, place: str) -> Iterator[Draft]:
    number = 0
    while True:
        inner = f"{place}.{number}" if place else str(number)
        kind = inputs.get(f"{prefix}.{inner}.kind", "")
        if kind not in get_args(Kind):
            return
        yield _read(inputs, prefix, inner, kind)
        number += 1


def _read_values(inputs: QueryDict, at: str) -> list[str]:
    """One after the other, those that are kept as a list before those typed."""
    kept = inputs.get(f"{at}.list", "").splitlines()
    return [*(value for value in kept if value), *map(str.strip, inputs.getlist(f"{at}.value"))]


def _settle(draft: Draft, was: str) -> None:
    """Another field takes other values; one that asks otherwise begins with its first question."""
    kind = draft.value_type
    if kind is None:
        draft.op, draft.values = "", []
        return
    if was and was != kind.code:
        draft.op, draft.values = "", []
    if draft.operator is None:
        draft.op = operators_of(kind)[0].code
    if draft.operator is not None and draft.operator.takes == "many":
        draft.values = list(dict.fromkeys(value for value in draft.values if value))


def draft_of(condition: Mapping[str, Any]) -> Draft:
    """The draft of a condition that can be read; its outermost part is always a group."""
    root = _draft_of(condition) if condition else empty_group()
    if root.kind != "group":
        root = Draft("group", parts=[root])
    return numbered(root)


def _draft_of(said: Mapping[str, Any]) -> Draft:
    for mode in ("all", "any"):
        if mode in said:
            return Draft("group", mode=mode, parts=[_draft_of(part) for part in said[mode]])
    if "not" in said:
        inner = _draft_of(said["not"])
        modes = {negated: mode for mode, negated in _NEGATED.items()}
        if inner.kind == "group" and inner.mode in modes:
            return replace(inner, mode=modes[inner.mode])
        return Draft("group", mode="none", parts=[inner])
    values = _as_texts(said.get("value"))
    if "lines" in said:
        where = _draft_of(said["where"]) if said.get("where") else empty_group()
        if where.kind != "group":
            where = Draft("group", parts=[where])
        return Draft(
            "lines", mode=said["lines"], parts=[where], op=said.get("op", ""), values=values
        )
    named, rest = _parted(said.get("field", ""))
    return Draft("question", named=named, rest=rest, op=said.get("op", ""), values=values)


def _as_texts(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]


def _parted(name: str) -> tuple[str, str]:
    """A field's name; of one that is made by name, the family's prefix and the rest."""
    found = field_named(name)
    if found is not None:
        for family in families_of({found.scope}):
            if name.startswith(family.prefix):
                return family.prefix, name.removeprefix(family.prefix)
    return name, ""


def numbered(draft: Draft, place: str = "") -> Draft:
    """Give every part its place."""
    draft.place = place
    for number, part in enumerate(draft.parts):
        numbered(part, f"{place}.{number}" if place else str(number))
    return draft


def parts_of(draft: Draft) -> Iterator[Draft]:
    """The draft and everything in it."""
    yield draft
    for part in draft.parts:
        yield from parts_of(part)


def part_at(draft: Draft, place: str) -> Draft | None:
    return next((part for part in parts_of(draft) if part.place == place), None)


def written(draft: Draft, path: str = "") -> dict[str, Any]:
    """The condition that it says so far; the outermost group may be empty."""
    draft.path = path
    match draft.kind:
        case "group":
            return _written_group(draft, path)
        case "lines":
            return _written_lines(draft, path)
    return {"field": draft.named + draft.rest, "op": draft.op} | _written_value(draft)


def _written_group(draft: Draft, path: str) -> dict[str, Any]:
    if not draft.parts and not path:
        return {}
    negated = _NEGATED.get(draft.mode)
    if negated is None:
        inner = _join(path, draft.mode)
        parts = [written(part, f"{inner}[{at}]") for at, part in enumerate(draft.parts)]
        return {draft.mode: parts}
    path = _join(path, "not")
    if draft.mode == "none" and len(draft.parts) == 1:
        return {"not": written(draft.parts[0], path)}
    inner = _join(path, negated)
    parts = [written(part, f"{inner}[{at}]") for at, part in enumerate(draft.parts)]
    return {"not": {negated: parts}}


def _written_lines(draft: Draft, path: str) -> dict[str, Any]:
    said: dict[str, Any] = {"lines": draft.mode}
    where = draft.parts[0]
    inner = written(where, _join(path, "where"))
    if where.parts:
        said["where"] = inner
    if draft.value_type is not None:
        said |= {"op": draft.op} | _written_value(draft)
    return said


def _written_value(draft: Draft) -> dict[str, Any]:
    operator = draft.operator
    match operator.takes if operator else "one":
        case "nothing":
            return {}
        case "many":
            return {"value": [value for value in draft.values if value]}
        case "range":
            return {"value": [*draft.values, "", ""][:2]}
    return {"value": next((value for value in draft.values if value), "")}


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def note_errors(draft: Draft, errors: Iterable[FieldError]) -> None:
    """Put each error to the innermost part that it is about. The draft was written before."""
    parts = sorted(parts_of(draft), key=lambda part: -len(part.path))
    for error in errors:
        about = next((part for part in parts if _is_in(error.field, part.path)), draft)
        about.errors.append(str(error.message))


def _is_in(path: str, outer: str) -> bool:
    return not outer or path == outer or path.startswith((f"{outer}.", f"{outer}["))


def complete_part(draft: Draft, reads: Callable[[dict[str, Any]], bool]) -> Draft | None:
    """The draft without what cannot be read yet; None if nothing is left."""
    if draft.kind == "question":
        return draft if reads(written(draft)) else None
    parts = [found for part in draft.parts if (found := complete_part(part, reads))]
    if draft.kind == "lines":
        kept = replace(draft, parts=parts or [empty_group()])
        return kept if reads(written(kept)) else None
    return replace(draft, parts=parts) if parts else None


def family_of(draft: Draft, families: Iterable[FieldFamily]) -> FieldFamily | None:
    return next((family for family in families if family.prefix == draft.named), None)
