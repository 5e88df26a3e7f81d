"""Acts that many do at once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connections

THREADS = 8


def at_once(work: Callable[[int], object], threads: int = THREADS) -> list[object]:
    """Run `work(n)` in so many threads that begin together; what each returned or raised."""
    barrier = threading.Barrier(threads)

    def run(number: int) -> object:
        try:
            barrier.wait(10)
            return work(number)
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))
