"""Lines of NDJSON on their way into a staging table: one JSON object each, kept as it is."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import IO, Any

import orjson
from django.db import connection
from django.utils.translation import gettext as _
from psycopg import sql

from loyalty.services.row_errors import RowError, RowErrors

LONGEST_LINE = 1 << 20
_STEP = re.compile(r"(\w+)|\[(\d+)\]")
Line = tuple[int, str, dict[str, Any]]


def copy_bodies(table: str, stream: IO[bytes], errors: RowErrors) -> None:
    """Put the orders and refunds of a stream into the table; what is no such line is named."""
    statement = sql.SQL(
        "COPY {} (row, order_id, customer_id, placed_at, kind, body) FROM STDIN"
    ).format(sql.Identifier(table))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for number, text, said in bodies(stream, "orders", errors):
            order_id = said.get("external_id")
            if not isinstance(order_id, str) or not order_id:
                reason = _("An order needs a number: write external_id.")
                errors.append(RowError("orders", number, "external_id", "", reason, "required"))
                continue
            # As the API tells them apart: what has been given back, and when.
            is_refund = "refunded_at" in said
            at = _sortable(said.get("refunded_at" if is_refund else "placed_at"))
            kind = "return" if is_refund else "sale"
            copy.write_row((number, order_id, _buyer(said), at, kind, text))


def bodies(
    stream: IO[bytes], file: str, errors: RowErrors, *, secret: bool = False
) -> Iterator[Line]:
    """The lines that are objects, counted from 1; empty ones are none. `secret`: what a line says
    is in no list of errors."""
    number = 0
    while raw := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(raw) > LONGEST_LINE:
            while raw and not raw.endswith(b"\n"):
                raw = stream.readline(LONGEST_LINE)
            reason = _("A line has at most one megabyte.")
            errors.append(RowError(file, number, "", "", reason, "too_long"))
            continue
        if number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        line = raw.strip()
        if not line:
            continue
        try:
            said = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            reason = _("This is not JSON: %(reason)s.") % {"reason": error}
            told = b"" if secret else line[:100]
            value = told.decode("utf-8", "replace").replace("\0", "\ufffd")
            errors.append(RowError(file, number, "", value, reason[:300], "malformed_json"))
            continue
        # PostgreSQL keeps no NUL, as a character or as what stands for it.
        if not isinstance(said, dict) or b"\\u0000" in line:
            reason = _("Each line is one JSON object: {…}.")
            errors.append(RowError(file, number, "", "", reason, "malformed_json"))
            continue
        yield number, line.decode(), said


def told_at(body: str, field: str) -> str:
    """What a body says in a field: "lines[1].total"."""
    found: Any = orjson.loads(body)
    for name, place in _STEP.findall(field):
        try:
            found = found[int(place)] if place else found[name]
        except (KeyError, IndexError, TypeError):
            return ""
    return found if isinstance(found, str) else orjson.dumps(found).decode()


def _buyer(said: dict[str, Any]) -> str:
    """What keeps a buyer's orders in one part."""
    customer = said.get("customer")
    named = customer if isinstance(customer, dict) else {}
    return str(named.get("external_id") or named.get("id") or "")


def _sortable(text: object) -> str:
    """A time as text that is in order with others; what is none stays, and is refused later."""
    try:
        at = dt.datetime.fromisoformat(str(text).upper())
        # The last hours of the calendar, and its first, are none anywhere else.
        return at.astimezone(dt.UTC).isoformat() if at.tzinfo else str(text)
    except (ValueError, OverflowError):
        return str(text)
