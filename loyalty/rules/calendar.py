"""Days and months in a program's time zone: when units mature and when they lapse."""

from __future__ import annotations

import calendar
import datetime as dt
import zoneinfo
from typing import Literal


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


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day so many months later; a day the month lacks becomes its last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def matures_at(occurred_at: dt.datetime, pending_days: int, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """So many calendar days later, at the same local time."""
    if not pending_days:
        return occurred_at
    local = occurred_at.astimezone(zone).replace(tzinfo=None)
    return localize(local + dt.timedelta(days=pending_days), zone)


def lapses_at(
    occurred_at: dt.datetime,
    months: int | None,
    last_day: Literal["end_of_day", "start_of_day"] | str,
    zone: zoneinfo.ZoneInfo,
) -> dt.datetime | None:
    """The first instant at which units earned then are gone; None: never."""
    if months is None:
        return None
    day = add_months(occurred_at.astimezone(zone).date(), months)
    return end_of_day(day, zone) if last_day == "end_of_day" else start_of_day(day, zone)
