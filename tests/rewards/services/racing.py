"""The same act many times at once."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import TypeVar

from django.db import connection, connections, transaction

from members.errors import DomainError

Result = TypeVar("Result")

THREADS, TRIES = 8, 50


def at_once(
    act: Callable[[int], object], tries: int = TRIES, *, threads: int = THREADS
) -> Counter[str]:
    """What became of so many tries: "done" or the code of the refusal."""

    waiting = iter(range(tries))

    def attempt(number: int) -> str:
        try:
            act(number)
        except DomainError as error:
            return error.code
        return "done"

    def work(_thread: int) -> list[str]:
        """As a worker of the server: one request after the other on a connection that it keeps."""
        try:
            return [attempt(number) for number in waiting]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        return Counter(chain.from_iterable(pool.map(work, range(threads))))


def in_the_way_of(
    piece: Callable[[], Result], lock: Callable[[], object], act: Callable[[], object]
) -> Result:
    """Somebody has locked what is theirs when a piece of work begins, and acts when it waits for
    them. That is a deadlock, and raises, where it holds already what they need."""

    def work() -> Result:
        try:
            return piece()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            lock()
            working = other.submit(work)
            until_it_waits(working)
            with connection.cursor() as cursor:
                # Whoever acts is told first, for the piece would begin anew and hide it.
                cursor.execute("SET LOCAL deadlock_timeout = '20ms'")
            act()
        return working.result()


def until_it_waits(working: Future[Result]) -> None:
    """Until the other waits for something that this connection has locked."""
    waiting = (
        "SELECT count(*) FROM pg_locks"
        " WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    )
    for _look in range(2000):
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
        assert not working.done(), "it did not wait"
        time.sleep(0.01)
    raise AssertionError("it never waited")
