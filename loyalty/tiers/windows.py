"""How long something counts: the instant from which it does so no more.

All instants here are in UTC: they are compared often, and instants of one zone compare fast.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from functools import lru_cache

from loyalty.rules.calendar import add_days, add_months, start_of_day
from loyalty.tiers.ladders import Window

YEAR = 12


def counts_until(
    window: Window, at: dt.datetime, joined_on: dt.date, zone: zoneinfo.ZoneInfo
) -> dt.datetime | None:
    """What is dated `at` counts until then, exclusively; None: for ever."""
    if window == "lifetime":
        return None
    day = at.astimezone(zone).date()
    match window:
        case "calendar_year":
            return begins(dt.date(day.year + 1, 1, 1), zone)
        case "membership_year":
            return begins(next_anniversary(joined_on, day), zone)
    return begins(a_year_later(day), zone)


@lru_cache(maxsize=16_384)
def begins(day: dt.date, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """The instant at which a day begins."""
    return start_of_day(day, zone).astimezone(dt.UTC)


@lru_cache(maxsize=16_384)
def a_year_later(day: dt.date) -> dt.date:
    """The first day whose last twelve months begin after the day: what was bought on 29 February
    counts to the end of 28 February."""
    later = add_months(day, YEAR)
    return later if later.day == day.day else later + dt.timedelta(days=1)


@lru_cache(maxsize=16_384)
def next_anniversary(joined_on: dt.date, day: dt.date) -> dt.date:
    """The first anniversary after the day; one of 29 February is kept on the 28th."""
    years = day.year - joined_on.year
    while add_months(joined_on, YEAR * years) <= day:
        years += 1
    while add_months(joined_on, YEAR * (years - 1)) > day:
        years -= 1
    return add_months(joined_on, YEAR * years)


def returns_until(at: dt.datetime, days: int, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """The end of the return window: so many days after the day of the order, the last one whole.
    Without days there is none."""
    if not days:
        return at
    return begins(at.astimezone(zone).date() + dt.timedelta(days=days + 1), zone)


def grace_until(at: dt.datetime, days: int, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    return add_days(at, days, zone).astimezone(dt.UTC)
