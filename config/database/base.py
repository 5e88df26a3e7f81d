from __future__ import annotations

import os
import select
from collections.abc import Sequence
from typing import Any
from weakref import WeakSet

from django.db.backends.postgresql import base, operations
from psycopg._preparing import Key, Prepare, PrepareManager
from psycopg._queries import PostgresQuery
from psycopg.pq import ConnStatus, TransactionStatus
from psycopg.pq.abc import PGresult

# A failed transaction refuses every query until it is rolled back.
BROKEN = (TransactionStatus.INERROR, TransactionStatus.UNKNOWN)

# What begins like this may change what was prepared before it.
OUTDATING = (b"CREATE", b"ALTER", b"DROP", b"DISCARD", b"DEALLOCATE")


class DatabaseOperations(operations.DatabaseOperations):
    compiler_module = "config.database.compiler"


class DatabaseWrapper(base.DatabaseWrapper):
    """Keeps a connection for each thread and notices on its socket when the server has left.

    Django asks `is_usable` before the first query of every request. Its own way, a query of its
    own, costs a read that needs a single query half of its speed. A server that stopped or dropped
    the connection has closed the socket, which shows as something to read; then a query decides.

    A process that forks shares no connection with its child: two that speak on one socket read each
    other's answers, and one of them ends what the other has prepared. (psycopg keeps the names of
    prepared statements with the connection, and forgets them when it has the server do so; one to a
    server that was restarted is a new connection, without names.)
    """

    ops_class = DatabaseOperations

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        _KNOWN.add(self)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        made = super().get_new_connection(conn_params)
        statements = StatementsThatStay()
        statements.prepare_threshold = made.prepare_threshold
        made._prepared = statements  # noqa: SLF001
        return made

    def forget_prepared(self) -> None:
        """Have the server forget what is prepared: now, or once the transaction that has failed is
        rolled back."""
        plain = self.connection
        assert plain is not None
        plain._prepared.outdated = True  # noqa: SLF001
        if plain.info.transaction_status == TransactionStatus.IDLE:
            plain.execute("DEALLOCATE ALL")

    def is_usable(self) -> bool:
        if self.connection is None:
            return False
        pgconn = self.connection.pgconn
        if pgconn.status != ConnStatus.OK or pgconn.transaction_status in BROKEN:
            return False
        socket = select.poll()
        socket.register(pgconn.socket, select.POLLIN | select.POLLERR | select.POLLHUP)
        return not socket.poll(0) or super().is_usable()

    def leave_inherited(self) -> None:
        """In the child of a fork: what asks next gets a connection of its own, and a transaction
        that was open here stays its parent's."""
        if self.connection is None:
            return
        # Kept, for whoever lets go of it complains that it was not closed.
        _INHERITED.append(self.connection)
        self.connection = None
        if self.in_atomic_block:
            self.closed_in_transaction = self.needs_rollback = True


class StatementsThatStay(PrepareManager):
    """After each rollback, even to a savepoint, psycopg has the server forget all that is prepared,
    since a table that it reads may have been made or changed by what was rolled back. Where nothing
    of the kind was done it stays: one order that comes twice would else have all statements of its
    process planned again. (What another session has changed shows when a statement fails:
    `forget_prepared`.)"""

    def __init__(self) -> None:
        super().__init__()
        self.outdated = False

    def maybe_add_to_cache(self, query: PostgresQuery, prep: Prepare, name: bytes) -> Key | None:
        """Django's own cursors never prepare: what they have done is looked at each time, and their
        texts, which have all values in them, are not kept."""
        if prep is Prepare.NO:
            return self.key(query)
        return super().maybe_add_to_cache(query, prep, name)

    def _should_discard(self, prep: Prepare, results: Sequence[PGresult], *given: Any) -> bool:
        done = [result.command_status or b"" for result in results]
        self.outdated = self.outdated or any(command.startswith(OUTDATING) for command in done)
        return super()._should_discard(prep, results, *given)

    def clear(self) -> bool:
        outdated, self.outdated = self.outdated, False
        return super().clear() if outdated else False


# Those of all threads and contexts: where an event loop runs, Django shows other ones than where
# none does, and in the child none runs any more.
_KNOWN: WeakSet[DatabaseWrapper] = WeakSet()
_INHERITED: list[object] = []


def _leave_inherited_connections() -> None:
    for found in list(_KNOWN):
        found.leave_inherited()


os.register_at_fork(after_in_child=_leave_inherited_connections)
