"""PostgreSQL killed again and again while tills send orders."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.kill.books import assert_kept
from tests.kill.installation import Installation, kill, start
from tests.kill.till import Tills

# How many orders are acknowledged between two kills: the moment is never the same.
FEWEST, MOST = 20, 80

BEHIND = """
    SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::bigint
      FROM pg_control_checkpoint()
"""


@dataclass(frozen=True)
class Crash:
    """One kill: orders acknowledged until then, bytes of log since the last checkpoint, and how
    many seconds the server then took to answer."""

    acknowledged: int
    log_bytes: int
    recovery_seconds: float


def crash_postgres(installation: Installation, tills: Tills, kills: int) -> Iterator[Crash]:
    """Kill it so many times; after each, whatever had been acknowledged must be there."""
    for _ in range(kills):
        tills.wait_for(random.randint(FEWEST, MOST))
        [(log_bytes,)] = installation.query(BEHIND)
        kill(installation.postgres)
        acknowledged = tills.snapshot()
        seconds = start(installation.postgres)
        assert_kept(installation, tills.source, acknowledged)
        yield Crash(len(acknowledged), log_bytes, seconds)
