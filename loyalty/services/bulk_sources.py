"""Where the rows of a bulk adjustment come from: a CSV file, a list that somebody pasted, a
segment, or a request to the API.

Everything stays text here; what a cell means is the business of `bulk_checking`. A further source
is another function that returns a `Source`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from django.db import connection
from django.utils.translation import gettext as _

from loyalty.models import BulkAdjustment, BulkRow, Membership, Program
from members.errors import DomainError, FieldError
from members.models import Segment, SegmentMember

MOST_ROWS = 200_000
# What may say whose row it is; `customer` takes any of the others.
NAMES = ("customer_id", "email", "phone", "card_number", "membership", "customer")
COLUMNS = (*NAMES, "units", "note")
# Longer than anything that can be right, and short enough to keep.
LONGEST_CELL = 501
# Under this name a row keeps that it had another number of cells than the header.
WIDTH = "width"

Cells = dict[str, str]


@dataclass(frozen=True, slots=True)
class Source:
    """Rows as (number, cells), what they are called, and a digest by which the same ones are
    known again."""

    kind: BulkAdjustment.Source
    name: str
    digest: str
    rows: Iterable[tuple[int, Cells]]


def from_file(file: IO[bytes], name: str, *, with_units: bool) -> Source:
    """A CSV file in UTF-8 whose first line names the columns. Raises DomainError on `file`.

    `with_units`: each row says how many; without, the file must not say it.
    """
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(1 << 16):
        digest.update(chunk)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        head = text.readline(10_000)
    except UnicodeDecodeError as error:
        raise _unreadable(_("The file is not written in UTF-8.")) from error
    delimiter = max(",;\t", key=head.count)
    columns = [name.strip().lower() for name in next(csv.reader([head], delimiter=delimiter), [])]
    _check_columns(columns, with_units=with_units)
    rows = _rows(csv.reader(without_nul(text), delimiter=delimiter), columns)
    return Source(BulkAdjustment.Source.FILE, name[-200:], digest.hexdigest(), rows)


def from_list(text: str, name: str) -> Source:
    """One customer in each line: their number, address, phone or card, as it is at hand."""
    lines = [line.strip().replace("\0", "\N{REPLACEMENT CHARACTER}") for line in text.splitlines()]
    rows = [
        (number, {"customer": line[:LONGEST_CELL]})
        for number, line in enumerate(lines, start=1)
        if line
    ]
    digest = hashlib.sha256("\n".join(cells["customer"] for _, cells in rows).encode()).hexdigest()
    return Source(BulkAdjustment.Source.LIST, name[:200], digest, rows)


def from_rows(rows: Sequence[Cells], name: str) -> Source:
    """Rows as they are, counted from 1."""
    digest = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
    return Source(BulkAdjustment.Source.API, name[:200], digest, enumerate(rows, start=1))


def from_segment(segment: Segment, program: Program) -> Source:
    """The program's active members who are in it now. Raises DomainError on `segment`."""
    people = SegmentMember.objects.filter(segment=segment).values("customer")
    members = Membership.objects.filter(
        program=program, status=Membership.Status.ACTIVE, customer__in=people
    )
    names = [str(name) for name in members.order_by("pk").values_list("public_id", flat=True)]
    if not names:
        message = _("Nobody in this segment is an active member of the program.")
        raise DomainError(message, errors=[FieldError("segment", message)])
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()
    rows = ((number, {"membership": name}) for number, name in enumerate(names, start=1))
    return Source(BulkAdjustment.Source.SEGMENT, segment.name[:200], digest, rows)


def fill_rows(batch: BulkAdjustment, source: Source) -> int:
    """Write the rows as they stand, streaming; how many. The caller's transaction decides."""
    count = 0
    columns = "batch_id, number, cells, note, state, problems"
    with connection.cursor() as cursor:
        statement = f"COPY {BulkRow._meta.db_table} ({columns}) FROM STDIN"
        with cursor.copy(statement) as copy:
            for number, cells in source.rows:
                count += 1
                if count > MOST_ROWS:
                    raise _unreadable(_("These are more than 200,000 rows. Split them up."))
                copy.write_row(
                    (batch.pk, number, json.dumps(cells), "", BulkRow.State.NEW.value, "[]")
                )
    if not count:
        raise _unreadable(_("There is nobody in it."))
    return count


def _check_columns(columns: list[str], *, with_units: bool) -> None:
    known = ", ".join(NAMES[:-1])
    if len(set(columns)) < len(columns):
        raise _unreadable(_("The first line names a column twice."))
    if not set(columns) & set(NAMES):
        raise _unreadable(
            _("The first line must name the columns; one of these is needed: %s.") % known
        )
    if with_units and "units" not in columns:
        raise _unreadable(_("The first line must name the columns; missing: %s.") % "units")
    if not with_units and "units" in columns:
        raise _unreadable(
            _("A gift gives everybody the same: take the column units out, or make it an "
              "adjustment.")
        )  # fmt: skip


def _rows(reader: Iterator[list[str]], columns: list[str]) -> Iterator[tuple[int, Cells]]:
    number = 1
    while True:
        number += 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except UnicodeDecodeError as error:
            raise _unreadable(_("The file is not written in UTF-8.")) from error
        except csv.Error as error:
            raise _unreadable(
                _("Row %(row)s is not readable as CSV: %(error)s.")
                % {"row": number, "error": error}
            ) from error
        if not any(cell.strip() for cell in row):
            continue
        cells = {
            name: cell.strip()[:LONGEST_CELL]
            for name, cell in zip(columns, row, strict=False)
            if name in COLUMNS
        }
        if len(row) != len(columns):
            cells[WIDTH] = f"{len(row)}/{len(columns)}"
        yield number, cells


def without_nul(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield line.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _unreadable(message: str) -> DomainError:
    return DomainError(message, code="unreadable_file", errors=[FieldError("file", message)])
