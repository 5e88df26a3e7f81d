"""The merchant's year: when its seasons are, which campaigns are in them, and what is missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.core.cache import cache
from django.db import connection
from django.db.models import QuerySet
from django.urls import reverse

from campaigns.calendar_entries import Entry, Span
from campaigns.models import Campaign, Game, QuarterPlan, Season
from campaigns.season_days import rule_day
from loyalty.models import Program
from loyalty.rules.calendar import end_of_day, start_of_day

DAY = dt.timedelta(days=1)
# So long without anything for members is a gap.
GAP = 21
# Sums of orders are so many seconds old at most.
KEPT = 600


@dataclass(frozen=True, slots=True)
class SeasonDays:
    """A season in a year, the last day included. `written`: by hand."""

    season: Season
    year: int
    first: dt.date
    last: dt.date
    written: bool = False

    @property
    def key(self) -> str:
        return f"{self.season.public_id}-{self.year}"


def seasons(program: Program) -> QuerySet[Season]:
    rows = Season.objects.filter(program=program, archived_at=None)
    return rows.select_related("program").prefetch_related("dates")


def days_of(season: Season, year: int) -> SeasonDays | None:
    """None where nothing says when it is in that year."""
    for dates in season.dates.all():
        if dates.year == year:
            return SeasonDays(season, year, dates.starts_on, dates.ends_on, written=True)
    found = rule_day(season.rule, year, month=season.month, day=season.day,
                     weekday=season.weekday, nth=season.nth)  # fmt: skip
    if found is None:
        return None
    first = found + season.shift * DAY
    return SeasonDays(season, year, first, first + (season.days - 1) * DAY)


def of_seasons(programs: Sequence[Program], span: Span, now: dt.datetime) -> Iterator[Entry]:
    """As the calendar shows them."""
    rows = Season.objects.filter(program__in=programs, archived_at=None)
    for season in rows.select_related("program").prefetch_related("dates"):
        for year in range(span.first.year - 1, span.last.year + 2):
            days = days_of(season, year)
            if days is None or days.last < span.first or days.first > span.last:
                continue
            zone = season.program.zone
            starts_at, ends_at = start_of_day(days.first, zone), end_of_day(days.last, zone)
            state = "ended" if ends_at <= now else "scheduled" if starts_at > now else "live"
            yield Entry(
                "season", days.key, season.program, season.name, starts_at, ends_at, state,
                reverse("calendar_backoffice:year_plan", args=[season.program.code])
                + f"?year={year}",
                movable=state != "ended",
            )  # fmt: skip


def planned_in(program: Program, span: Span) -> list[Campaign]:
    """Promotions and challenges that are on at some time in these days, drafts included."""
    since, until = start_of_day(span.first, program.zone), end_of_day(span.last, program.zone)
    rows = Campaign.objects.filter(program=program, starts_at__lt=until, ends_at__gt=since)
    return list(rows.select_related("program").order_by("starts_at", "pk"))


def gaps(program: Program, year: int, least: int = GAP) -> list[Span]:
    """Days of a year, so many at least, in which members find no campaign and no game."""
    zone, whole = program.zone, Span(dt.date(year, 1, 1), dt.date(year, 12, 31))
    since, until = start_of_day(whole.first, zone), end_of_day(whole.last, zone)
    busy = [(row.starts_at, row.ended_at or row.ends_at) for row in planned_in(program, whole)]
    games = Game.objects.filter(program=program, starts_at__lt=until)
    busy += [(row.starts_at, row.ended_at or row.ends_at or until) for row in games]
    found, free = [], whole.first
    for starts_at, ends_at in sorted((a, b) for a, b in busy if a and b and b > since):
        first = starts_at.astimezone(zone).date()
        if (first - free).days >= least:
            found.append(Span(free, first - DAY))
        last = (ends_at - dt.timedelta(microseconds=1)).astimezone(zone).date()
        free = max(free, last + DAY)
    if (whole.last - free).days + 1 >= least:
        found.append(Span(free, whole.last))
    return found


@dataclass(frozen=True, slots=True)
class Quarter:
    """What is said of it, and what was sold to members in it so far."""

    year: int
    number: int
    plan: QuarterPlan | None
    revenue: Decimal

    @property
    def span(self) -> Span:
        return quarter_span(self.year, self.number)

    @property
    def percent(self) -> int | None:
        if self.plan is None or not self.plan.revenue:
            return None
        return int(self.revenue * 100 / self.plan.revenue)


def quarter_span(year: int, number: int) -> Span:
    after = dt.date(year + number // 4, 3 * number % 12 + 1, 1)
    return Span(dt.date(year, 3 * number - 2, 1), after - DAY)


def quarter_of(day: dt.date) -> tuple[int, int]:
    return day.year, (day.month + 2) // 3


def quarters(program: Program, year: int) -> list[Quarter]:
    """All four, in two queries."""
    plans = {plan.quarter: plan for plan in program.quarter_plans.filter(year=year)}
    sold = revenue_by_day(program, Span(dt.date(year, 1, 1), dt.date(year, 12, 31)))
    sums = [Decimal(0)] * 4
    for day, (revenue, _orders) in sold.items():
        sums[(day.month - 1) // 3] += revenue
    return [Quarter(year, number, plans.get(number), sums[number - 1]) for number in range(1, 5)]


def revenue_by_day(program: Program, span: Span) -> dict[dt.date, tuple[Decimal, int]]:
    """What members bought on each day, and in how many orders. All orders of that time are added
    up, so what comes out is kept for some minutes."""
    key = f"revenue-by-day:{program.pk}:{program.time_zone}:{span.first}:{span.last}"
    known: dict[dt.date, tuple[Decimal, int]] | None = cache.get(key)
    if known is None:
        known = _added_up(program, span)
        cache.set(key, known, KEPT)
    return known


_BY_DAY = """
    SELECT (o.placed_at AT TIME ZONE %(zone)s)::date, sum(o.total), count(*)
      FROM loyalty_countedorder o
      JOIN loyalty_membership m ON m.customer_id = o.customer_id
       AND m.program_id = %(program)s AND m.merged_into_id IS NULL
     WHERE o.placed_at >= %(since)s AND o.placed_at < %(until)s AND o.currency = %(currency)s
       AND (o.program_id IS NULL OR o.program_id = %(program)s)
       AND o.status NOT IN ('cancelled', 'refunded')
     GROUP BY 1 ORDER BY 1
"""


def _added_up(program: Program, span: Span) -> dict[dt.date, tuple[Decimal, int]]:
    asked: dict[str, int | str | dt.datetime] = {
        "program": program.pk, "currency": program.currency, "zone": program.time_zone,
        "since": start_of_day(span.first, program.zone),
        "until": end_of_day(span.last, program.zone),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_BY_DAY, asked)
        return {day: (revenue, number) for day, revenue, number in cursor.fetchall()}
