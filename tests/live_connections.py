"""The live server's requests hand the connections to the database on to each other.

Each request has a thread's connection that ends with it, as tests want it: what empties the
database waits for nobody. But the server would begin a process for each of the thirty requests of
a page, which reads the catalog, compiles the triggers and plans every statement anew. The one that
was used last is taken first, so that most requests meet the same, which knows all that by heart.
"""

import threading
from typing import Any

from django.core.servers.basehttp import ThreadedWSGIServer
from django.db.backends.postgresql.psycopg_any import IsolationLevel
from django.test.testcases import LiveServerThread
from psycopg.pq import ConnStatus, TransactionStatus

from config.database.base import DatabaseWrapper

# With what adapts values to the time zone; the one that was used last is the last.
HELD: list[tuple[Any, Any]] = []
WRAPPER: Any = DatabaseWrapper
connect = WRAPPER.get_new_connection
close = WRAPPER._close


class Here(threading.local):
    """Of this thread: whether it answers the live server's requests."""

    serves = False


here = Here()
ended = threading.Event()


class Server(ThreadedWSGIServer):
    def process_request_thread(self, request: Any, client_address: Any) -> None:
        here.serves = True
        super().process_request_thread(request, client_address)


def take_connection(self: Any, params: dict[str, Any]) -> Any:
    while here.serves and HELD:
        connection, context = HELD.pop()
        if context is params["context"] and is_idle(connection):
            self.isolation_level = IsolationLevel.READ_COMMITTED
            return connection
        connection.close()
    return connect(self, params)


def hold_connection(self: Any) -> None:
    if (
        here.serves
        and not ended.is_set()
        and self.connection is not None
        and is_idle(self.connection)
    ):
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
    while HELD:
        HELD.pop()[0].close()


def install() -> None:
    LiveServerThread.server_class = Server
    WRAPPER.get_new_connection = take_connection
    WRAPPER._close = hold_connection
