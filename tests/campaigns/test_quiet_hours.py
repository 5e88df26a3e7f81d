"""Nobody is written to at night, by their own clock, also when the clock is changed."""

import datetime as dt
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.quiet_hours import is_quiet, next_allowed
from campaigns.time_zones import choose_zone

NINE, EIGHT = dt.time(21), dt.time(8)
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
NEW_YORK = zoneinfo.ZoneInfo("America/New_York")


def at(text: str, zone: zoneinfo.ZoneInfo, fold: int = 0) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-06-01T12:00", "2026-06-01T12:00"),
        ("2026-06-01T20:59", "2026-06-01T20:59"),
        ("2026-06-01T21:00", "2026-06-02T08:00"),
        ("2026-06-01T23:59", "2026-06-02T08:00"),
        ("2026-06-02T03:00", "2026-06-02T08:00"),
        ("2026-06-02T08:00", "2026-06-02T08:00"),
        ("2026-12-31T23:30", "2027-01-01T08:00"),
        ("2028-02-28T22:00", "2028-02-29T08:00"),
        # The nights on which the clock is put forward and back.
        ("2026-03-28T23:00", "2026-03-29T08:00"),
        ("2026-10-24T23:00", "2026-10-25T08:00"),
    ],
)
def test_the_night_is_over_at_the_same_time_by_the_clock(now: str, then: str) -> None:
    assert next_allowed(at(now, BERLIN), BERLIN, NINE, EIGHT) == at(then, BERLIN)


def test_the_night_may_be_an_hour_shorter_or_longer() -> None:
    spring = next_allowed(at("2026-03-28T23:00", BERLIN), BERLIN, NINE, EIGHT)
    autumn = next_allowed(at("2026-10-24T23:00", BERLIN), BERLIN, NINE, EIGHT)
    assert spring - at("2026-03-28T23:00", BERLIN) == dt.timedelta(hours=8)
    assert autumn - at("2026-10-24T23:00", BERLIN) == dt.timedelta(hours=10)


def test_an_hour_that_is_shown_twice_is_quiet_twice() -> None:
    begins, ends = dt.time(22), dt.time(1, 30)
    first = at("2026-11-01T01:40", NEW_YORK)
    assert next_allowed(first, NEW_YORK, begins, ends) == first
    again = at("2026-11-01T01:10", NEW_YORK, fold=1)
    assert next_allowed(again, NEW_YORK, begins, ends) == at("2026-11-01T01:30", NEW_YORK, fold=1)


def test_an_end_that_the_clock_never_shows_comes_an_hour_later() -> None:
    found = next_allowed(at("2026-03-29T01:00", BERLIN), BERLIN, dt.time(22), dt.time(2, 30))
    assert found == at("2026-03-29T03:30", BERLIN)


@given(
    st.integers(0, 3 * 365 * 24 * 60).map(lambda minutes: START + dt.timedelta(minutes=minutes)),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kuala_Lumpur", "Pacific/Apia",
                     "America/St_Johns", "Australia/Lord_Howe"]),
    st.times(), st.times(),
)  # fmt: skip
def test_whatever_is_allowed_is_not_quiet_and_comes_within_a_day(
    now: dt.datetime, zone: str, begins: dt.time, ends: dt.time
) -> None:
    clock = zoneinfo.ZoneInfo(zone)
    found = next_allowed(now, clock, begins, ends)
    assert not is_quiet(found, clock, begins, ends)
    assert now <= found <= now + dt.timedelta(hours=26)


@pytest.mark.parametrize(
    ("said", "country", "otherwise", "zone"),
    [
        ("Asia/Tokyo", "GR", "UTC", "Asia/Tokyo"),
        ("", "GR", "UTC", "Europe/Athens"),
        ("", "US", "America/New_York", "America/New_York"),
        ("", "", "Asia/Kuala_Lumpur", "Asia/Kuala_Lumpur"),
        ("Nowhere/City", "XX", "", "UTC"),
    ],
)
def test_the_clock_is_their_own_else_their_countrys_else_the_programs(
    said: str, country: str, otherwise: str, zone: str
) -> None:
    assert choose_zone(said=said, country=country, otherwise=otherwise).key == zone
