"""Bringing the two files of an import into tables of their own, in the order they will be worked
on.

Everything stays text here: what a cell means is `import_rows`' business. The tables are unlogged
(after a crash of the database the files are simply staged again); how far each part got is logged.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import IO

import psycopg
from django.db import DatabaseError, DataError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext as _
from psycopg import sql

from loyalty.services.csv_records import records
from loyalty.services.import_bodies import copy_bodies
from loyalty.services.import_files import is_ndjson, opened
from loyalty.services.import_rows import LINE_COLUMNS, ORDER_CELLS, StagedOrder
from loyalty.services.row_errors import MOST, RowError, RowErrors
from members.errors import DomainError, FieldError

CHUNK = 1 << 20
LONGEST_HEADER = 1 << 16
# What becomes of rows, counted in the transactions that did it.
OUTCOMES = ("created", "updated", "unchanged", "refused")
# Its row counts what was refused while the files were staged.
STAGED = -1
OPTIONAL = {
    "returns_order_id", "unit_price", "discount", "category", "sku", "kind", "shipping", "email",
    "given_name", "family_name", "exchange_rate", "exchange_currency",
}  # fmt: skip
DEFAULTS = {"kind": "sale"}


class Staging:
    """The staged files of one job: `open()` fills the tables, `batch()` reads them in order."""

    def __init__(self, job_id: int, parts: int) -> None:
        self.parts = parts
        self.orders = f"loyalty_import_{job_id}_orders"
        self.lines = f"loyalty_import_{job_id}_lines"
        self.progress = f"loyalty_import_{job_id}_progress"

    def is_staged(self) -> bool:
        """Whether the tables are there and filled (an unlogged table is empty after a crash), as
        this version makes them."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass(%s)"
                " AND attname IN ('body', 'exchange_rate') AND NOT attisdropped",
                [self.orders],
            )
            if cursor.fetchone()[0] < 2:
                return False
            cursor.execute(_sql("SELECT EXISTS (SELECT 1 FROM {t})", t=self.orders))
            return bool(cursor.fetchone()[0])

    def stage(
        self, orders_path: Path, lines_path: Path, mapping: Mapping[str, str] | None = None
    ) -> list[RowError]:
        """Load both files; returns the rows that are no rows at all. Raises DomainError for a file
        that is none of ours. `mapping`: what the file calls a column."""
        with transaction.atomic(), connection.cursor() as cursor:
            self._make_progress(cursor)
            raw = f"{self.orders}_raw"
            errors = RowErrors()
            _load(raw, "orders", orders_path, ORDER_CELLS, mapping or {}, errors)
            _load(self.lines, "lines", lines_path, LINE_COLUMNS, mapping or {}, errors)
            # After a crash of the database it is there still, and empty.
            cursor.execute(_sql("DROP TABLE IF EXISTS {t}", t=self.orders))
            # A buyer's orders stay in one part and in their own order: sales before returns.
            cursor.execute(
                _sql(
                    """
                    CREATE UNLOGGED TABLE {t} AS
                    SELECT *, row_number() OVER (PARTITION BY part ORDER BY customer_id, placed_at,
                                                 kind = 'return', order_id, row) AS seq
                      FROM (SELECT *, abs(hashtext(CASE WHEN customer_id = '' THEN order_id
                                                        ELSE customer_id END)::bigint) %% %s AS part
                              FROM {raw}) r
                    """,
                    t=self.orders,
                    raw=raw,
                ),
                [self.parts],
            )
            cursor.execute(_sql("DROP TABLE {raw}", raw=raw))
            cursor.execute(_sql("CREATE INDEX ON {t} (part, seq)", t=self.orders))
            cursor.execute(_sql("CREATE INDEX ON {t} (order_id)", t=self.lines))
            cursor.execute(_sql("ANALYZE {t}", t=self.orders))
            cursor.execute(_sql("ANALYZE {t}", t=self.lines))
            errors.extend(self._doubles(cursor))
            errors.extend(self._strays(cursor))
            refused = len({(error.file, error.row) for error in errors if error.file == "orders"})
            cursor.execute(
                _sql("UPDATE {t} SET refused = %s WHERE part = %s", t=self.progress),
                [refused, STAGED],
            )
            return errors

    def _make_progress(self, cursor: CursorWrapper) -> None:
        counts = sql.SQL(", ").join(
            sql.SQL("{} bigint NOT NULL DEFAULT 0").format(sql.Identifier(name))
            for name in OUTCOMES
        )
        cursor.execute(
            _sql(
                "CREATE TABLE IF NOT EXISTS {t}"
                " (part int PRIMARY KEY, seq bigint NOT NULL, {counts})",
                t=self.progress, counts=counts,
            )
        )  # fmt: skip
        cursor.execute(
            _sql("INSERT INTO {t} (part, seq) SELECT n, 0 FROM generate_series(%s, %s) n"
                 " ON CONFLICT DO NOTHING", t=self.progress),
            [STAGED, self.parts - 1],
        )  # fmt: skip

    def _doubles(self, cursor: CursorWrapper) -> list[RowError]:
        """Order numbers that the file holds more than once: the first row counts."""
        cursor.execute(
            _sql(
                """
                WITH gone AS (
                    DELETE FROM {t} a USING (
                        SELECT order_id, body <> '' AND kind = 'return' AS own, min(row) AS first
                          FROM {t} GROUP BY 1, 2 HAVING count(*) > 1
                    ) d
                    WHERE a.order_id = d.order_id AND a.row > d.first
                      -- As the API has them, orders and refunds are numbered apart.
                      AND (a.body <> '' AND a.kind = 'return') = d.own
                    RETURNING a.row, left(a.order_id, 200), a.body <> ''
                )
                SELECT * FROM gone LIMIT %s
                """,
                t=self.orders,
            ),
            [MOST + 1],
        )
        reason = _("This order number is in the file twice; the first row counts.")
        return [
            RowError("orders", row, "external_id" if is_body else "order_id", text, reason,
                     "duplicate")
            for row, text, is_body in cursor
        ]  # fmt: skip

    def _strays(self, cursor: CursorWrapper) -> list[RowError]:
        cursor.execute(
            _sql(
                "SELECT row, order_id FROM {lines} l"
                " WHERE NOT EXISTS (SELECT 1 FROM {orders} o WHERE o.order_id = l.order_id)"
                " LIMIT 1000",
                lines=self.lines,
                orders=self.orders,
            )
        )
        reason = _("The orders file has no such order.")
        return [
            RowError("lines", row, "order_id", text[:200], reason, "not_found")
            for row, text in cursor
        ]

    def total(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute(_sql("SELECT count(*) FROM {t}", t=self.orders))
            return int(cursor.fetchone()[0])

    def done(self) -> int:
        """Orders worked on so far, over all parts."""
        with connection.cursor() as cursor:
            cursor.execute(
                _sql(
                    "SELECT count(*) FROM {o} o JOIN {p} p ON p.part = o.part AND o.seq <= p.seq",
                    o=self.orders, p=self.progress,
                )
            )  # fmt: skip
            return int(cursor.fetchone()[0])

    def batch(self, part: int, size: int) -> tuple[int, list[StagedOrder]]:
        """The next orders of a part, with the sequence number up to which they reach."""
        with connection.cursor() as cursor:
            cursor.execute(
                _sql(
                    """
                    SELECT o.seq, o.row, o.body, {order_columns},
                           (SELECT array_agg(ARRAY[l.row::text, {line_columns}] ORDER BY l.row)
                              FROM {lines} l WHERE l.order_id = o.order_id)
                      FROM {orders} o
                     WHERE o.part = %s AND o.seq > (SELECT seq FROM {progress} WHERE part = %s)
                     ORDER BY o.seq LIMIT %s
                    """,
                    orders=self.orders,
                    lines=self.lines,
                    progress=self.progress,
                    order_columns=_columns("o", ORDER_CELLS),
                    line_columns=_columns("l", LINE_COLUMNS),
                ),
                [part, part, size],
            )
            rows = cursor.fetchall()
        width = len(ORDER_CELLS)
        staged = [
            StagedOrder(
                row[1],
                tuple(row[3 : 3 + width]),
                [(int(line[0]), tuple(line[1:])) for line in row[3 + width] or ()],
                row[2],
            )
            for row in rows
        ]
        return (rows[-1][0] if rows else 0), staged

    def advance(self, part: int, seq: int, outcomes: Mapping[str, int]) -> bool:
        """Remember, in the transaction that did the work, how far the part is and what became of
        its rows; false when somebody else has come as far already."""
        counted = sql.SQL(", ").join(
            sql.SQL("{0} = {0} + {1}").format(sql.Identifier(name), outcomes.get(name, 0))
            for name in OUTCOMES
        )
        with connection.cursor() as cursor:
            cursor.execute(
                _sql(
                    "UPDATE {t} SET seq = %s, {counted} WHERE part = %s AND seq < %s",
                    t=self.progress, counted=counted,
                ),
                [seq, part, seq],
            )  # fmt: skip
            return bool(cursor.rowcount)

    def outcomes(self) -> dict[str, int]:
        """What became of the rows so far, over all runs and parts."""
        sums = sql.SQL(", ").join(
            sql.SQL("sum({})::bigint").format(sql.Identifier(name)) for name in OUTCOMES
        )
        with connection.cursor() as cursor:
            cursor.execute(_sql("SELECT {sums} FROM {t}", sums=sums, t=self.progress))
            return dict(zip(OUTCOMES, cursor.fetchone(), strict=True))

    def drop(self) -> None:
        with connection.cursor() as cursor:
            for name in (self.orders, self.lines, self.progress):
                cursor.execute(_sql("DROP TABLE IF EXISTS {t}", t=name))


def _load(
    table: str, file: str, path: Path, columns: tuple[str, ...], mapping: Mapping[str, str],
    errors: RowErrors,
) -> None:  # fmt: skip
    if is_ndjson(path):
        _make_table(table, (*columns, "body"))
        with opened(path) as stream:
            copy_bodies(table, stream, errors)
        return
    with opened(path) as stream:
        header = read_header(stream, file, columns, mapping, optional=OPTIONAL)
    kept = [name if name in columns else f"ignored_{n}" for n, name in enumerate(header)]
    _make_table(table, (*dict.fromkeys([*kept, *columns]), "body"))
    try:
        with transaction.atomic():
            _copy_whole(table, path, kept)
    except (DatabaseError, psycopg.Error):  # COPY ends outside Django's translation of errors
        _copy_rows(table, file, path, kept, errors)


def _make_table(table: str, columns: tuple[str, ...]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_sql("DROP TABLE IF EXISTS {t}", t=table))
        cursor.execute(
            _sql(
                "CREATE UNLOGGED TABLE {t}"
                " (row bigint GENERATED BY DEFAULT AS IDENTITY (START 2), {columns})",
                t=table,
                columns=sql.SQL(", ").join(
                    sql.SQL("{} text NOT NULL DEFAULT {}").format(
                        sql.Identifier(name), sql.Literal(DEFAULTS.get(name, ""))
                    )
                    for name in columns
                ),
            )
        )


def read_header(
    stream: IO[bytes], file: str, columns: Collection[str], mapping: Mapping[str, str], *,
    optional: Collection[str],
) -> list[str]:  # fmt: skip
    """The names of a file's columns as they are ours; `mapping`: ours to what the file calls it."""
    text = stream.readline(LONGEST_HEADER).decode("utf-8-sig", errors="replace")
    header = next(csv.reader([text]), [])
    ours = {theirs.strip().lower(): name for name, theirs in mapping.items()}
    header = [ours.get(name.strip().lower(), name.strip().lower()) for name in header]
    missing = [name for name in columns if name not in header and name not in optional]
    if missing or len(set(header)) < len(header):
        message = (
            _("The %(file)s file has no column %(columns)s. Its first line must name the columns.")
            % {"file": file, "columns": ", ".join(missing)}
            if missing
            else _("The %(file)s file names a column twice.") % {"file": file}
        )
        raise DomainError(message, code="wrong_columns", errors=[FieldError(file, message)])
    return header


def _copy_whole(table: str, path: Path, columns: list[str]) -> None:
    """The fast way: PostgreSQL parses the file itself. Any malformed row refuses the file."""
    with opened(path) as stream, connection.cursor() as cursor:
        stream.readline(LONGEST_HEADER)
        with cursor.copy(_copy_statement(table, columns, "(FORMAT csv, NULL E'\\x01')")) as copy:
            while chunk := stream.read(CHUNK):
                if len(chunk) == CHUNK and b"\n" not in chunk:
                    raise DataError("A row is longer than the database is to hold in memory.")
                copy.write(chunk)


def _copy_rows(table: str, file: str, path: Path, columns: list[str], errors: RowErrors) -> None:
    """The patient way: row by row, leaving out and naming those that cannot be read."""
    with opened(path) as stream, connection.cursor() as cursor:
        cursor.execute(_sql("TRUNCATE {t} RESTART IDENTITY", t=table))
        stream.readline(LONGEST_HEADER)
        # NUL as a byte that is no UTF-8, so that the row is named as unreadable.
        read = records(stream, first=2, undecodable="surrogateescape", nul="\udc80")
        numbered = ["row", *columns]
        with cursor.copy(_copy_statement(table, numbered, "")) as copy:
            for number, row, wrong in read:
                reason = wrong or _unreadable(row, len(columns))
                if reason:
                    errors.append(RowError(file, number, "", ",".join(row)[:100].encode(
                        "utf-8", "replace").decode(), reason, "unreadable"))  # fmt: skip
                elif row:
                    copy.write_row([number, *row])


def _unreadable(row: list[str], width: int) -> str:
    if not row:
        return ""
    if len(row) != width:
        return _("The row has %(found)s cells, the header %(wanted)s.") % {
            "found": len(row),
            "wanted": width,
        }
    if any("\udc80" <= char <= "\udcff" for cell in row for char in cell):
        return _("The row is not written in UTF-8.")
    return ""


def _copy_statement(table: str, columns: list[str], options: str) -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN {}").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns)), sql.SQL(options)
    )


def _columns(alias: str, names: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.SQL("btrim({}.{})").format(sql.Identifier(alias), sql.Identifier(name))
        for name in names
    )


def _sql(text: str, **parts: str | sql.Composable) -> sql.Composed:
    """SQL with table names put in as identifiers."""
    return sql.SQL(text).format(
        **{
            name: sql.Identifier(part) if isinstance(part, str) else part
            for name, part in parts.items()
        }
    )
