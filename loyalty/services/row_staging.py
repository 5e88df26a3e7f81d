"""Staging a file of one kind of rows: customers, or balances. Each row is kept as one JSON object,
so that CSV and NDJSON are worked on alike, and a run that was killed finds them in their order.

Like those of orders (`import_staging`) the table is unlogged: after a crash of the database the
file is simply staged again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from django.db import connection
from django.utils.translation import gettext as _
from psycopg import sql

from loyalty.services.csv_records import records
from loyalty.services.import_bodies import bodies
from loyalty.services.import_files import is_ndjson, opened
from loyalty.services.import_staging import read_header
from loyalty.services.row_errors import MOST, RowError, RowErrors
from members.errors import DomainError, FieldError
from members.file_cells import written


@dataclass(frozen=True, slots=True)
class Layout:
    """What rows a file has: `key` names each once; `group` names what several are of; of `naming`
    one column must be there, and all of `required`. `prefixes`: columns that begin with one of them
    are kept besides. `secret`: of rows that cannot be read nothing is shown, since they may have
    what spends money."""

    file: str
    columns: tuple[str, ...]
    required: tuple[str, ...] = ()
    naming: tuple[str, ...] = ()
    key: str = ""
    group: str = ""
    prefixes: tuple[str, ...] = ()
    secret: bool = False

    def keeps(self, name: str) -> bool:
        return name in self.columns or name.startswith(self.prefixes)


class RowStaging:
    """The staged rows of one job."""

    def __init__(self, job_id: int) -> None:
        self.table = sql.Identifier(f"loyalty_import_{job_id}_rows")
        self.name = f"loyalty_import_{job_id}_rows"

    def is_staged(self) -> bool:
        """Whether the rows are there (an unlogged table is empty after a crash)."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s)", [self.name])
            if cursor.fetchone()[0] is None:
                return False
            # A version before staged them without what they belong to.
            cursor.execute(
                "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(%s)"
                " AND attname = 'belongs'",
                [self.name],
            )
            if cursor.fetchone() is None:
                return False
            cursor.execute(self._sql("SELECT EXISTS (SELECT 1 FROM {t})"))
            return bool(cursor.fetchone()[0])

    def stage(self, path: Path, layout: Layout, mapping: Mapping[str, str]) -> list[RowError]:
        """Load the file, and say which rows are none. Raises DomainError for one that is none of
        ours."""
        errors = RowErrors()
        with connection.cursor() as cursor:
            cursor.execute(self._sql("DROP TABLE IF EXISTS {t}"))
            cursor.execute(
                self._sql(
                    "CREATE UNLOGGED TABLE {t}"
                    " (row bigint PRIMARY KEY, key text NOT NULL, body text NOT NULL,"
                    " belongs text NOT NULL)"
                )
            )
            with cursor.copy(self._sql("COPY {t} FROM STDIN")) as copy:
                for row in _rows(path, layout, mapping, errors):
                    copy.write_row(row)
            if layout.group:
                # A hash of it, since a name may be longer than an index takes.
                cursor.execute(
                    self._sql("CREATE INDEX ON {t} USING hash (belongs) WHERE belongs <> ''")
                )
            cursor.execute(self._sql("ANALYZE {t}"))
        if layout.key:
            self._doubles(layout, errors)
        return errors

    def _doubles(self, layout: Layout, errors: RowErrors) -> None:
        """Rows that are named as one before them: the first counts."""
        with connection.cursor() as cursor:
            cursor.execute(
                self._sql(
                    """
                    WITH gone AS (
                        DELETE FROM {t} a
                         USING (SELECT key, min(row) AS first FROM {t} WHERE key <> ''
                                 GROUP BY key HAVING count(*) > 1) d
                         WHERE a.key = d.key AND a.row > d.first RETURNING a.row, left(a.key, 200)
                    )
                    SELECT * FROM gone LIMIT %s
                    """
                ),
                [MOST + 1],
            )
            reason = _("This is in the file twice; the first row counts.")
            errors.extend(
                RowError(layout.file, row, layout.key, key, reason, "duplicate")
                for row, key in cursor
            )

    def total(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute(self._sql("SELECT count(*) FROM {t}"))
            return int(cursor.fetchone()[0])

    def batch(self, after: int, size: int) -> list[tuple[int, str]]:
        """The next rows after one: number and body."""
        with connection.cursor() as cursor:
            cursor.execute(
                self._sql("SELECT row, body FROM {t} WHERE row > %s ORDER BY row LIMIT %s"),
                [after, size],
            )
            return [(row, body) for row, body in cursor.fetchall()]

    def together(self, groups: Sequence[str], word: str) -> list[tuple[int, str]]:
        """The rows of these groups in which a word is somewhere: number and body."""
        with connection.cursor() as cursor:
            cursor.execute(
                self._sql(
                    "SELECT row, body FROM {t}"
                    " WHERE belongs = ANY(%s) AND belongs <> '' AND body LIKE %s ORDER BY row"
                ),
                [list(groups), f"%{word}%"],
            )
            return [(row, body) for row, body in cursor.fetchall()]

    def drop(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(self._sql("DROP TABLE IF EXISTS {t}"))

    def _sql(self, text: str) -> sql.Composed:
        return sql.SQL(text).format(t=self.table)


def _rows(
    path: Path, layout: Layout, mapping: Mapping[str, str], errors: RowErrors
) -> Iterator[tuple[int, str, str, str]]:
    """Number, key, body and group of each row."""
    if is_ndjson(path):
        with opened(path) as stream:
            for number, text, said in bodies(stream, layout.file, errors, secret=layout.secret):
                # Read without blanks around it, as a cell of CSV is.
                told = [str(said.get(name) or "").strip() for name in (layout.key, layout.group)]
                yield number, told[0], text, told[1]
        return
    for number, cells in _cells(path, layout, mapping, errors):
        key, group = cells.get(layout.key, ""), cells.get(layout.group, "")
        yield number, key, orjson.dumps(cells).decode(), group


def _cells(
    path: Path, layout: Layout, mapping: Mapping[str, str], errors: RowErrors
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows below the first line, which names the columns."""
    with opened(path) as stream:
        optional = set(layout.columns) - set(layout.required)
        header = read_header(stream, layout.file, layout.columns, mapping, optional=optional)
        _check_naming(header, layout)
        for number, row, wrong in records(stream, first=2, undecodable="replace", nul=""):
            if wrong:
                errors.append(RowError(layout.file, number, "", "", wrong, "unreadable"))
            elif len(row) > len(header):
                reason = _("The row has %(found)s cells, the header %(wanted)s.") % {
                    "found": len(row), "wanted": len(header),
                }  # fmt: skip
                value = "" if layout.secret else ",".join(row)[:100]
                errors.append(RowError(layout.file, number, "", value, reason, "unreadable"))
            elif row:
                # Cells that are left out at the end are empty.
                yield (
                    number,
                    {
                        name: written(cell.strip())
                        for name, cell in zip(header, row, strict=False)
                        if layout.keeps(name)
                    },
                )


def _check_naming(header: Collection[str], layout: Layout) -> None:
    if layout.naming and not set(layout.naming) & set(header):
        message = _("The first line must name one of these columns: %s.") % ", ".join(layout.naming)
        raise DomainError(
            message, code="wrong_columns", errors=[FieldError(layout.file, message)]
        )  # fmt: skip
