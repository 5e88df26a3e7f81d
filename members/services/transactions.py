"""Running a write again when the database asked for it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg
from django.db import DatabaseError, transaction

from members.program_scope import of_all_programs
from members.read_once import reading_anew

Result = TypeVar("Result")

# Serialization failure, deadlock, and two first messages about one new order or customer at once:
# the loser sees the winner's rows when it runs again.
RETRIED = {"40001", "40P01", "23505"}
ATTEMPTS = 4


def within_another() -> bool:
    """Whether a transaction is open already. Asked for by way of the module: to a test, its own is
    none."""
    return bool(transaction.get_connection().in_atomic_block)


def run_atomically(write: Callable[[], Result]) -> Result:
    """Run `write` in a transaction; again, with a short random wait, when it lost a race.

    Inside another transaction it runs once: whoever opened that one decides. It sees all programs,
    whoever asks: a write that concerns several of them is whole or is not made.
    """
    if within_another():
        with of_all_programs(), reading_anew():
            return write()
    return _run(write, durable=False)


def run_committed(write: Callable[[], Result]) -> Result:
    """As `run_atomically`, and what was written is there to stay once this returns: for what must
    not be lost while somebody outside is asked. Raises RuntimeError within another transaction."""
    return _run(write, durable=True)


def _run(write: Callable[[], Result], *, durable: bool) -> Result:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with of_all_programs(), reading_anew(), transaction.atomic(durable=durable):
                return write()
        except DatabaseError as error:
            if attempt == ATTEMPTS or not is_lost_race(error):
                raise
            time.sleep(random.uniform(0, 0.02 * attempt))  # spreads racers
    raise AssertionError("unreachable")


def is_lost_race(error: BaseException) -> bool:
    """Whether the same again is likely to go through; what catches everything lets it pass."""
    cause = error.__cause__
    if not isinstance(error, DatabaseError) or not isinstance(cause, psycopg.Error):
        return False
    return cause.sqlstate in RETRIED
