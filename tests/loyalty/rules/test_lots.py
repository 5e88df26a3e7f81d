"""When units mature and expire, by each kind of lot policy."""

import dataclasses
import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from loyalty.instants import NEVER
from loyalty.rules.lots import (
    LotTerms,
    LotTimes,
    OrderTimes,
    expires_at,
    lot_times,
    matures_at,
    warned_expiry,
)

NEW_YORK, ATHENS, UTC = ZoneInfo("America/New_York"), ZoneInfo("Europe/Athens"), ZoneInfo("UTC")
BEGIN, END = {"last_day": "start_of_day"}, {"last_day": "end_of_day"}


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("zone", "at", "terms", "expected"),
    [
        (UTC, "2025-01-31T23:59:59", {"kind": "months", "length": 1, **END}, "2025-03-01T00:00"),
        (UTC, "2025-01-31T23:59:59", {"kind": "months", "length": 1, **BEGIN}, "2025-02-28T00:00"),
        (UTC, "2024-02-29T00:00", {"kind": "months", "length": 12}, "2025-03-01T00:00"),
        (UTC, "2024-02-29T00:00", {"kind": "years", "length": 1}, "2025-03-01T00:00"),
        (UTC, "2024-02-29T00:00", {"kind": "days", "length": 1, **BEGIN}, "2024-03-01T00:00"),
        # Late in the evening in New York it is the next day in Greenwich.
        (NEW_YORK, "2025-02-01T03:00", {"kind": "months", "length": 1}, "2025-03-01T05:00"),
        (ATHENS, "2025-01-31T23:00", {"kind": "months", "length": 1, **BEGIN}, "2025-02-28T22:00"),
        # Earned in winter, expiring in summer; a day of 23 hours, and one of 25.
        (NEW_YORK, "2025-01-15T12:00", {"kind": "months", "length": 6}, "2025-07-16T04:00"),
        (NEW_YORK, "2025-03-08T12:00", {"kind": "days", "length": 1}, "2025-03-10T04:00"),
        (NEW_YORK, "2025-11-01T12:00", {"kind": "days", "length": 1}, "2025-11-03T05:00"),
        (UTC, "2025-02-10T12:00", {"kind": "end_of_period", "length": 0, "period": "month"},
         "2025-03-01T00:00"),
        (UTC, "2025-02-10T12:00", {"kind": "end_of_period", "length": 1, "period": "quarter"},
         "2025-07-01T00:00"),
        (UTC, "2025-02-10T12:00", {"kind": "end_of_period", "length": 1, "period": "half_year"},
         "2026-01-01T00:00"),
        (UTC, "2025-02-10T12:00", {"kind": "end_of_period", "length": 1, "period": "year"},
         "2027-01-01T00:00"),
        # The last hour of the year in New York belongs to the year.
        (NEW_YORK, "2026-01-01T04:30", {"kind": "end_of_period", "length": 0, "period": "year"},
         "2026-01-01T05:00"),
        (UTC, "2025-03-31T12:00", {"kind": "fixed_date", "month_day": "03-31"}, "2025-04-01T00:00"),
        (UTC, "2025-04-01T00:00", {"kind": "fixed_date", "month_day": "03-31"}, "2026-04-01T00:00"),
        (UTC, "2025-01-31T12:00", {"kind": "inactivity", "length": 6}, "2025-08-01T00:00"),
    ],
)  # fmt: skip
def test_units_expire_with_their_last_day(zone, at, terms, expected):
    assert expires_at(LotTerms(**terms), utc(at), zone) == utc(expected)


def test_units_may_never_expire():
    assert expires_at(LotTerms(), utc("2025-01-31T12:00"), UTC) is None


PLACED = OrderTimes(utc("2025-01-01T12:00"))
SHIPPED = dataclasses.replace(
    PLACED, paid_at=utc("2025-01-02T08:00"), fulfilled_at=utc("2025-01-05T15:00")
)


@pytest.mark.parametrize(
    ("terms", "times", "expected"),
    [
        ({}, PLACED, "2025-01-01T12:00"),
        ({"pending_days": 14}, PLACED, "2025-01-15T12:00"),
        ({"pending_from": "paid"}, PLACED, None),
        ({"pending_from": "paid"}, SHIPPED, "2025-01-02T08:00"),
        ({"pending_from": "fulfilled", "pending_days": 14}, SHIPPED, "2025-01-19T15:00"),
        ({"pending_from": "completed"}, SHIPPED, None),
        ({"pending_days": 14}, dataclasses.replace(SHIPPED, held=True), None),
        ({"pending_from": "completed"},
         dataclasses.replace(SHIPPED, confirmed_at=utc("2025-01-03T00:00")), "2025-01-03T00:00"),
        ({"pending_days": 1},
         dataclasses.replace(SHIPPED, confirmed_at=utc("2025-01-03T00:00")), "2025-01-02T12:00"),
        ({}, dataclasses.replace(SHIPPED, held=True, confirmed_at=utc("2025-01-03T00:00")), None),
    ],
)  # fmt: skip
def test_units_mature_when_the_order_has_come_so_far(terms, times, expected):
    found = matures_at(LotTerms(**terms), times, UTC)
    assert found == (utc(expected) if expected else NEVER)


def test_expiry_may_be_counted_from_maturity():
    terms = LotTerms(kind="months", length=1, counted_from="maturity")
    earned = utc("2025-01-01T12:00")
    assert lot_times(terms, earned, utc("2025-01-15T12:00"), UTC) == LotTimes(
        utc("2025-01-15T12:00"), utc("2025-02-16T00:00")
    )
    assert lot_times(terms, earned, NEVER, UTC) == LotTimes(NEVER, None)


def test_units_that_wait_for_a_warning_have_a_planned_end_only():
    terms = LotTerms(kind="months", length=1, warned_days=30)
    earned = utc("2025-01-01T12:00")
    assert lot_times(terms, earned, earned, UTC) == LotTimes(
        earned, None, planned_expires_at=utc("2025-02-02T00:00")
    )


@pytest.mark.parametrize(
    ("planned", "warned", "expected"),
    [
        ("2025-06-01T00:00", "2025-03-01T09:00", "2025-06-01T00:00"),
        ("2025-06-01T00:00", "2025-05-20T09:00", "2025-06-20T00:00"),
        ("2025-06-01T00:00", "2025-08-01T09:00", "2025-09-01T00:00"),
    ],
)
def test_a_late_warning_moves_the_end(planned, warned, expected):
    assert warned_expiry(utc(planned), utc(warned), 30, UTC) == utc(expected)


def test_renewable_units_have_no_end_of_their_own():
    terms = LotTerms(kind="inactivity", length=6)
    earned = utc("2025-01-01T12:00")
    assert lot_times(terms, earned, earned, UTC) == LotTimes(earned, renewable=True)
