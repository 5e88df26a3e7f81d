"""When the next step of a journey is due, by a member's own clock. Pure."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from loyalty.rules.calendar import add_days, localize

# Whoever is looked at later than that waits from then on, so that nothing comes in a heap.
LATE = dt.timedelta(hours=1)


def base(due: dt.datetime, now: dt.datetime) -> dt.datetime:
    """From when on a wait is counted: when the step before it was due, unless that is long ago."""
    return due if now - due <= LATE else now


def after(at: dt.datetime, zone: zoneinfo.ZoneInfo, days: int, hours: int) -> dt.datetime:
    """So many days later by the clock on the wall, and then so many hours."""
    return add_days(at, days, zone).astimezone(dt.UTC) + dt.timedelta(hours=hours)


def next_moment(at: dt.datetime, zone: zoneinfo.ZoneInfo, clock: dt.time) -> dt.datetime:
    """The next time that the clock there shows this, `at` included. A time that a spring night
    skips comes as much later; of one that an autumn night has twice it is the first."""
    day = at.astimezone(zone).date()
    for ahead in range(3):
        found = localize(dt.datetime.combine(day + dt.timedelta(days=ahead), clock), zone)
        if found >= at:
            return found.astimezone(dt.UTC)
    raise AssertionError("a clock shows every time within two days")
