"""An uploaded export on its way to an import: looked into, and read as chosen. What tries it, and
starts its import, is in `dry_runs`.

Its folder keeps what is known of it, for whoever uploaded it and nobody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import orjson
from django.utils.translation import gettext as _

from loyalty.services.import_files import discard_folder, folder_called, new_folder, store_file
from loyalty.shop_exports.cells import DayOrder, Mark, day_order, decimal_mark
from loyalty.shop_exports.columns import WANTED, guess_columns
from loyalty.shop_exports.tables import Table, check_rows, read_table
from members.errors import DomainError, FieldError
from members.selectors.merchants import get_merchant

NOTE = "upload.json"
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
    """An uploaded file. `tried` names the job of its last dry run, `job` that of its import."""

    key: str
    owner: int
    name: str
    file: str
    choices: Choices
    tried: str = ""
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
    # A version before kept the counts of its dry run here; it is tried anew.
    known = {item.name: said[item.name] for item in fields(Upload) if item.name in said}
    upload = Upload(**{**known, "choices": Choices(**said["choices"])})
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
