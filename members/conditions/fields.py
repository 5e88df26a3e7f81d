"""The fields that conditions can name. Each application registers its own in AppConfig.ready.

The registry is the one source of their labels, help and types: for the builder on the screen, the
API, explanations and the documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.functional import Promise

from members.conditions import scopes
from members.conditions.moments import Moment
from members.conditions.operators import Operator
from members.conditions.values import ValueType

Text = Promise | str
# The fields' own answer for the database, where it is no plain column of the customer.
QueryOf = Callable[[Operator, Any, Moment], Q]
Choices = Callable[[], Sequence[tuple[str, str]]]
# Values that contain what was typed, or are called so, most useful first.
Suggest = Callable[[str], Sequence[str]]

ORDER, LINE, CUSTOMER = scopes.ORDER, scopes.LINE, scopes.CUSTOMER
BEHAVIOR, MEMBER, SEGMENTS = scopes.BEHAVIOR, scopes.MEMBER, scopes.SEGMENTS
TIER, PLAN, COMPANY = scopes.TIER, scopes.PLAN, scopes.COMPANY
JOINED = scopes.JOINED
ACTIVITY, OF_THE_ORDER = scopes.ACTIVITY, scopes.OF_THE_ORDER
TOLD, DEEDS = scopes.TOLD, scopes.DEEDS
CODES, OFFERS, CHALLENGES = scopes.CODES, scopes.OFFERS, scopes.CHALLENGES
BROWSING = scopes.BROWSING


class NamedValue(str):
    """A value that goes by another name among people: a SKU and its product's."""

    name: str

    @classmethod
    def of(cls, value: str, name: str) -> NamedValue:
        made = cls(value)
        made.name = name
        return made


@dataclass(frozen=True, slots=True)
class Field:
    """`read` takes the facts of its scope. `column`: its path from the customer, where the
    database can answer too. `choices`: what can be picked; `closed`: nothing else is allowed.
    `suggest`: values that are in use, where there may be too many for a list."""

    name: str
    label: Text
    kind: ValueType
    scope: str
    read: Callable[[Any], Any]
    help: Text = ""
    column: str = ""
    query: QueryOf | None = None
    choices: Choices | None = None
    closed: bool = False
    suggest: Suggest | None = None
    # Instead of `read`, for what changes as time goes by.
    read_at: Callable[[Any, Moment], Any] | None = None
    # A question in words of its own; empty: as others are.
    said: Callable[[Operator, Any], str] | None = None

    def value(self, facts: Any, moment: Moment) -> Any:
        return self.read(facts) if self.read_at is None else self.read_at(facts, moment)

    @property
    def in_database(self) -> bool:
        return bool(self.column) or self.query is not None

    def word(self, value: Any) -> str:
        """A value as people call it."""
        if self.choices is not None and isinstance(value, str):
            return dict(self.choices()).get(value, value)
        return self.kind.words(value)


@dataclass(frozen=True, slots=True)
class FieldFamily:
    """Fields that share a prefix and are made by name: an attribute of the merchant's own."""

    prefix: str
    label: Text
    scope: str
    make: Callable[[str], Field | None]
    names: Choices | None = None
    help: Text = ""


_fields: dict[str, Field] = {}
_families: dict[str, FieldFamily] = {}
_groups: dict[str, Text] = {}


def register_fields(group: str, label: Text, fields: Iterable[Field | FieldFamily]) -> None:
    """Add fields under the heading `label`; registering twice changes nothing."""
    _groups[group] = label
    for field in fields:
        if isinstance(field, FieldFamily):
            _families[field.prefix] = field
        else:
            _fields[field.name] = field


def field_named(name: object) -> Field | None:
    if not isinstance(name, str) or "\x00" in name:
        return None
    if name in _fields:
        return _fields[name]
    for prefix, family in _families.items():
        if name.startswith(prefix) and len(name) > len(prefix):
            return family.make(name.removeprefix(prefix))
    return None


def fields_of(scopes: Iterable[str], *, in_database: bool = False) -> list[Field]:
    """The registered fields of these scopes, in the order in which they were registered."""
    wanted = frozenset(scopes)
    return [
        field
        for field in _fields.values()
        if field.scope in wanted and (field.in_database or not in_database)
    ]


def families_of(scopes: Iterable[str]) -> list[FieldFamily]:
    wanted = frozenset(scopes)
    return [family for family in _families.values() if family.scope in wanted]


def group_label(field: Field | FieldFamily) -> Text:
    """The heading that a field is found under: that of the first part of its name."""
    name = field.name if isinstance(field, Field) else field.prefix
    return _groups.get(name.split(".", maxsplit=1)[0], "")
