"""When members bought more than usual: what seasons could be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from campaigns.calendar_entries import Span
from campaigns.selectors.seasons import days_of, revenue_by_day, seasons
from loyalty.models import Program

DAY = dt.timedelta(days=1)
# Days are looked at with the three before and after them, so that a weekday alone is no season.
BESIDE = 3
YEARS = 2
MOST = 6
# A quarter more than usual, for five days at least; a longer time is not one season.
ABOVE, SHORTEST, LONGEST = Decimal("1.25"), 5, 45


@dataclass(frozen=True, slots=True)
class Peak:
    """Days in which members bought `times` as much as usual."""

    first: dt.date
    last: dt.date
    times: Decimal

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def suggested_peaks(program: Program, today: dt.date) -> list[Peak]:
    """The highest of the last two years that no season explains, by their days. Three queries."""
    span = Span(today - 365 * YEARS * DAY, today - DAY)
    sold = {day: revenue for day, (revenue, _orders) in revenue_by_day(program, span).items()}
    if not sold:
        return []
    known = [
        days
        for season in seasons(program)
        for year in range(span.first.year, span.last.year + 1)
        if (days := days_of(season, year))
    ]
    begun = Span(min(sold), span.last)
    found = [
        peak
        for peak in peaks_in(sold, begun)
        if not any(days.first <= peak.last and peak.first <= days.last for days in known)
    ]
    newest = {(peak.first.month, peak.first.day // 10): peak for peak in found}
    best = sorted(newest.values(), key=lambda peak: -peak.times)[:MOST]
    return sorted(best, key=lambda peak: (peak.first.month, peak.first.day))


def peaks_in(sold: Mapping[dt.date, Decimal], span: Span) -> list[Peak]:
    """Runs of days whose week around them is well above the middle one."""
    if span.days < 8 * 7:
        return []
    weeks = [_around(sold, span.first + number * DAY) for number in range(span.days)]
    usual = median(weeks)
    if usual <= 0:
        return []
    found: list[Peak] = []
    run: list[int] = []
    for number, week in enumerate([*weeks, Decimal(0)]):
        if week > usual * ABOVE:
            run.append(number)
            continue
        found += _peak(run, weeks, usual, span)
        run = []
    return found


def _peak(run: Sequence[int], weeks: Sequence[Decimal], usual: Decimal, span: Span) -> list[Peak]:
    if not SHORTEST <= len(run) <= LONGEST:
        return []
    times = max(weeks[number] for number in run) / usual
    first, last = span.first + run[0] * DAY, span.first + run[-1] * DAY
    return [Peak(first, last, times.quantize(Decimal("0.1")))]


def _around(sold: Mapping[dt.date, Decimal], day: dt.date) -> Decimal:
    beside = range(-BESIDE, BESIDE + 1)
    return sum((sold.get(day + number * DAY, Decimal(0)) for number in beside), Decimal(0))
