"""Quarters of the calendar: pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from loyalty.rules.calendar import add_months

MONTHS = 3


@dataclass(frozen=True, slots=True)
class Quarter:
    """By its first day."""

    first: dt.date

    @property
    def last(self) -> dt.date:
        return add_months(self.first, MONTHS) - dt.timedelta(days=1)

    @property
    def number(self) -> int:
        return (self.first.month - 1) // MONTHS + 1

    @property
    def before(self) -> Quarter:
        return Quarter(add_months(self.first, -MONTHS))

    @property
    def name(self) -> str:
        """As an address says it: "2026-q3"."""
        return f"{self.first.year}-q{self.number}"

    def has(self, day: dt.date) -> bool:
        return self.first <= day <= self.last


def quarter_of(day: dt.date) -> Quarter:
    return Quarter(dt.date(day.year, day.month - (day.month - 1) % MONTHS, 1))


def quarter_named(name: str) -> Quarter | None:
    """The one that an address names, if it names any."""
    year, _dash, number = name.partition("-q")
    if len(year) != 4 or not year.isdecimal() or number not in {"1", "2", "3", "4"}:
        return None
    return Quarter(dt.date(int(year), (int(number) - 1) * MONTHS + 1, 1)) if int(year) else None
