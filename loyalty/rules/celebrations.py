"""Days of the year in a replay: which of them a member keeps, and when units for each would come.
Pure."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from loyalty.rules.bodies import AnniversaryBody
from loyalty.rules.calendar import end_of_day, in_year, start_of_day
from loyalty.rules.engine import RuleVersion


@dataclass(frozen=True, slots=True)
class Keeping:
    """What rules ask for: a kind of day, and how many days ahead its units come."""

    on: str
    days_before: int


@dataclass(frozen=True, slots=True)
class KeptDay:
    """A day that a member keeps; `at`: when its units come, `given_on`: on which day."""

    keeping: Keeping
    at: dt.datetime
    given_on: dt.date


def keepings(versions: Iterable[RuleVersion]) -> frozenset[Keeping]:
    return frozenset(map(keeping_of, versions))


def keeping_of(version: RuleVersion) -> Keeping:
    body = version.body
    assert isinstance(body, AnniversaryBody)
    return Keeping(body.day, body.days_before)


def kept_days(
    keeping: Keeping,
    since: dt.date,
    enrolled_at: dt.datetime,
    *,
    begin: dt.datetime,
    end: dt.datetime,
    zone: zoneinfo.ZoneInfo,
) -> Iterator[KeptDay]:
    """For a day of birth, or of joining, the days whose units come in [begin, end): from the year
    after it on, to who had joined by the end of the day on which they come."""
    first = max(begin, enrolled_at).astimezone(zone).date()
    last = end.astimezone(zone).date() + dt.timedelta(days=keeping.days_before)
    for year in range(max(first.year, since.year + 1), last.year + 1):
        given_on = in_year(since.month, since.day, year) - dt.timedelta(days=keeping.days_before)
        comes = start_of_day(given_on, zone)
        if begin <= comes < end and enrolled_at < end_of_day(given_on, zone):
            yield KeptDay(keeping, max(comes, enrolled_at), given_on)
