"""The key figures of a program as they were measured month by month, each with the band that it is
to be in. Nothing is measured here: as many queries however many members there are."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.db.models import Min

from loyalty.goal_metrics import METRICS, GoalMetric
from loyalty.insight_registry import Group, registered_insights
from loyalty.models import Goal, InsightPoint, MemberTally, Program, TargetBand, Tier
from loyalty.quarters import Quarter
from loyalty.rules.calendar import add_months, last_instant
from loyalty.selectors.goals import today_of
from loyalty.selectors.tier_sets import ranks_at, tier_set_at
from loyalty.target_bands import (
    LIFTS,
    Band,
    LiftBand,
    State,
    state_in,
    usual_band,
    usual_tier_band,
)

TIER = Goal.Metric.TIER
# The last of a day is one before the next begins.
# The month that runs, and so many before it.
MONTHS = 12
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Point:
    """A figure at the end of a day. None: there was nothing to measure."""

    day: dt.date
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Figure:
    """`points`: the ends of months, oldest first, the newest is the figure. Of a tier: the share of
    members who are at it and at no higher one."""

    metric: GoalMetric
    points: Sequence[Point]
    band: Band | None
    tier_code: str = ""
    tier_name: str = ""

    @property
    def value(self) -> Decimal | None:
        return self.points[-1].value if self.points else None

    @property
    def day(self) -> dt.date | None:
        return self.points[-1].day if self.points else None

    @property
    def state(self) -> State:
        return state_in(self.band, self.value)


@dataclass(frozen=True, slots=True)
class Overview:
    """`tiers`: from the lowest on; `lifts`: the bands of what only a comparison tells; `loyalty`:
    the parts of the loyalty index; `touchpoints`: how many members did something at each;
    `joining`: what members brought before and after they joined. Not `measured`: the job has not
    been there."""

    program: Program
    measured: bool
    figures: Sequence[Figure]
    tiers: Sequence[Figure]
    lifts: Sequence[LiftBand]
    loyalty: Sequence[Figure] = ()
    touchpoints: Sequence[Figure] = ()
    joining: Sequence[Figure] = ()

    @property
    def judged(self) -> list[Figure]:
        """Those that a band says something of."""
        return [item for item in (*self.figures, *self.tiers) if item.state not in _UNJUDGED]

    @property
    def inside(self) -> int:
        return sum(item.state == "inside" for item in self.judged)


_UNJUDGED = ("free", "unmeasured")


def get_overview(program: Program, now: dt.datetime) -> Overview:
    """A constant number of queries."""
    points = _points(program, now)
    bands = own_bands(program)
    return Overview(
        program=program,
        measured=bool(points),
        figures=[
            Figure(
                metric,
                points.get((metric.code, ""), ()),
                bands.get((metric.code, ""), usual_band(metric)),
            )
            for metric in figure_metrics()
        ],
        tiers=_tiers(program, now, points, bands),
        lifts=[
            replace(lift, band=bands.get((lift.code, ""), lift.band)) for lift in LIFTS.values()
        ],
        loyalty=_grouped("loyalty", points),
        touchpoints=_grouped("touchpoint", points),
        joining=_grouped("joining", points),
    )


def _grouped(group: Group, points: Mapping[Key, Sequence[Point]]) -> list[Figure]:
    """They have no band."""
    return [
        Figure(metric, points.get((metric.code, ""), ()), None)
        for metric, _measure in registered_insights(group)
    ]


def tier_figures(program: Program, at: dt.datetime) -> list[Figure]:
    """Of the tiers that there were at an instant, as they were measured up to then; without bands
    of its own."""
    return _tiers(program, at, _points(program, at), {})


def value_in(points: Sequence[Point], quarter: Quarter) -> Decimal | None:
    """As it was at the last end of a month in it."""
    return next((item.value for item in reversed(points) if quarter.has(item.day)), None)


def is_measured(program: Program) -> bool:
    """Whether the job has been there."""
    return InsightPoint.objects.filter(program=program).exists()


def is_measured_at(program: Program, day: dt.date) -> bool:
    """Whether each figure of the last day of a month is kept, where the program had tiers those
    too. Three queries."""
    wanted: set[str] = {metric.code for metric in figure_metrics()}
    if tiers_of_figures(program, last_instant(day, program.zone)):
        wanted.add(TIER)
    kept = InsightPoint.objects.filter(program=program, day=day)
    return wanted <= set(kept.values_list("metric", flat=True))


def all_months(program: Program, now: dt.datetime) -> list[dt.date]:
    """The first days of the months that are looked at, from when the first member joined."""
    this_month = today_of(program, now).replace(day=1)
    months = [add_months(this_month, -n) for n in range(MONTHS, -1, -1)]
    first = (first_joined(program) or this_month).replace(day=1)
    return [month for month in months if month >= first] or [this_month]


def first_joined(program: Program) -> dt.date | None:
    """The day on which the first member joined."""
    rows = MemberTally.objects.filter(program=program)
    found: dt.date | None = rows.aggregate(day=Min("joined_on"))["day"]
    return found


def figure_metrics() -> list[GoalMetric]:
    """All that is measured of a program but tiers, of which each is a figure."""
    own = [metric for metric in METRICS.values() if metric.code != TIER]
    return own + [metric for metric, _measure in registered_insights("figure")]


def own_bands(program: Program) -> dict[Key, Band]:
    """Those that somebody chose. One query."""
    return {
        (row.metric, row.tier_code): Band(row.low, row.high, own=True)
        for row in TargetBand.objects.filter(program=program)
    }


def band_now(program: Program, metric: str, tier_code: str, now: dt.datetime) -> Band | None:
    """The one that a figure has, chosen or usual."""
    chosen = own_bands(program).get((metric, tier_code))
    if chosen is not None or metric in LIFTS:
        return chosen or LIFTS[metric].band
    if metric == TIER:
        codes = [tier.code for tier in tiers_of_figures(program, now)]
        return usual_tier_band(codes.index(tier_code), len(codes)) if tier_code in codes else None
    return next((usual_band(item) for item in figure_metrics() if item.code == metric), None)


def tiers_of_figures(program: Program, now: dt.datetime) -> list[Tier]:
    """From the lowest on; none where the program has none."""
    found = tier_set_at(program, now)
    return list(found.tiers.all()) if found else []


def _points(program: Program, now: dt.datetime) -> dict[Key, list[Point]]:
    found: defaultdict[Key, list[Point]] = defaultdict(list)
    rows = InsightPoint.objects.filter(program=program, month__in=all_months(program, now))
    for row in rows.order_by("month"):
        found[row.metric, row.tier_code].append(Point(row.day, row.value))
    return dict(found)


def _tiers(
    program: Program,
    now: dt.datetime,
    points: Mapping[Key, Sequence[Point]],
    bands: Mapping[Key, Band],
) -> list[Figure]:
    tiers = tiers_of_figures(program, now)
    by_code = {code: found for (metric, code), found in points.items() if metric == TIER}
    ranks = _ranks(program, {point.day for found in by_code.values() for point in found}, now)
    return [
        Figure(
            METRICS[TIER],
            _at_no_higher(by_code, tier.code, ranks),
            bands.get((TIER, tier.code), usual_tier_band(place, len(tiers))),
            tier.code,
            tier.name,
        )
        for place, tier in enumerate(tiers)
    ]


def _ranks(
    program: Program, days: Iterable[dt.date], now: dt.datetime
) -> dict[dt.date, dict[str, int]]:
    """The tiers as they stood above each other when each day was measured, also those that there
    are no more."""
    ends = {day: min(_measured_until(day, program), now) for day in days}
    found = ranks_at(program, ends.values())
    return {day: found[at] for day, at in ends.items()}


def _measured_until(day: dt.date, program: Program) -> dt.datetime:
    """Of a month that runs, tiers are kept as of the day before the one on which they were
    measured; its last day is kept once it is over."""
    after = day + dt.timedelta(days=1)
    return last_instant(after if after.month == day.month else day, program.zone)


def _at_no_higher(
    points: Mapping[str, Sequence[Point]], code: str, ranks: Mapping[dt.date, Mapping[str, int]]
) -> list[Point]:
    """Who had it or a higher one, less who had a higher one: the most of any that was above it
    then, since not all may have been measured."""
    less: defaultdict[dt.date, Decimal] = defaultdict(Decimal)
    for other, found in points.items():
        for point in found:
            stood = ranks[point.day]
            if stood.get(other, 0) > stood.get(code, len(stood)):
                less[point.day] = max(less[point.day], point.value or Decimal(0))
    return [
        Point(point.day, None if point.value is None else point.value - less[point.day])
        for point in points.get(code, ())
    ]
