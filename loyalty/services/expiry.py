"""Writing down what holds already: what expired, and balances past the instant they were exact.

Nothing depends on these having run. Each works in chunks that commit by themselves, so it can be
killed anywhere, run twice at once, and go on later.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.ledger.posting import expire_due, refresh_stale
from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.services.job_runs import Step, run_in_chunks
from members.services.transactions import run_atomically

EXPIRY, CONFIRMATION = "expiry", "confirmation"
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


def find_expired(now: dt.datetime) -> Work | None:
    """What there is to write down; nothing, usually."""
    if not _is_any_due(now):
        return None
    return Work(_("What has expired"), params={"now": now.isoformat()}, total=count_due(now))


def run_expiry(job_id: int) -> Job | None:
    """Write down what has expired; None when another run has it."""
    return run_in_chunks(job_id, _expire_chunk)


def expiry_words(job: Job) -> str:
    lots = job.result.get("lots", 0)
    words = ngettext("%s lot has expired.", "%s lots have expired.", lots)
    return words % format_number(lots)


def find_stale(now: dt.datetime) -> Work | None:
    """Every wallet is looked at; nothing where there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM loyalty_wallet")
        wallets = int(cursor.fetchone()[0])
    if not wallets:
        return None
    return Work(_("Matured units"), params={"now": now.isoformat()}, total=wallets)


def run_confirmation(job_id: int) -> Job | None:
    """Bring stored balances up to date; None when another run has it."""
    return run_in_chunks(job_id, _confirm_chunk)


def confirmation_words(job: Job) -> str:
    wallets = job.result.get("wallets", 0)
    words = ngettext("%s balance was brought up to date.", "%s balances were brought up to date.",
                     wallets)  # fmt: skip
    return words % format_number(wallets)


def _expire_chunk(job: Job) -> Step | None:
    closed, looked_at = expire_due(most=LOTS, now=dt.datetime.fromisoformat(job.params["now"]))
    if not looked_at:
        return None
    lots = job.result.get("lots", 0) + closed
    return Step(checkpoint={}, done=lots, total=max(job.total, lots), result={"lots": lots})


def _confirm_chunk(job: Job) -> Step | None:
    now = dt.datetime.fromisoformat(job.params["now"])
    after, found = refresh_stale(after=job.checkpoint.get("after", 0), most=WALLETS, now=now)
    if not after:
        return None
    return Step(
        checkpoint={"after": after},
        done=min(job.done + WALLETS, job.total),
        result={"wallets": job.result.get("wallets", 0) + found},
    )


def _is_any_due(now: dt.datetime) -> bool:
    """Lots, or wallets by inactivity. The first in the index is compared, rather than those that
    are due looked for: right after many were written down the planner still expects as many, and
    would read the whole table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(least((SELECT min(due_at) FROM loyalty_lot),"
            " (SELECT min(active_until) FROM loyalty_wallet)) <= %s, false)",
            [now],
        )
        return bool(cursor.fetchone()[0])
