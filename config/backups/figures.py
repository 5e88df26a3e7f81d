"""What a database holds in a few figures, by which a restored one is compared with its origin."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from psycopg import sql

from loyalty.ledger.reports import as_plain, totals
from loyalty.models import Program

# The staging tables of imports come and go while a dump runs; an import fills them anew.
LEFT_OUT = "loyalty_import_*"

TABLES = """
    SELECT n.nspname, c.relname
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname = ANY(current_schemas(false))
       AND c.relname NOT LIKE %s
     ORDER BY 1, 2
"""

Totals = dict[str, dict[str, dict[str, Any]]]


@dataclass(frozen=True)
class Figures:
    """Rows of each table, and what the books of each program say, by wallet type."""

    rows: dict[str, int]
    totals: Totals

    def differences(self, found: Figures) -> list[str]:
        """In words, where `found` is not as this."""
        return [
            _("%(name)s: %(expected)s expected, %(found)s found")
            % {"name": name, "expected": expected, "found": got}
            for name, expected, got in [*self._rows(found), *self._totals(found)]
            if expected != got
        ]

    def _rows(self, found: Figures) -> list[tuple[str, Any, Any]]:
        names = sorted(self.rows.keys() | found.rows.keys())
        return [
            (_("rows of %(table)s") % {"table": name}, self.rows.get(name), found.rows.get(name))
            for name in names
        ]

    def _totals(self, found: Figures) -> list[tuple[str, Any, Any]]:
        """Only figures known then: a later version may report more of them."""
        return [
            (f"{program}, {wallet_type}, {name}", units, there.get(name))
            for program, wallet_types in self.totals.items()
            for wallet_type, figures in wallet_types.items()
            for there in [found.totals.get(program, {}).get(wallet_type, {})]
            for name, units in figures.items()
        ]


def read_rows() -> dict[str, int]:
    """How many rows each table has, counted."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES, [LEFT_OUT.replace("_", r"\_").replace("*", "%")])
        tables = cursor.fetchall()
        rows = {}
        for schema, name in tables:
            cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name)))
            rows[name] = int(cursor.fetchone()[0])
    return rows


def read_totals(at: dt.datetime) -> Totals:
    """What the books say as of an instant: by program, wallet type and figure."""
    found: Totals = {}
    for program in Program.objects.order_by("code"):
        scales = {item.code: item.scale for item in program.wallet_types.all()}
        found[program.code] = {
            code: as_plain(figures, scales[code]) for code, figures in totals(program, at).items()
        }
    return found
