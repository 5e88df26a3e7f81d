"""When units mature and lapse, in the program's time zone."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from loyalty.rules.calendar import (
    add_days,
    add_months,
    end_of_day,
    end_of_period,
    localize,
    next_month_day,
    start_of_day,
)

NEW_YORK, ATHENS, UTC = ZoneInfo("America/New_York"), ZoneInfo("Europe/Athens"), ZoneInfo("UTC")


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2025-01-31", 1, "2025-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2025-08-31", 1, "2025-09-30"),
        ("2025-11-30", 3, "2026-02-28"),
        ("2025-12-15", 1, "2026-01-15"),
        ("2025-05-15", 120, "2035-05-15"),
        ("2025-05-15", 0, "2025-05-15"),
    ],
)
def test_a_day_the_month_lacks_becomes_its_last(day, months, expected):
    assert add_months(dt.date.fromisoformat(day), months).isoformat() == expected


@pytest.mark.parametrize(
    ("zone", "naive", "expected"),
    [
        (NEW_YORK, "2025-03-09T01:59", "2025-03-09T06:59"),
        (NEW_YORK, "2025-03-09T02:30", "2025-03-09T07:30"),  # skipped: becomes 03:30
        (NEW_YORK, "2025-03-09T03:30", "2025-03-09T07:30"),
        (NEW_YORK, "2025-11-02T01:30", "2025-11-02T05:30"),  # doubled: the first
        (ATHENS, "2025-03-30T03:30", "2025-03-30T01:30"),
        (ATHENS, "2025-10-26T03:30", "2025-10-26T00:30"),
        (ATHENS, "2025-07-01T12:00", "2025-07-01T09:00"),
    ],
)
def test_naive_times_are_read_in_the_programs_zone(zone, naive, expected):
    # In UTC: Python never calls a doubled hour equal to a time of another zone.
    found = localize(dt.datetime.fromisoformat(naive), zone).astimezone(dt.UTC)
    assert found == utc(expected)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (NEW_YORK, "2025-03-09", 23),
        (NEW_YORK, "2025-11-02", 25),
        (ATHENS, "2025-03-30", 23),
        (ATHENS, "2025-10-26", 25),
        (ATHENS, "2025-06-01", 24),
    ],
)
def test_days_last_as_long_as_clocks_say(zone, day, hours):
    date = dt.date.fromisoformat(day)
    lasted = end_of_day(date, zone).astimezone(dt.UTC) - start_of_day(date, zone)
    assert lasted == dt.timedelta(hours=hours)


@pytest.mark.parametrize(
    ("zone", "at", "days", "expected"),
    [
        (UTC, "2025-01-31T12:00", 0, "2025-01-31T12:00"),
        (UTC, "2025-01-31T12:00", 30, "2025-03-02T12:00"),
        # The same local time although the clocks change between.
        (NEW_YORK, "2025-03-08T17:00", 1, "2025-03-09T16:00"),
        (NEW_YORK, "2025-03-08T07:30", 1, "2025-03-09T07:30"),  # 02:30 is skipped
        (ATHENS, "2025-10-25T12:00", 2, "2025-10-27T13:00"),
    ],
)
def test_days_later_it_is_the_same_local_time(zone, at, days, expected):
    assert add_days(utc(at), days, zone) == utc(expected)


@pytest.mark.parametrize(
    ("day", "months", "later", "expected"),
    [
        ("2025-01-31", 1, 0, "2025-01-31"),
        ("2025-01-31", 1, 1, "2025-02-28"),
        ("2025-02-01", 3, 0, "2025-03-31"),
        ("2025-02-01", 3, 1, "2025-06-30"),
        ("2025-06-30", 6, 0, "2025-06-30"),
        ("2025-07-01", 6, 1, "2026-06-30"),
        ("2025-12-31", 12, 0, "2025-12-31"),
        ("2025-12-31", 12, 2, "2027-12-31"),
        ("2023-11-05", 1, 3, "2024-02-29"),
    ],
)
def test_periods_end_with_their_last_day(day, months, later, expected):
    assert end_of_period(dt.date.fromisoformat(day), months, later).isoformat() == expected


@pytest.mark.parametrize(
    ("day", "month", "number", "expected"),
    [
        ("2025-01-31", 3, 31, "2025-03-31"),
        ("2025-03-31", 3, 31, "2025-03-31"),
        ("2025-04-01", 3, 31, "2026-03-31"),
        ("2025-01-01", 2, 29, "2025-02-28"),
        ("2027-03-01", 2, 29, "2028-02-29"),
    ],
)
def test_a_day_of_the_year_comes_every_year(day, month, number, expected):
    assert next_month_day(dt.date.fromisoformat(day), month, number).isoformat() == expected
