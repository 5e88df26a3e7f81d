"""What higher applications know of how a program does: figures that they measure, and comparisons
with members who were kept aside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from django.utils.functional import Promise

from loyalty.goal_metrics import GoalMetric

if TYPE_CHECKING:
    from loyalty.models import Program

# At the end of a day; None: there was nothing to measure. In a constant number of queries.
Measure = Callable[["Program", dt.date], Decimal | None]
# Key figures of their own; the parts of the loyalty index; how many members did something at a
# touchpoint; what members brought around the day they joined.
Group = Literal["figure", "loyalty", "touchpoint", "joining"]


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure of members: of who got something, of who was kept aside, between what the
    difference lies in 95 of 100 such comparisons, and the standard error of either figure."""

    led: float
    aside: float
    low: float
    high: float
    led_error: float
    aside_error: float

    @property
    def is_clear(self) -> bool:
        """Whether chance alone would hardly make such a difference."""
        return self.low > 0 or self.high < 0

    @property
    def difference(self) -> float:
        return self.led - self.aside


@dataclass(frozen=True, slots=True)
class Comparison:
    """Members who got something against members like them who were kept aside by chance. `orders`
    and `revenue` for each head; `values`: what an order comes to, None where nobody ordered on one
    side. `cost`: what was given to those who got it; None: not known. The page of it is `url_name`
    with `url_key`."""

    name: str
    url_name: str
    url_key: str
    led: int
    aside: int
    orders: Compared
    revenue: Compared
    values: Compared | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Controls:
    """`found`: the newest first, those that have enough members on both sides alone; `too_small`:
    how many keep members aside and have not, as far as they were looked at."""

    found: Sequence[Comparison]
    too_small: int = 0


@dataclass(frozen=True, slots=True)
class Start:
    """Where one begins something that can keep members aside: the name of its page, for whoever
    has this permission."""

    label: str | Promise
    url_name: str
    permission: str


ComparisonSource = Callable[["Program", dt.datetime], Controls]

_measured: dict[str, tuple[GoalMetric, Measure, Group]] = {}
_sources: dict[str, tuple[ComparisonSource, Start]] = {}


def register_insight(metric: GoalMetric, measure: Measure, group: Group = "figure") -> None:
    """Have a figure measured with those of every program; the same code again replaces it."""
    _measured[metric.code] = (metric, measure, group)


def registered_insights(group: Group | None = None) -> list[tuple[GoalMetric, Measure]]:
    """In the order of registration; of one group, or of all."""
    return [
        (metric, measure)
        for metric, measure, own in _measured.values()
        if group is None or own == group
    ]


def register_comparisons(key: str, source: ComparisonSource, start: Start) -> None:
    """The same key again replaces it."""
    _sources[key] = (source, start)


def starts_of_comparisons() -> list[Start]:
    return [start for _source, start in _sources.values()]


def comparisons_of(program: Program, now: dt.datetime) -> Controls:
    """In the order of registration. A few queries for each that a source looks at."""
    controls = [source(program, now) for source, _start in _sources.values()]
    return Controls(
        [item for one in controls for item in one.found], sum(one.too_small for one in controls)
    )
