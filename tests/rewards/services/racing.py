"""The same act many times at once."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connections

from members.errors import DomainError

THREADS, TRIES = 8, 50


def at_once(act: Callable[[int], object], tries: int = TRIES) -> Counter[str]:
    """What became of so many tries: "done" or the code of the refusal."""

    def attempt(number: int) -> str:
        try:
            act(number)
        except DomainError as error:
            return error.code
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(THREADS) as threads:
        return Counter(threads.map(attempt, range(tries)))
