"""Triggers that write down which rows are new or went on, for whoever tells them to others: in the
same transaction, whoever wrote, a service or SQL. Nothing is written that nobody wants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import pgtrigger

# Of a table: new rows and rows of which a watched column has changed, 200 at most.
_TELL = """
    IF NOT EXISTS (SELECT FROM members_eventwish WHERE kind = '{kind}') THEN
        RETURN NULL;
    END IF;
    INSERT INTO members_outboxevent
           (kind, payload, created_at, available_at, attempts, last_error)
    SELECT '{kind}',
           jsonb_build_object('rows', jsonb_agg(
               jsonb_build_array(x.id, x.was, x.became, x.changed) ORDER BY x.id)),
           now(), now(), 0, ''
      FROM (SELECT r.*, (row_number() OVER (ORDER BY r.id) - 1) / 200 AS part FROM ({rows}) r) x
     GROUP BY x.part ORDER BY x.part;
    RETURN NULL;
"""


class ToldRow(NamedTuple):
    """A row as the trigger wrote it down: its key, its state before and after ("" where the table
    has none; None before: it is new), and which watched columns have changed."""

    id: int
    was: str | None
    became: str
    changed: Sequence[str]

    @property
    def is_new(self) -> bool:
        return self.was is None


def rows_told(payload: dict[str, Any]) -> list[ToldRow]:
    """What an event of these triggers says."""
    return [ToldRow(*row) for row in payload["rows"]]


def tells_new(kind: str, state: str = "") -> list[pgtrigger.Trigger]:
    """For a table whose rows never change."""
    became = _state("n", state)
    rows = (
        f"SELECT n.id, NULL::text AS was, {became} AS became, '[]'::jsonb AS changed"
        " FROM new_rows n"
    )
    return [_trigger("new_for_followers", pgtrigger.Insert, {"new": "new_rows"}, kind, rows)]


def tells(kind: str, state: str = "", watched: Iterable[str] = ()) -> list[pgtrigger.Trigger]:
    """For a table whose rows go on: `state` is the column that says how far they are; a change of
    it or of a watched column is told."""
    columns = sorted({*watched, *((state,) if state else ())})
    was, now = (", ".join(f"{row}.{column}" for column in columns) for row in "on")
    named = ", ".join(
        f"CASE WHEN o.{column} IS DISTINCT FROM n.{column} THEN '{column}' END"
        for column in columns
    )
    rows = f"""
        SELECT n.id, {_state("o", state)} AS was, {_state("n", state)} AS became,
               to_jsonb(array_remove(ARRAY[{named}], NULL)) AS changed
          FROM old_rows o JOIN new_rows n ON n.id = o.id
         WHERE ({was}) IS DISTINCT FROM ({now})"""
    both = {"old": "old_rows", "new": "new_rows"}
    return [
        *tells_new(kind, state),
        _trigger("changed_for_followers", pgtrigger.Update, both, kind, rows),
    ]


# Of a table: the keys of rows that have come to a state, a thousand at most in one event.
_REACHED = """
    INSERT INTO members_outboxevent
           (kind, payload, created_at, available_at, attempts, last_error)
    SELECT '{kind}', jsonb_build_object('{named}', jsonb_agg(r.id)),
           now(), now(), 0, ''
      FROM (SELECT x.id, (row_number() OVER () - 1) / 1000 AS part FROM ({rows}) x) r
     GROUP BY r.part;
    RETURN NULL;
"""


def tells_reached(
    kind: str, *, name: str, named: str, there: str, not_before: str
) -> list[pgtrigger.Trigger]:
    """Triggers for rows that come to a state, at once or later: `there` is said of the new row `n`,
    `not_before` of the old one `o`. Written down whether or not an endpoint wishes it, for what the
    application itself follows; the payload has the keys below `named`."""
    at_once = f"SELECT n.id FROM new_rows n WHERE {there}"
    later = (
        f"SELECT n.id FROM new_rows n JOIN old_rows o ON o.id = n.id WHERE {there} AND {not_before}"
    )
    both = {"old": "old_rows", "new": "new_rows"}
    return [
        _statement(
            f"{name}_at_once", pgtrigger.Insert, {"new": "new_rows"},
            _REACHED.format(kind=kind, named=named, rows=at_once),
        ),
        _statement(
            name, pgtrigger.Update, both, _REACHED.format(kind=kind, named=named, rows=later)
        ),
    ]  # fmt: skip


def _state(row: str, column: str) -> str:
    return f"coalesce({row}.{column}::text, '')" if column else "''::text"


def _trigger(
    name: str, operation: pgtrigger.Operation, referencing: dict[str, str], kind: str, rows: str
) -> pgtrigger.Trigger:
    return _statement(name, operation, referencing, _TELL.format(kind=kind, rows=rows))


def _statement(
    name: str, operation: pgtrigger.Operation, referencing: dict[str, str], func: str
) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=name, level=pgtrigger.Statement, when=pgtrigger.After, operation=operation,
        referencing=pgtrigger.Referencing(**referencing), func=func,  # type: ignore[no-untyped-call]
    )  # fmt: skip
