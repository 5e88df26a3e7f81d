from __future__ import annotations

import select

from django.db.backends.postgresql import base
from psycopg.pq import ConnStatus, TransactionStatus

# A failed transaction refuses every query until it is rolled back.
BROKEN = (TransactionStatus.INERROR, TransactionStatus.UNKNOWN)


class DatabaseWrapper(base.DatabaseWrapper):
    """Keeps a connection for each thread and notices on its socket when the server has left.

    Django asks `is_usable` before the first query of every request. Its own way, a query of its
    own, costs a read that needs a single query half of its speed. A server that stopped or dropped
    the connection has closed the socket, which shows as something to read; then a query decides.
    """

    def is_usable(self) -> bool:
        if self.connection is None:
            return False
        pgconn = self.connection.pgconn
        if pgconn.status != ConnStatus.OK or pgconn.transaction_status in BROKEN:
            return False
        socket = select.poll()
        socket.register(pgconn.socket, select.POLLIN | select.POLLERR | select.POLLHUP)
        return not socket.poll(0) or super().is_usable()
