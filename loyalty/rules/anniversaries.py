"""Days that come back every year: birthdays, anniversaries of joining and of the first purchase.

Pure: which days of the year are kept on a day, and when units for it are given.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from members.conditions.moments import kept_on

# A day that is kept again sooner is the same one, moved: somebody corrected a birthday.
APART = 300
# Days that are made up for: when the work did not run, or a birthday was told only then.
MISSED = 30


@dataclass(frozen=True, slots=True)
class DueDay:
    """A day that is kept, and on which day units for it are given. `keys`: month × 100 + day of
    the days of birth, of joining … that are kept on it."""

    day: dt.date
    given_on: dt.date
    keys: tuple[int, ...]


def due_days(first: dt.date, last: dt.date, days_before: int) -> Iterator[DueDay]:
    """The days for which units are given from `first` to `last`, so many days ahead."""
    for number in range((last - first).days + 1):
        given_on = first + dt.timedelta(days=number)
        day = given_on + dt.timedelta(days=days_before)
        yield DueDay(day, given_on, tuple(kept_on(day)))
