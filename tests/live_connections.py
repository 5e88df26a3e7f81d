"""Threads hand the connections to the database on to each other: those of the live server's
requests, of tests that race, and of work that is done by several.

Each of them has a connection to itself that ends with it, as tests want it: what empties the
database waits for nobody. But the server would begin a process for each of the thirty requests of
a page, which reads the catalog, compiles the triggers and plans every statement anew. The one that
was used last is taken first, so that most threads meet the same, which knows all that by heart.
"""

import os
import threading
from typing import Any

from django.db.backends.base.creation import BaseDatabaseCreation
from django.db.backends.postgresql.psycopg_any import IsolationLevel
from psycopg.pq import ConnStatus, TransactionStatus

from config.database.base import DatabaseWrapper

# With what adapts values to the time zone; the one that was used last is the last.
HELD: list[tuple[Any, Any]] = []
# In a process that was forked: what its parent goes on talking by, which is not to be closed.
OF_THE_PARENT: list[tuple[Any, Any]] = []
WRAPPER: Any = DatabaseWrapper
connect = WRAPPER.get_new_connection
close = WRAPPER._close
destroy_test_database = BaseDatabaseCreation.destroy_test_db


class Here(threading.local):
    """Of this thread: whether it takes a connection of the one before it, and leaves its own. The
    tests' own thread keeps the one it has."""

    def __init__(self) -> None:
        self.shares = threading.current_thread() is not threading.main_thread()


here = Here()
ended = threading.Event()


def take_connection(self: Any, params: dict[str, Any]) -> Any:
    while here.shares:
        try:
            connection, context = HELD.pop()
        except IndexError:
            break
        if context is params["context"] and is_idle(connection):
            self.isolation_level = IsolationLevel.READ_COMMITTED
            return connection
        connection.close()
    return connect(self, params)


def hold_connection(self: Any) -> None:
    if (
        here.shares
        and not ended.is_set()
        and self.connection is not None
        and is_idle(self.connection)
    ):
        # What was set, or locked, for the session is as it began.
        self.connection.pgconn.exec_(b"RESET ALL; SELECT pg_advisory_unlock_all()")
        HELD.append((self.connection, self.get_connection_params()["context"]))
    else:
        close(self)


def is_idle(connection: Any) -> bool:
    """Nothing that was begun is open, and the server is there."""
    pgconn = connection.pgconn
    alive = pgconn.status == ConnStatus.OK
    return alive and bool(pgconn.transaction_status == TransactionStatus.IDLE)


def close_held() -> None:
    """For good: the database will be dropped."""
    ended.set()
    drop_held()


def drop_held() -> None:
    while HELD:
        HELD.pop()[0].close()


def leave_to_the_parent() -> None:
    OF_THE_PARENT.extend(HELD)
    HELD.clear()


def destroy_left_database(self: Any, *arguments: Any, **options: Any) -> None:
    """One that somebody is connected to cannot be dropped."""
    drop_held()
    destroy_test_database(self, *arguments, **options)


def install() -> None:
    BaseDatabaseCreation.destroy_test_db = destroy_left_database  # type: ignore[method-assign]
    WRAPPER.get_new_connection = take_connection
    WRAPPER._close = hold_connection
    os.register_at_fork(after_in_child=leave_to_the_parent)
