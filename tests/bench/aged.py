"""Databases whose books have aged: a million lots that lapsed and were written down, and open ones.

They are made once and kept beside the benchmark's other data; `bench_aged` is only ever copied.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.core.management import call_command
from django.db import connection
from django.db.backends.utils import CursorWrapper

from loyalty.selectors.rulebooks import reload_terms
from tests.bench import databases
from tests.bench.world import RAW, make_world

# The instant at which everything on aged books happens, so that they can be kept: nothing in them
# comes due because days pass.
NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
LAPSED = 1_000_000
# Open lots of the template, and none of them due.
TEMPLATE_HELD = 1_000_000
LOTS_EACH = 10
# Members who hold very many lots.
RICH, RICH_LOTS = 40, 10_000
TEMPLATE, COPY, HELD = "bench_aged", "bench_copy", "bench_held"
DAY = dt.timedelta(days=1)
_SQL = Path(__file__).parent / "aged.sql"
# A wallet's rows are loaded a million at a time, to say how far it is.
_PIECE = 1_000_000


@dataclass(frozen=True, slots=True)
class Range:
    """Wallets that are numbered one after the other; an account's number is `to_account` more."""

    first: int
    count: int
    to_account: int


@dataclass(frozen=True, slots=True)
class Aged:
    """What a database of aged books holds. `rich` are the wallets with 10 000 open lots each, all
    others have ten; `held` counts the others' open lots."""

    program_id: int
    wallets: Range
    rich: Range
    held: int


def ensure_template(members: int) -> None:
    """The database that copies are made of: 1 M lapsed lots and 1 M open ones that are not due."""
    ensure(TEMPLATE, members=members, held=TEMPLATE_HELD)


def ensure(name: str, *, members: int, held: int) -> None:
    """Make the database unless it is there, as this recipe makes it."""
    recipe = hashlib.sha256(_SQL.read_bytes()).hexdigest()[:12] + f" {members} members {held} held"
    if databases.note(name) == recipe:
        with databases.used(name), connection.cursor() as cursor:
            call_command("migrate", verbosity=0)
            cursor.execute(RAW.read_text(encoding="utf-8"))
        return
    begun = time.perf_counter()
    databases.create(name)
    with databases.used(name):
        call_command("migrate", verbosity=0)
        program = make_world(members)
        with connection.cursor() as cursor:
            cursor.execute(_SQL.read_text(encoding="utf-8"))
            _fill(program.pk, held)
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("CHECKPOINT")
    databases.set_note(name, recipe)
    size = databases.size_in_bytes(name) / 1e9
    _say(f"{name}: {held:,} lots held, made in {time.perf_counter() - begun:.0f} s, {size:.1f} GB")


@contextmanager
def opened(name: str) -> Iterator[Aged]:
    """Work on a database of aged books."""
    with databases.used(name):
        # Another database has other programs, though they may look the same.
        reload_terms()
        yield _found()


@contextmanager
def copied() -> Iterator[Aged]:
    """Work on a copy of the template, which is dropped afterwards."""
    databases.create(COPY, copy_of=TEMPLATE)
    try:
        with opened(COPY) as aged:
            yield aged
    finally:
        databases.drop(COPY)


def add_due(aged: Aged, lots: int) -> None:
    """So many lots more that have expired by NOW and are not written down yet, as they would lie
    there: written long ago, seen by vacuum, in the files."""
    with connection.cursor() as cursor:
        _add_lots(cursor, aged.wallets, lots, NOW - DAY, NOW)
        for table in ("loyalty_lot", "loyalty_transfer", "loyalty_wallet", "loyalty_lotuse"):
            cursor.execute(f"VACUUM (ANALYZE, INDEX_CLEANUP ON) {table}")
        cursor.execute("CHECKPOINT")


def _fill(program_id: int, held: int) -> None:
    with connection.cursor() as cursor, _without_indexes(cursor):
        cursor.execute(
            "SELECT bench_members(%s, %s)", [program_id, RICH + max(held // LOTS_EACH, 1)]
        )
        aged = _found()
        _add_lots(cursor, aged.wallets, LAPSED, NOW - 730 * DAY, NOW - 7 * DAY, used_up=True)
        _add_lots(cursor, aged.wallets, held, NOW + DAY, NOW + 360 * DAY)
        _add_lots(cursor, aged.rich, RICH * RICH_LOTS, NOW + DAY, NOW + 360 * DAY)
        # Let the expiries have what room is left on pages, as they come to have it over the years:
        # else each that is measured would be the first to write to its page.
        cursor.execute("VACUUM loyalty_transfer")
        cursor.execute("SELECT bench_write_down()")


def _add_lots(
    cursor: CursorWrapper, wallets: Range, lots: int, since: dt.datetime, until: dt.datetime, *,
    used_up: bool = False,
) -> None:  # fmt: skip
    for done in range(0, lots, _PIECE):
        piece = min(_PIECE, lots - done)
        starts, ends = (since + (until - since) * (at / lots) for at in (done, done + piece))
        cursor.execute(
            "SELECT bench_lots(%s, %s, %s, %s, %s, %s)",
            [wallets.first, wallets.count, piece, starts, ends, used_up],
        )


@contextmanager
def _without_indexes(cursor: CursorWrapper) -> Iterator[None]:
    """Drop the ledger's indexes that no constraint needs, and make them again at the end: at once
    costs less than row by row."""
    cursor.execute(
        """
        SELECT i.indexname, i.indexdef FROM pg_indexes i
         WHERE i.tablename IN
               ('loyalty_transfer', 'loyalty_lot', 'loyalty_lotuse', 'members_customer')
           AND NOT EXISTS (SELECT FROM pg_constraint c
                            WHERE c.conindid = format('%I', i.indexname)::regclass)
        """
    )
    indexes = cursor.fetchall()
    for name, _definition in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    for _name, definition in indexes:
        cursor.execute(definition)


def _found() -> Aged:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT m.program_id, min(w.id), count(*), min(w.account_id - w.id),
                   max(w.account_id - w.id), max(w.id)
              FROM loyalty_wallet w
              JOIN loyalty_membership m ON m.account_id = w.account_id
             WHERE m.card_number LIKE 'aged%'
             GROUP BY 1
            """
        )
        program_id, first, count, to_account, highest, last = cursor.fetchone()
    if to_account != highest or last - first + 1 != count:
        sys.exit("the aged wallets are not numbered in step; drop the benchmark's data")
    rich = Range(first, RICH, to_account)
    others = Range(first + RICH, count - RICH, to_account)
    return Aged(program_id, others, rich, others.count * LOTS_EACH)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
