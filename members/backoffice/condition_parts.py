"""What the condition builder shows of each part of a condition: its choices, inputs and errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from members.conditions import values
from members.conditions.drafts import (
    Draft,
    complete_part,
    family_of,
    note_errors,
    parts_of,
    written,
)
from members.conditions.fields import (
    LINE,
    Field,
    FieldFamily,
    Text,
    families_of,
    fields_of,
    group_label,
)
from members.conditions.operators import Operator, operators_of
from members.conditions.sentences import sentence
from members.conditions.tree import DEEPEST, ConditionError, parse
from members.conditions.values import ValueType

# Up to so many closed choices are shown as boxes to tick.
MOST_BOXES = 12
# Deeper ones can be read and kept, but a screen of them helps nobody.
DEEPEST_SHOWN = DEEPEST - 2
_INPUTS = {
    values.NUMBER.code: "decimal", values.MONEY.code: "decimal", values.SHARE.code: "decimal",
    values.DAY.code: "date", values.INSTANT.code: "date", values.ANNIVERSARY.code: "date",
    values.CLOCK.code: "time",
}  # fmt: skip

Options = list[tuple[str, str]]
Shown = dict[str, Any]


@dataclass(frozen=True)
class Builder:
    """One builder on a page: the name of its form field, and what may be asked in it."""

    name: str
    scopes: frozenset[str]
    in_database: bool = False
    everything: Text = ""

    def named(self, name: str) -> Builder:
        return replace(self, name=name)

    @property
    def url(self) -> str:
        asked = {"name": self.name, "scopes": ",".join(sorted(self.scopes))}
        if self.in_database:
            asked["database"] = "1"
        if self.everything:
            asked["everything"] = str(self.everything)
        return f"{reverse('backoffice:condition_builder')}?{urlencode(asked)}"

    def context(self, draft: Draft, *, checked: bool = False, focus: str = "") -> Shown:
        """All that the template needs. `checked`: show what is wrong."""
        if checked:
            self._note_errors(draft)
        shown = _Parts(self, focus)
        return self.sentence_context(draft) | {
            "root": shown.group(draft, self.scopes - {LINE}),
            "focus": focus,
            "count": sum(part.kind != "group" for part in parts_of(draft)),
        }

    def sentence_context(self, draft: Draft) -> Shown:
        """What is said so far, in words; with what is not complete left out."""
        written(draft)
        kept = complete_part(draft, self._reads)
        words = ""
        if kept is not None:
            words = sentence(parse(written(kept), scopes=self.scopes, in_database=self.in_database))
        whole = self._reads(written(draft))
        return {"builder": self, "words": words, "whole": whole, "empty": not draft.parts}

    def _reads(self, said: Mapping[str, Any]) -> bool:
        try:
            parse(said, scopes=self.scopes, in_database=self.in_database)
        except ConditionError:
            return False
        return True

    def _note_errors(self, draft: Draft) -> None:
        try:
            parse(written(draft), scopes=self.scopes, in_database=self.in_database)
        except ConditionError as error:
            note_errors(draft, error.errors)
        for part in parts_of(draft):
            if part.kind == "question" and not part.named:
                part.errors = [_("Choose what to ask about.")]
            elif part.kind == "group" and part.place and not part.parts:
                part.errors = [_("Add a question, or remove the group.")]


def builder_of(asked: Mapping[str, str]) -> Builder | None:
    """The builder that its own address describes."""
    name, scopes = asked.get("name", ""), asked.get("scopes", "")
    if not name.replace("_", "").replace("-", "").isalnum():
        return None
    return Builder(
        name, frozenset(filter(None, scopes.split(","))), asked.get("database") == "1",
        asked.get("everything", "")[:200],
    )  # fmt: skip


class _Parts:
    """Turns the parts of a draft into what the templates show."""

    def __init__(self, builder: Builder, focus: str) -> None:
        self.builder = builder
        self.focus = f"{builder.name}.{focus}" if focus else ""

    def part(self, draft: Draft, scopes: frozenset[str]) -> Shown:
        match draft.kind:
            case "group":
                return self.group(draft, scopes)
            case "lines":
                return self.lines(draft)
        return self.question(draft, scopes)

    def _common(self, draft: Draft) -> Shown:
        at = f"{self.builder.name}.{draft.place}" if draft.place else self.builder.name
        return {
            "kind": draft.kind, "at": at, "place": draft.place, "errors": draft.errors,
            "focus": self.focus.removeprefix(f"{at}.") if self.focus.startswith(f"{at}.") else "",
        }  # fmt: skip

    def group(self, draft: Draft, scopes: frozenset[str], *, removable: bool = True) -> Shown:
        depth = draft.place.count(".") + 1 if draft.place else 0
        of_lines = scopes == {LINE}
        return self._common(draft) | {
            "modes": _modes(of_lines), "mode": draft.mode,
            "word": _("or") if draft.mode in ("any", "none") else _("and"),
            "parts": [self.part(part, scopes) for part in draft.parts],
            "of_lines": of_lines, "outermost": not draft.place,
            "removable": removable and bool(draft.place),
            "has_head": (removable and bool(draft.place))
            or len(draft.parts) > 1 or draft.mode != "all",
            "may_nest": depth < DEEPEST_SHOWN,
            "may_ask_lines": not of_lines and LINE in self.builder.scopes,
        }  # fmt: skip

    def lines(self, draft: Draft) -> Shown:
        return self._common(draft) | {
            "measures": _measures(), "measure": draft.mode,
            "where": self.group(draft.parts[0], frozenset({LINE}), removable=False),
            "asked": self._asked(draft, None),
        }  # fmt: skip

    def question(self, draft: Draft, scopes: frozenset[str]) -> Shown:
        families = self._families(scopes)
        family = family_of(draft, families)
        field = draft.asked
        known = field is not None and field.scope in scopes
        return self._common(draft) | {
            "groups": self._fields(scopes, families), "named": draft.named, "rest": draft.rest,
            "family": family, "names": family.names() if family and family.names else (),
            "unknown": bool(draft.named) and not known and family is None,
            "help": field.help if field and known else family.help if family else "",
            "asked": self._asked(draft, field) if known else None,
        }  # fmt: skip

    def _families(self, scopes: Iterable[str]) -> list[FieldFamily]:
        """Without those that the database cannot answer, where it has to."""
        found = families_of(scopes)
        if not self.builder.in_database:
            return found
        made = [(family, family.make("name")) for family in found]
        return [family for family, field in made if field is not None and field.in_database]

    def _fields(
        self, scopes: frozenset[str], families: Iterable[FieldFamily]
    ) -> list[tuple[str, Options]]:
        """What can be asked about, under its headings."""
        groups: dict[str, Options] = {}
        for field in fields_of(scopes, in_database=self.builder.in_database):
            label = str(group_label(field))
            groups.setdefault(label, []).append((field.name, capfirst(str(field.label))))
        for family in families:
            label = str(group_label(family))
            words = _("%(label)s …") % {"label": capfirst(str(family.label))}
            groups.setdefault(label, []).append((family.prefix, words))
        return list(groups.items())

    def _asked(self, draft: Draft, field: Field | None) -> Shown | None:
        kind, operator = draft.value_type, draft.operator
        if kind is None:
            return None
        operator = operator or operators_of(kind)[0]
        return {
            "type": kind.code, "op": operator.code,
            "ops": [(each.code, each.name) for each in operators_of(kind)],
            "field": field.name if field and field.suggest else "",
            **_inputs(kind, operator, field, draft.values),
        }  # fmt: skip


def _inputs(kind: ValueType, operator: Operator, field: Field | None, given: list[str]) -> Shown:
    """How the value is asked for: `shape` is the template's word for it."""
    choices = _choices(kind, field)
    match operator.takes:
        case "nothing":
            return {"shape": "nothing"}
        case "days":
            return {"shape": "one", "input": "numeric", "value": _first(given), "unit": _("days")}
        case "range":
            first, last = [*given, "", ""][:2]
            return {
                "shape": "range", "input": _INPUTS.get(kind.code, "text"), "value": first,
                "last": last, "unit": _unit(kind),
            }  # fmt: skip
        case "many":
            return _many(field, choices, given)
    if choices is not None and _is_closed(kind, field):
        return {"shape": "choice", "choices": choices, "value": _first(given)}
    return {
        "shape": "one", "input": _INPUTS.get(kind.code, "text"), "value": _first(given),
        "unit": _unit(kind), "choices": choices, "example": str(kind.example),
    }  # fmt: skip


def _many(field: Field | None, choices: Options | None, given: list[str]) -> Shown:
    kind = field.kind if field else values.TEXT
    if choices is not None and _is_closed(kind, field) and len(choices) <= MOST_BOXES:
        gone = [(value, value) for value in given if value not in dict(choices)]
        boxes = [(value, label, value in given) for value, label in [*choices, *gone]]
        return {"shape": "boxes", "boxes": boxes}
    words = field.word if field else str
    chips = [(value, words(value)) for value in given]
    left = [(value, label) for value, label in choices or () if value not in given]
    closed = choices is not None and _is_closed(kind, field)
    return {
        "shape": "chips",
        "chips": chips,
        "kept": "\n".join(given),
        "choices": left,
        "closed": closed,
    }


def _choices(kind: ValueType, field: Field | None) -> Options | None:
    if kind is values.WEEKDAY:
        return [(day, capfirst(kind.words(at))) for at, day in enumerate(values.WEEKDAYS)]
    if field is None or field.choices is None:
        return None
    return [(value, str(label)) for value, label in field.choices()]


def _is_closed(kind: ValueType, field: Field | None) -> bool:
    return kind is values.WEEKDAY or (field is not None and field.closed)


def _unit(kind: ValueType) -> str:
    return "%" if kind is values.SHARE else ""


def _first(given: list[str]) -> str:
    return given[0] if given else ""


def _modes(of_lines: bool) -> Options:
    if of_lines:
        return [
            ("all", _("all of these are true of it")), ("any", _("at least one is true of it")),
            ("none", _("none of these is true of it")), ("not_all", _("not all are true of it")),
        ]  # fmt: skip
    return [
        ("all", _("all of these hold")), ("any", _("at least one of these holds")),
        ("none", _("none of these holds")), ("not_all", _("not all of these hold")),
    ]  # fmt: skip


def _measures() -> Options:
    return [
        ("any", _("There is an item of which")), ("all", _("Of every item")),
        ("none", _("There is no item of which")),
        ("count", _("The number of items")), ("quantity", _("The quantity of items")),
        ("total", _("What items cost together")),
    ]  # fmt: skip
