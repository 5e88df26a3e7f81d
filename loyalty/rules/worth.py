"""What units are worth in money, and were before: what a budget in money counts by."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Worth:
    """Of one unit, in the program's currency. `before`: what it was worth until when, the earliest
    first. Worth nothing: no money is counted."""

    now: Decimal = ZERO
    before: tuple[tuple[dt.datetime, Decimal], ...] = ()

    def at(self, at: dt.datetime) -> Decimal:
        """A change is for what is given from then on, whenever it is told."""
        return next((value for until, value in self.before if at < until), self.now)

    def of(self, units: int, scale: int, at: dt.datetime) -> Decimal:
        """What so many units are worth, exactly."""
        return self.at(at) * Decimal(units).scaleb(-scale)

    def units_for(self, money: Decimal, scale: int, at: dt.datetime) -> int | None:
        """How many units are worth no more than that; None: any number."""
        one = self.at(at)
        if not one:
            return None
        return int(max(money, ZERO) // one.scaleb(-scale))


NO_WORTH = Worth()
