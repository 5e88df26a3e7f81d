"""Writing down what has expired: how fast it is, and what its cost depends on."""

from __future__ import annotations

import datetime as dt
import math
import statistics
import time
from collections.abc import Mapping

from django.db import connection

from loyalty.services.expiry import find_expired, write_down_expired
from tests.bench.aged import NOW, Aged, add_due
from tests.bench.figures import Figures, Goal

GOALS = {
    "sweep": Goal("lapse sweep, lots a second / E", 5.0),
    "due": Goal("its cost against lots due, exponent", 1.0, at_most=True),
    "held": Goal("its cost against lots held, exponent", 0.3, at_most=True),
    "idle": Goal("nothing due, ms", 5.0, at_most=True),
}
SIZES = (1_000, 10_000, 100_000, 1_000_000)
# So many are due where the books differ in what else they hold.
SAME = 20_000


class Sweeps:
    """Sweeps of one database of aged books."""

    def __init__(self, aged: Aged) -> None:
        self.aged = aged
        self.now = NOW

    def by_size(self, most: int) -> Figures:
        """The cost of more and more lots due, and of none."""
        took = {size: self.sweep(size) for size in SIZES if size <= most}
        found = {f"sweep of {size:,} lots due, s": seconds for size, seconds in took.items()}
        largest = max(took)
        found["lots a second"] = largest / took[largest]
        found["due"] = exponent(took)
        found[f"nothing due, right after {largest:,} lots, ms"] = self.look()
        with connection.cursor() as cursor:
            # As autovacuum does within minutes, once so many rows have changed.
            cursor.execute("VACUUM loyalty_lot")
        found["idle"] = self.look()
        return found

    def sweep(self, lots: int) -> float:
        """The seconds in which so many lots that are due are written down."""
        add_due(self.aged, lots)
        self.now += dt.timedelta(seconds=1)
        begun = time.perf_counter()
        written = write_down_expired(self.now)
        took = time.perf_counter() - begun
        assert written == lots, (written, lots)
        return took

    def look(self) -> float:
        """The median time, in ms, of what the schedule does again and again: look, and sweep."""
        took = []
        for _ in range(50):
            begun = time.perf_counter()
            assert find_expired(self.now) is None
            assert write_down_expired(self.now) == 0
            took.append(time.perf_counter() - begun)
        return statistics.median(took) * 1000


def exponent(cost: Mapping[int, float]) -> float:
    """How cost grows with size: the slope of the line through the logarithms of both."""
    sizes, seconds = (list(map(math.log, part)) for part in zip(*cost.items(), strict=True))
    return statistics.linear_regression(sizes, seconds).slope
