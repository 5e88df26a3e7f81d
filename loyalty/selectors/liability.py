"""What a merchant owes its members in units: as of a day, by when it will expire, month by month.

Read from the totals of days and months, so that the cost does not follow members or lots.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, Sum
from django.db.models.functions import TruncMonth

from loyalty.models import DailyTotal, WalletType
from loyalty.rules.calendar import add_months, end_of_period
from loyalty.selectors.lot_totals import (
    HeldUntil,
    booked_units,
    held_by_end,
    lapses,
    unwritten_lapses,
)
from loyalty.selectors.unit_values import UnitValues, unit_values


@dataclass(frozen=True, slots=True)
class Liability:
    """As of the end of an accounting day. `units` are what members hold (`held`) less what they
    owe; both are told by what was booked by then, whatever was told later."""

    wallet_type: WalletType
    day: dt.date
    units: int
    held: tuple[HeldUntil, ...]
    values: UnitValues

    @property
    def held_units(self) -> int:
        return sum(item.units for item in self.held)

    @property
    def owed(self) -> int:
        return self.held_units - self.units

    @property
    def worth(self) -> Decimal:
        return self.worth_of(self.units)

    def worth_of(self, units: int) -> Decimal:
        """Money at what a unit was worth on the day; not rounded."""
        return self.values.worth(units, self.day)

    def expiring_by(self, month: dt.date) -> int:
        """What will be used for the last time in that month or before."""
        return sum(item.units for item in self.held if item.month and item.month <= month)


@dataclass(frozen=True, slots=True)
class MonthEnd:
    """The liability at the end of a month, or of the last day asked for."""

    day: dt.date
    units: int
    worth: Decimal


def get_liability(wallet_type: WalletType, day: dt.date) -> Liability:
    """The liability as of the end of a day in the program's time zone."""
    unwritten = unwritten_lapses(wallet_type, day)
    expired = sum(item.units for item in lapses(wallet_type, day, day, unwritten))
    return Liability(
        wallet_type=wallet_type,
        day=day,
        units=booked_units(wallet_type, day) - expired,
        held=tuple(held_by_end(wallet_type, day, unwritten)),
        values=unit_values(wallet_type),
    )


def liability_now(wallet_type: WalletType, now: dt.datetime) -> Liability:
    """The liability of the day that it is where the program is."""
    return get_liability(wallet_type, now.astimezone(wallet_type.program.zone).date())


def liability_trend(wallet_type: WalletType, last: dt.date, months: int = 24) -> list[MonthEnd]:
    """At the ends of so many months before a day, and on the day itself."""
    this_month = last.replace(day=1)
    days = [end_of_period(add_months(this_month, -n), 1, 0) for n in range(months, 0, -1)]
    days.append(last)
    values = unit_values(wallet_type)
    return [
        MonthEnd(day, units, values.worth(units, day))
        for day, units in zip(days, _net_on(wallet_type, days), strict=True)
    ]


def _net_on(wallet_type: WalletType, days: list[dt.date]) -> Iterator[int]:
    """Booked less expired at the end of each of these days: month ends, and one more."""
    booked = (
        DailyTotal.objects.filter(wallet_type=wallet_type, day__lte=days[-1])
        .annotate(month=TruncMonth("day"))
        .values("month")
        .annotate(units=Sum(F("incoming") - F("outgoing")))
        .values_list("month", "units")
    )
    changes = [(month, units) for month, units in booked]
    unwritten = unwritten_lapses(wallet_type, days[-1])
    changes += [
        (item.day, -item.units) for item in lapses(wallet_type, days[0], days[-1], unwritten)
    ]
    for day in days:
        yield sum(units for at, units in changes if at <= day)
