"""What is known of a person, table by table, out of all that is registered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Q, QuerySet
from django.utils.functional import Promise

from members.forgetting import erased_words
from members.models import Customer
from members.personal_columns import columns_of
from members.personal_data import PersonalData, PersonalTable, personal_data

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

    key: str
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


def count_tables(for_staff: bool) -> int:
    """How many `tables_of` reads."""
    tables = [table for part in personal_data() for table in part.tables]
    return sum(for_staff or not table.for_staff for table in tables)


def known_parts(customer: Customer) -> list[KnownPart]:
    """The parts of which there is anything; all tables are counted in one query."""
    people, parts = people_of(customer), list(personal_data())
    counts = iter(_counts([table.of(people) for part in parts for table in part.tables]))
    counted = [
        KnownPart(
            part.key, part.title, sum(islice(counts, len(part.tables))), erased_words(part.key)
        )
        for part in parts
    ]
    return [known for known in counted if known.rows]


def _counts(looks: Sequence[QuerySet[Any]]) -> list[int]:
    """How many rows each of these finds."""
    texts, values = list[str](), list[Any]()
    for rows in looks:
        try:
            text, asked = rows.order_by().values("pk").query.sql_with_params()
        except EmptyResultSet:
            texts.append("0")
        else:
            texts.append(f"(SELECT count(*) FROM ({text}) AS found)")
            values += asked
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(texts)}", values)
        return list(cursor.fetchone())


def _read(part: PersonalData, table: PersonalTable, people: list[Customer]) -> TableOfPerson:
    columns = columns_of(table)
    rows = table.of(people).values_list(*(column.lookup for column in columns))
    names = tuple(column.name for column in columns)
    return TableOfPerson(part, table.key, names, _told(table, names, _when_asked(rows)))


def _when_asked(rows: QuerySet[Any, tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """At one go. A cursor of the server would ask four times for each of a hundred tables, of which
    most have nothing or little of one person."""
    yield from rows


def _told(
    table: PersonalTable, names: Sequence[str], rows: Iterator[tuple[Any, ...]]
) -> Iterator[tuple[Any, ...]]:
    tellings = dict(table.told)
    if not tellings:
        return rows
    return (
        tuple(
            tellings[name](value) if name in tellings else value
            for name, value in zip(names, row, strict=True)
        )
        for row in rows
    )
