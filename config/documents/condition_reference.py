"""The fields and questions of conditions as tables, read off their registry."""

from __future__ import annotations

from itertools import groupby

from config.documents.parts import cell, table
from members.conditions import values
from members.conditions.fields import (
    ACTIVITY,
    BEHAVIOR,
    BROWSING,
    CHALLENGES,
    CODES,
    COMPANY,
    CUSTOMER,
    DEEDS,
    JOINED,
    LINE,
    MEMBER,
    OFFERS,
    ORDER,
    PLAN,
    SEGMENTS,
    TIER,
    TOLD,
    Field,
    FieldFamily,
    families_of,
    fields_of,
    group_label,
)
from members.conditions.operators import operators_of

PAGE = "conditions.md"
NAME = "condition_reference"
SCOPES = (
    ORDER, CODES, OFFERS, LINE, ACTIVITY, CUSTOMER, SEGMENTS, BEHAVIOR, MEMBER, JOINED, TIER, PLAN,
    COMPANY, CHALLENGES, BROWSING, TOLD, DEEDS,
)  # fmt: skip
KINDS = (
    values.TEXT, values.NUMBER, values.LIST, values.TIER, values.INSTANT, values.DAY,
    values.ANNIVERSARY, values.WEEKDAY, values.CLOCK, values.YES_NO,
)  # fmt: skip
TAKES = {
    "nothing": "nothing", "one": "a value", "many": "a list of values",
    "range": "a list of two values", "days": "a number of days",
}  # fmt: skip
# These are asked as numbers are.
AS_NUMBERS = {values.MONEY.code, values.SHARE.code}


def condition_reference() -> str:
    """The fields under their headings, then what can be asked of each type."""
    found: list[Field | FieldFamily] = [*fields_of(SCOPES), *families_of(SCOPES)]
    found.sort(key=lambda field: SCOPES.index(field.scope))
    parts = ["### Fields"]
    for heading, fields in groupby(found, key=_heading):
        rows = [_field_row(field) for field in fields]
        parts.append(f"**{heading}**\n\n{table(['field', 'type', 'meaning'], rows)}")
    parts.append("### Questions")
    rows = [
        [kind.code, f"`{operator.code}`", operator.name, TAKES[operator.takes]]
        for kind in KINDS
        for operator in operators_of(kind)
    ]
    parts.append(table(["type", "op", "in words", "value"], rows))
    return "\n\n".join(parts)


def _heading(field: Field | FieldFamily) -> str:
    return str(group_label(field))


def _field_row(field: Field | FieldFamily) -> list[str]:
    meaning = str(field.label) + (f". {field.help}" if field.help else "")
    if isinstance(field, FieldFamily):
        made = field.make("name")
        kind = made.kind.code if made else ""
        return [f"`{field.prefix}…`", kind, cell(meaning)]
    kind = "number" if field.kind.code in AS_NUMBERS else field.kind.code
    return [f"`{field.name}`", kind, cell(meaning)]
