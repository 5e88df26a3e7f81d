"""What is known of a person, table by table, out of all that is registered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.functional import Promise

from members.forgetting import erased_words
from members.models import Customer
from members.personal_columns import columns_of
from members.personal_data import PersonalData, PersonalTable, personal_data

READ_AT_ONCE = 2_000
Text = str | Promise


@dataclass(frozen=True, slots=True)
class TableOfPerson:
    """A table with what it has of them; the rows are read as they are asked for."""

    part: PersonalData
    key: str
    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class KnownPart:
    """How much there is of a part, and what becomes of it when they are erased."""

    title: Text
    rows: int
    erased: Text


def people_of(customer: Customer) -> list[Customer]:
    """The customer, and the duplicates that were merged into them."""
    together = Q(pk=customer.pk) | Q(merged_into=customer.pk)
    return list(Customer.objects.filter(together).order_by("pk"))


def tables_of(customer: Customer, *, for_staff: bool) -> Iterator[TableOfPerson]:
    """Everything, one query a table; `for_staff`: also what colleagues wrote."""
    people = people_of(customer)
    for part in personal_data():
        for table in part.tables:
            if for_staff or not table.for_staff:
                yield _read(part, table, people)


def known_parts(customer: Customer) -> list[KnownPart]:
    """The parts of which there is anything, one query a table."""
    people = people_of(customer)
    counted = [
        KnownPart(
            part.title,
            sum(table.of(people).count() for table in part.tables),
            erased_words(part.key),
        )
        for part in personal_data()
    ]
    return [known for known in counted if known.rows]


def _read(part: PersonalData, table: PersonalTable, people: list[Customer]) -> TableOfPerson:
    columns = columns_of(table)
    rows = table.of(people).values_list(*(column.lookup for column in columns))
    names = tuple(column.name for column in columns)
    return TableOfPerson(part, table.key, names, rows.iterator(chunk_size=READ_AT_ONCE))
