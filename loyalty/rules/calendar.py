"""Days and months in a program's time zone: when units mature and when they lapse."""

from __future__ import annotations

import calendar
import datetime as dt
import zoneinfo

# A lifetime has one period, which begins before everything.
EVER = dt.date(1, 1, 1)


def localize(naive: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """Read a shop's naive time: a time that a spring night skips moves forward, a doubled one is
    the first."""
    aware = naive.replace(tzinfo=zone, fold=0)
    # Through UTC and back, a skipped 02:30 becomes 03:30; every other time stays what it was.
    return aware.astimezone(dt.UTC).astimezone(zone)


def start_of_day(day: dt.date, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    return localize(dt.datetime.combine(day, dt.time()), zone)


def end_of_day(day: dt.date, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """The first instant after the day: limits are exclusive."""
    return start_of_day(day + dt.timedelta(days=1), zone)


def last_instant(day: dt.date, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """What "as of a day" means: all that happened on it is included."""
    return end_of_day(day, zone) - dt.timedelta(microseconds=1)


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day so many months later; a day the month lacks becomes its last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def add_days(at: dt.datetime, days: int, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """So many calendar days later, at the same local time."""
    if not days:
        return at
    local = at.astimezone(zone).replace(tzinfo=None)
    return localize(local + dt.timedelta(days=days), zone)


def period_start(period: str, at: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.date:
    """The first day of the day, week (from Monday), month, quarter or year that a moment is in; a
    lifetime begins before everything."""
    day = at.astimezone(zone).date()
    match period:
        case "day":
            return day
        case "week":
            return day - dt.timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case "year":
            return day.replace(month=1, day=1)
    return EVER


def end_of_period(day: dt.date, months: int, later: int) -> dt.date:
    """The last day of the period of `months` (1, 3, 6 or 12) that the day is in, or of the one so
    many periods `later`."""
    first = dt.date(day.year, (day.month - 1) // months * months + 1, 1)
    return add_months(first, months * (later + 1)) - dt.timedelta(days=1)


def in_year(month: int, number: int, year: int) -> dt.date:
    """A day of the year in one year: 29 February is kept on the 28th where there is no 29th."""
    return dt.date(year, month, min(number, calendar.monthrange(year, month)[1]))


def next_month_day(day: dt.date, month: int, number: int) -> dt.date:
    """The next such day of the year, today included."""
    for year in (day.year, day.year + 1):
        found = in_year(month, number, year)
        if found >= day:
            return found
    raise AssertionError("a day of the year comes every year")
