"""A file of exchange rates, a row for each pair and day: all of it is read before any is kept."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from loyalty.services.exchange_rates import Outcome, RateInput, put_rates, wrong_values
from members.errors import DomainError, FieldError
from members.services.audit import Actor

COLUMNS = ("date", "from", "to", "rate", "source")
NEEDED = COLUMNS[:4]
MOST_ROWS = 20_000
# Of `wrong_values`, by the column of the file.
_COLUMN_OF = {"valid_from": "date", "from_currency": "from", "to_currency": "to"}


@dataclass(frozen=True, slots=True)
class RowError:
    row: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class RateFile:
    """What was read: rates, and what is wrong."""

    rates: list[RateInput] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Imported:
    """How many were, or would be, created, changed and unchanged; nothing of a file with errors is
    kept."""

    counts: dict[Outcome, int]
    errors: list[RowError]


def import_rates(
    content: bytes, *, actor: Actor, now: dt.datetime, trying: bool = False
) -> Imported:
    """Take a file of rates in, as a whole. `trying`: only say what it would do. Raises DomainError
    on `file` where it cannot be read at all."""
    found = read_rates(content, now)
    if found.errors:
        return Imported({}, found.errors)
    outcomes = put_rates(found.rates, actor=actor, now=now, trying=trying)
    return Imported(dict(Counter(outcomes)), [])


def read_rates(content: bytes, now: dt.datetime) -> RateFile:
    found = RateFile()
    seen: dict[tuple[str, str, dt.date], int] = {}
    for number, cells in _rows(content):
        wrong, rate = _rate(number, cells, now)
        found.errors.extend(wrong)
        if rate is None:
            continue
        if rate.address in seen:
            reason = _("Row %s has this pair and day already.") % seen[rate.address]
            found.errors.append(RowError(number, "date", cells["date"], reason))
            continue
        seen[rate.address] = number
        found.rates.append(rate)
    if not found.rates and not found.errors:
        raise _unreadable(_("There is no rate in it."))
    return found


def _rate(
    number: int, cells: dict[str, str], now: dt.datetime
) -> tuple[list[RowError], RateInput | None]:
    errors = []
    try:
        day = dt.date.fromisoformat(cells["date"])
    except ValueError:
        day = dt.date(2000, 1, 1)
        reason = _("Write the day as 2026-03-31.")
        errors.append(RowError(number, "date", cells["date"], reason))
    try:
        value = Decimal(cells["rate"])
        if not value.is_finite():
            raise InvalidOperation
    except InvalidOperation:
        value = Decimal(1)
        reason = _("Write a number with a point, as 0.9215.")
        errors.append(RowError(number, "rate", cells["rate"], reason))
    rate = RateInput(
        cells["from"].upper(), cells["to"].upper(), day, value, cells.get("source", "")
    )
    for name, message, _code in wrong_values(rate, now):
        column = _COLUMN_OF.get(name, name)
        errors.append(RowError(number, column, cells[column], message))
    return errors, None if errors else rate


def _rows(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(_("The file is not written in UTF-8.")) from error
    head = text.split("\n", 1)[0]
    reader = csv.reader(
        io.StringIO(text.replace("\0", ""), newline=""), delimiter=max(",;\t", key=head.count)
    )
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
        _check(columns)
        for number, row in enumerate(reader, start=2):
            if number > MOST_ROWS + 1:
                raise _unreadable(_("These are more than 20,000 rows. Split them up."))
            if any(cell.strip() for cell in row):
                padded = [*row, *[""] * (len(columns) - len(row))]
                yield (
                    number,
                    {name: cell.strip() for name, cell in zip(columns, padded, strict=False)},
                )
    except csv.Error as error:
        raise _unreadable(_("The file is not readable as CSV: %s.") % error) from error


def _check(columns: list[str]) -> None:
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise _unreadable(
            _("The first line must name the columns; missing: %s.") % ", ".join(missing)
        )
    unknown = sorted(set(columns) - set(COLUMNS) - {""})
    if unknown:
        raise _unreadable(_("These columns are not known: %s.") % ", ".join(unknown))
    if len(set(columns)) < len(columns):
        raise _unreadable(_("The first line names a column twice."))


def _unreadable(message: str) -> DomainError:
    return DomainError(message, code="unreadable_file", errors=[FieldError("file", message)])
