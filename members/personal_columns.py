"""What of a table about a person is handed out: its columns, and what they are called by."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db.models import BinaryField, Field, ForeignKey

from members.models import Customer, User
from members.personal_data import PersonalTable

# What something else is told by, the first that it has.
_NAMES = ("code", "external_id", "name", "public_id")
# Bookkeeping, and the ways to the person whose data they are.
_INNER = frozenset({
    "key", "request_hash", "body_hash", "digest", "seed", "proof", "nonce", "membership", "account",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """`lookup`: from the row to the value."""

    name: str
    lookup: str


@cache
def columns_of(table: PersonalTable) -> tuple[Column, ...]:
    """First those of other tables, then its own in their order."""
    also = [Column(name, lookup) for name, lookup in table.also]
    left_out = {*_INNER, *table.without, *(column.name for column in also)}
    own = [
        Column(field.name, _lookup(field))
        for field in table.model._meta.concrete_fields
        if field.name not in left_out and _tells(field)
    ]
    return (*also, *own)


def _tells(field: Field[Any, Any]) -> bool:
    """Hashes do not; nor does who of the staff it was, or that it is about this person."""
    if isinstance(field, BinaryField):
        return False
    return not (isinstance(field, ForeignKey) and field.related_model in {Customer, User})


def _lookup(field: Field[Any, Any]) -> str:
    if not isinstance(field, ForeignKey):
        return field.name
    known = {one.name for one in field.related_model._meta.concrete_fields}
    name = next((one for one in _NAMES if one in known), "pk")
    return f"{field.name}__{name}"
