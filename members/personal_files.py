"""The data of a person as one file to hand out: JSON for programs, tables for spreadsheets, and a
page to read."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.template.loader import render_to_string
from django.utils.text import capfirst

from members.file_cells import cell
from members.formatting import format_day, format_moment, format_number
from members.models import Customer
from members.selectors.merchants import get_merchant
from members.selectors.personal_data import TableOfPerson

FILE_NAME, FILE_TYPE = "personal-data.zip", "application/zip"
IN_MEMORY = 4 * 1024 * 1024
# The page is for reading; whoever has more looks into the tables.
READ_ROWS = 100


@dataclass(slots=True)
class _Part:
    """What the page says of a part."""

    title: str
    tables: list[dict[str, Any]] = field(default_factory=list)


def write_package(customer: Customer, tables: Iterable[TableOfPerson], now: datetime) -> IO[bytes]:
    """A zip archive, read from its beginning. Of each table one has its rows in memory at most."""
    target: IO[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  (the reader closes it)
    parts: dict[str, _Part] = {}
    data: dict[str, Any] = {}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in tables:
            rows = list(table.rows)
            if not rows:
                continue
            part = table.part
            data.setdefault(part.key, {})[table.key] = [
                dict(zip(table.columns, row, strict=True)) for row in rows
            ]
            archive.writestr(f"tables/{part.key}/{table.key}.csv", _csv(table.columns, rows))
            told = parts.setdefault(part.key, _Part(str(part.title)))
            told.tables.append(_shown(table, rows))
        whole = {"made_at": now, "customer": customer.public_id, "data": data}
        archive.writestr(
            "data.json", json.dumps(whole, ensure_ascii=False, indent=1, cls=DjangoJSONEncoder)
        )
        archive.writestr("index.html", _page(customer, list(parts.values()), now))
    target.seek(0)
    return target


def _csv(columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()


def _shown(table: TableOfPerson, rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    """The newest rows, without columns in which none of them has anything."""
    newest = rows[::-1][:READ_ROWS]
    filled = [
        place for place, name in enumerate(table.columns)
        if name != "id" and any(row[place] not in (None, "", [], {}) for row in newest)
    ]  # fmt: skip
    return {
        "name": capfirst(table.key.replace("_", " ")),
        "file": f"tables/{table.part.key}/{table.key}.csv",
        "columns": [capfirst(table.columns[place].replace("_", " ")) for place in filled],
        "rows": [[_text(row[place]) for place in filled] for row in newest],
        "count": len(rows),
        "more": len(rows) > len(newest),
    }


def _page(customer: Customer, parts: list[_Part], now: datetime) -> str:
    context = {"customer": customer, "parts": parts, "now": now, "merchant": get_merchant()}
    return render_to_string("personal_data/page.html", context)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, datetime):
        return format_moment(value)
    if isinstance(value, date):
        return format_day(value)
    if isinstance(value, int):
        return format_number(value)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder)
    return str(value)
