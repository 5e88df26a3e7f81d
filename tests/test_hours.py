"""No test begins in the last seconds of an hour."""

import datetime as dt

import pytest

from tests.hours import left_to_wait


@pytest.mark.parametrize(
    ("time", "seconds"),
    [("23:59:45", 15), ("23:59:59.5", 0.5), ("10:59:50", 10), ("23:59:44", 0), ("00:00:00", 0),
     ("12:30:00", 0)],
)  # fmt: skip
def test_it_waits_until_the_hour_is_over(time: str, seconds: float) -> None:
    now = dt.datetime.fromisoformat(f"2028-12-31T{time}+00:00")
    assert left_to_wait(now.timestamp()) == pytest.approx(seconds)
    assert left_to_wait(now.timestamp(), 0) == 0
    ends = now + dt.timedelta(seconds=left_to_wait(now.timestamp()))
    assert (ends - now < dt.timedelta(seconds=1)) or ends.minute == 0
