"""What is owed to members as of a day: what it costs to know, against adding up every lot."""

from __future__ import annotations

import datetime as dt
import statistics
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import connection

from loyalty.ledger.reports import totals
from loyalty.models import Program, WalletType
from loyalty.rules.calendar import last_instant
from loyalty.selectors.liability import get_liability
from loyalty.selectors.totals import booked_days
from loyalty.services.totals import rebuild_days, write_month_ends
from tests.bench.aged import NOW, Aged
from tests.bench.figures import Figures, Goal

GOALS = {
    "liability": Goal("liability as of a day / the scan", 0.01, at_most=True),
}
DAYS_AT_ONCE = 60
LOOKS = 20
Result = TypeVar("Result")


class Liabilities:
    """Reads of one database of aged books, with the totals that a worker would have written."""

    def __init__(self, aged: Aged) -> None:
        self.program = Program.objects.get(pk=aged.program_id)
        self.wallet_type = WalletType.objects.select_related("program").get(program=self.program)

    def follow(self) -> float:
        """Write all totals, of days and months; return the seconds that took."""
        begun = time.perf_counter()
        for booked in booked_days():
            days = [booked.first + dt.timedelta(days=number) for number in range(booked.count)]
            for start in range(0, len(days), DAYS_AT_ONCE):
                rebuild_days({booked.wallet_type: days[start : start + DAYS_AT_ONCE]})
            write_month_ends(booked.wallet_type, booked.last)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE loyalty_lottotal, loyalty_lotposition")
            cursor.execute("VACUUM ANALYZE loyalty_dailytotal")
        return time.perf_counter() - begun

    def look(self, ago: int) -> Figures:
        """As of so many days ago; both ways come to the same."""
        day = (NOW - dt.timedelta(days=ago)).date()
        at = last_instant(day, self.program.zone)
        scan, figures = _timed(lambda: totals(self.program, at, booked_by=day))
        found = figures[self.wallet_type.code]
        took = []
        for _ in range(LOOKS):
            seconds, liability = _timed(lambda: get_liability(self.wallet_type, day))
            assert liability.units == found.outstanding - found.owed, (liability.units, found)
            took.append(seconds)
        read = statistics.median(took)
        return {
            "liability": read / scan,
            f"liability as of {ago} days ago, ms": read * 1000,
            f"the scan of every lot, as of {ago} days ago, s": scan,
        }


def _timed(act: Callable[[], Result]) -> tuple[float, Result]:
    begun = time.perf_counter()
    result = act()
    return time.perf_counter() - begun, result
