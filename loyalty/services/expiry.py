"""Writing down what holds already: what expired, and balances past the instant they were exact.

Nothing depends on these having run. Each works in chunks that commit by themselves, so it can be
killed anywhere, run twice at once, and go on later.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.db import connection, transaction

from loyalty.ledger.posting import expire_due, refresh_stale
from members.services.transactions import run_atomically

LOTS = 5_000
WALLETS = 20_000
# Called after each chunk with how many were done by then; raises to stop.
Progress = Callable[[int], None]


def count_due(now: dt.datetime) -> int:
    """How many lots have expired and are not written down yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM loyalty_lot WHERE due_at <= %s", [now])
        return int(cursor.fetchone()[0])


def write_down_expired(now: dt.datetime, *, progress: Progress | None = None) -> int:
    """Write an expiry for every lot that has expired by now. Returns how many were written."""
    done = 0
    while True:
        closed, looked_at = run_atomically(lambda: expire_due(most=LOTS, now=now))
        done += closed
        if progress is not None:
            progress(done)
        if not looked_at:
            return done


def confirm_matured(now: dt.datetime, *, progress: Progress | None = None) -> int:
    """Bring the stored balances up to now, where units matured or expired since. Returns how many
    wallets were out of date."""
    after, refreshed = 0, 0
    while True:
        with transaction.atomic():
            after, found = refresh_stale(after=after, most=WALLETS, now=now)
        refreshed += found
        if progress is not None:
            progress(refreshed)
        if not after:
            return refreshed
