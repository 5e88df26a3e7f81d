"""On which days a season is in a year. Pure."""

from __future__ import annotations

import calendar
import datetime as dt

from loyalty.rules.calendar import in_year


def rule_day(
    rule: str, year: int, *, month: int | None = None, day: int | None = None,
    weekday: int | None = None, nth: int | None = None,
) -> dt.date | None:  # fmt: skip
    """What the rule finds in a year; None: nothing, as the days are written down."""
    if rule == "day" and month and day:
        return in_year(month, day, year)
    if rule == "weekday" and month and weekday is not None and nth:
        return weekday_of_month(year, month, weekday, nth)
    if rule == "easter":
        return easter(year)
    if rule == "orthodox":
        return orthodox_easter(year)
    return None


def weekday_of_month(year: int, month: int, weekday: int, nth: int) -> dt.date:
    """The nth such weekday, 0 being Monday; -1: the last."""
    first, length = calendar.monthrange(year, month)
    days = list(range(1 + (weekday - first) % 7, length + 1, 7))
    return dt.date(year, month, days[nth if nth < 0 else nth - 1])


def easter(year: int) -> dt.date:
    """Sunday, in the Gregorian calendar; by Meeus, Jones and Butcher."""
    cycle, (century, rest) = year % 19, divmod(year, 100)
    leap, left = divmod(century, 4)
    shift = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * cycle + century - leap - shift + 15) % 30
    quarter, odd = divmod(rest, 4)
    sunday = (32 + 2 * left + 2 * quarter - moon - odd) % 7
    late = (cycle + 11 * moon + 22 * sunday) // 451
    month, day = divmod(moon + sunday - 7 * late + 114, 31)
    return dt.date(year, month, day + 1)


def orthodox_easter(year: int) -> dt.date:
    """Sunday, by the Julian calendar, as a day of ours; by Meeus."""
    moon = (19 * (year % 19) + 15) % 30
    sunday = (2 * (year % 4) + 4 * (year % 7) - moon + 34) % 7
    month, day = divmod(moon + sunday + 114, 31)
    behind = year // 100 - year // 400 - 2
    return dt.date(year, month, day + 1) + dt.timedelta(days=behind)
