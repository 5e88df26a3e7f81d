"""The moment that relative dates are seen from: "in the last 30 days", "birthday this month"."""

from __future__ import annotations

import calendar
import datetime as dt
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass

from members.conditions.once import once


@dataclass(unsafe_hash=True)
class Moment:
    """An instant and the time zone whose days count. Never changed; to be frozen as well would cost
    more than what is in it."""

    now: dt.datetime
    zone: zoneinfo.ZoneInfo

    @once
    def local(self) -> dt.datetime:
        """The instant by the clocks of the zone."""
        return self.now.astimezone(self.zone)

    @property
    def today(self) -> dt.date:
        return self.local.date()

    def day(self, later: int) -> dt.date:
        return self.today + dt.timedelta(days=later)

    def start_of(self, day: dt.date) -> dt.datetime:
        """The instant at which a day begins; midnights that a spring night skips move forward."""
        return dt.datetime.combine(day, dt.time(), self.zone).astimezone(dt.UTC)

    def day_of(self, at: dt.datetime) -> dt.date:
        return at.astimezone(self.zone).date()


@dataclass(unsafe_hash=True)
class ProgramMoment(Moment):
    """In one program: what is asked of a membership is asked of the one in it."""

    program: int


def kept_on(day: dt.date) -> Iterator[int]:
    """The days of the year (month × 100 + day) that are kept on a day: a year without 29 February
    keeps it on the 28th."""
    yield day.month * 100 + day.day
    if (day.month, day.day) == (2, 28) and not calendar.isleap(day.year):
        yield 229


def month_days(first: dt.date, last: dt.date) -> frozenset[int]:
    """The days of the year that are kept from one day to another, both included."""
    found: set[int] = set()
    for number in range(min((last - first).days, 366) + 1):
        found.update(kept_on(first + dt.timedelta(days=number)))
    return frozenset(found)


def days_of_month(day: dt.date) -> frozenset[int]:
    """All days of the year in a day's month."""
    first = day.replace(day=1)
    return month_days(first, first.replace(day=calendar.monthrange(day.year, day.month)[1]))
