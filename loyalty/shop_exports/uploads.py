"""An uploaded export on its way to an import: looked into, read as chosen, tried, and started.

Its folder keeps what is known of it, for whoever uploaded it and nobody else.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
import uuid
import zoneinfo
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
from django.utils.translation import gettext as _

from loyalty.models import Order, Program
from loyalty.services.import_files import discard_folder, folder_called, new_folder, store_file
from loyalty.services.import_rows import address
from loyalty.services.imports import start_import
from loyalty.shop_exports.cells import DayOrder, Mark, day_order, decimal_mark
from loyalty.shop_exports.columns import WANTED, guess_columns
from loyalty.shop_exports.groups import Buyers, Group, Reading, grouped, number_of
from loyalty.shop_exports.orders import HEADS, Found, staged_orders
from loyalty.shop_exports.tables import Table, check_rows, read_table, rows_of
from members.errors import DomainError, FieldError
from members.models import Customer, Job
from members.selectors.merchants import get_merchant
from members.services.audit import Actor

NOTE = "upload.json"
CHUNK = 5_000
KEPT_ERRORS = 20_000
# One of them says what was paid.
PAID = ("total", "line_total", "unit_price")
AMOUNTS = ("total", "unit_price", "line_total", "shipping", "refunded", "discount")
_KEY = re.compile(r"[0-9a-f]{32}").fullmatch


@dataclass(slots=True)
class Choices:
    """What was chosen for a file, or guessed."""

    columns: dict[str, int]
    mark: Mark
    days: DayOrder
    currency: str
    source: str = "shop"


@dataclass(slots=True)
class Upload:
    """An uploaded file. `report` is there once it was tried, `job` once it was started."""

    key: str
    owner: int
    name: str
    file: str
    choices: Choices
    report: dict[str, Any] | None = None
    job: str = ""

    @property
    def folder(self) -> Path:
        return folder_called(self.key)

    @property
    def path(self) -> Path:
        return self.folder / self.file

    def table(self) -> Table:
        return read_table(self.path)

    def save(self) -> None:
        fresh = self.folder / f"{NOTE}.new"
        fresh.write_bytes(orjson.dumps(asdict(self)))
        fresh.chmod(0o600)
        fresh.replace(self.folder / NOTE)


def keep_upload(*, owner: int, name: str, chunks: Iterable[bytes]) -> Upload:
    """Keep a file and guess how it is to be read. Raises DomainError for what is no table."""
    folder = new_folder()
    try:
        path = store_file(folder, f"export-{name}", chunks)
        table = read_table(path)
        check_rows(path, table)
        choices = guess_choices(table)
    except DomainError:
        discard_folder(folder)
        raise
    upload = Upload(folder.name, owner, name[-100:], path.name, choices)
    upload.save()
    return upload


def find_upload(key: str, *, owner: int) -> Upload | None:
    """An upload of this person, while it is kept."""
    note = folder_called(key) / NOTE if _KEY(key) else None
    if note is None or not note.is_file():
        return None
    said = orjson.loads(note.read_bytes())
    upload = Upload(**{**said, "choices": Choices(**said["choices"])})
    return upload if upload.owner == owner and upload.path.is_file() else None


def guess_choices(table: Table) -> Choices:
    """What the file itself says of how it is to be read."""
    columns = guess_columns(table)
    amounts = [text for name in AMOUNTS if name in columns for text in table.column(columns[name])]
    return Choices(
        columns=columns,
        mark=decimal_mark(amounts, otherwise="," if table.separator == ";" else "."),
        days=day_order(table.column(columns["placed_at"]) if "placed_at" in columns else []),
        currency=get_merchant().currency,
    )


def check_choices(choices: Choices, table: Table) -> None:
    """Raise DomainError where something needed has no column."""
    missing = [str(item.label) for item in WANTED.values()
               if item.needed and item.name not in choices.columns]  # fmt: skip
    if missing:
        raise DomainError(
            _("Choose the column for: %s.") % ", ".join(missing), code="missing_columns"
        )
    if not {*PAID} & {*choices.columns}:
        words = _("Choose a column with what was paid: the total of the order, or prices of lines.")
        raise DomainError(words, code="missing_columns", errors=[FieldError("column_total", words)])
    if any(place >= len(table.header) for place in choices.columns.values()):
        raise DomainError(_("The file has no such column."), code="missing_columns")


def try_upload(upload: Upload, choices: Choices, *, now: dt.datetime) -> Found:
    """The dry run: everything but the last step. Its counts are kept with the upload."""
    table = upload.table()
    check_choices(choices, table)
    zone = zoneinfo.ZoneInfo(get_merchant().time_zone)
    reading = Reading(choices.columns, choices.mark, choices.days, choices.currency, zone, now)
    groups = grouped(rows_of(upload.path, table), reading)
    found = Found()
    buyers = Buyers(_known_numbers(groups.values()), _numbers_here(groups.values()))
    files = uuid.uuid4().hex
    _write(upload, files, staged_orders(groups, reading, buyers, choices.source, found))
    _write_errors(upload, found, table, choices)
    upload.choices = choices
    upload.report = {**_report(found, choices), "files": files}
    upload.save()
    return found


def start_upload(*, upload: Upload, program: Program | None, actor: Actor) -> Job:
    """Import what the dry run found, by the same job as any other import."""
    if upload.report is None:
        raise DomainError(_("Look at the dry run first."), code="not_tried")
    paths = _paths(upload, upload.report["files"])
    job = start_import(
        program=program, orders_path=paths["orders"], lines_path=paths["lines"], actor=actor,
        source=upload.choices.source, name=upload.name,
    )  # fmt: skip
    upload.job = str(job.public_id)
    upload.save()
    return job


def _known_numbers(groups: Iterable[Group]) -> dict[str, str]:
    """The numbers of customers who are here already, by their addresses."""
    emails = sorted({address(group.said.get("email", "")) for group in groups} - {""})
    known: dict[str, str] = {}
    for start in range(0, len(emails), CHUNK):
        rows = Customer.objects.filter(email__in=emails[start : start + CHUNK])
        # An address that stands in for a number is none that the shop has given.
        known.update(
            (email, number)
            for email, number in rows.values_list("email", "external_id")
            if number and number.lower() != email
        )
    return known


def _numbers_here(groups: Iterable[Group]) -> set[str]:
    """The shop's numbers that somebody here has: they say who it is, whatever the address."""
    numbers = sorted({number_of(group) for group in groups} - {""})
    here: set[str] = set()
    for start in range(0, len(numbers), CHUNK):
        rows = Customer.objects.filter(external_id__in=numbers[start : start + CHUNK])
        here.update(number or "" for number in rows.values_list("external_id", flat=True))
    return here


def _paths(upload: Upload, files: str) -> dict[str, Path]:
    return {name: upload.folder / f"{name}-{files}.csv" for name in HEADS}


def _write(upload: Upload, files: str, orders: Iterable[Any]) -> None:
    """The two files of a dry run, its own: an import that was started meanwhile reads those of
    the look before."""
    paths = _paths(upload, files)
    with (
        paths["orders"].open("w", newline="") as first,
        paths["lines"].open("w", newline="") as second,
    ):
        written = {"orders": csv.writer(first), "lines": csv.writer(second)}
        for name, head in HEADS.items():
            written[name].writerow(head)
        for order in orders:
            written["orders"].writerow(order.cells)
            written["lines"].writerows(cells for _row, cells in order.lines)


def _write_errors(upload: Upload, found: Found, table: Table, choices: Choices) -> None:
    """With the columns under the names that they have in the file."""
    errors = [
        [error.row, _name_of(error.column, table, choices), error.value, error.reason]
        for error in found.errors[:KEPT_ERRORS]
    ]
    (upload.folder / "errors.json").write_bytes(orjson.dumps(errors))


def errors_of(upload: Upload) -> Sequence[tuple[int, str, str, str]]:
    path = upload.folder / "errors.json"
    return [tuple(row) for row in orjson.loads(path.read_bytes())] if path.is_file() else []


def _name_of(column: str, table: Table, choices: Choices) -> str:
    place = choices.columns.get(column)
    return column if place is None else table.header[place]


def _report(found: Found, choices: Choices) -> dict[str, Any]:
    here = sum(
        Order.objects.filter(
            source=choices.source, external_id__in=found.numbers[start : start + CHUNK]
        ).count()
        for start in range(0, len(found.numbers), CHUNK)
    )
    return {
        "orders": found.orders,
        "returns": found.returns,
        "customers": len(found.customers),
        "guests": found.guests,
        "refused": found.refused,
        "left_out": dict(found.left_out),
        "states": dict(found.states.most_common()),
        "unread_emails": dict(found.unread_emails.most_common()),
        "here": here,
        "money": {currency: str(total) for currency, total in found.money.items()},
        "first": found.first.isoformat() if found.first else None,
        "last": found.last.isoformat() if found.last else None,
        "shown": found.shown,
    }
