"""The key figures of programs, which goals can be about: each one's unit, its good direction, how
it is measured in words, and what is usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from loyalty.models import Goal
from members.formatting import format_money, format_number, format_percent

Unit = Literal["count", "number", "percent", "money"]
Direction = Literal["up", "down"]
Metric = Goal.Metric


@dataclass(frozen=True, slots=True)
class GoalMetric:
    """`usual`: the band in which programs that do well are, if there is one. `most`: a share of
    people is never more than all of them. `name`: of what is no metric of goals."""

    code: str
    unit: Unit
    direction: Direction
    definition: str | Promise
    usual: tuple[int, int] | None = None
    most: int | None = None
    name: str | Promise = ""

    @property
    def label(self) -> str:
        return str(self.name or Metric(self.code).label)

    def meets(self, value: Decimal, target: Decimal) -> bool:
        return value >= target if self.direction == "up" else value <= target

    def in_words(self, value: Decimal | None, currency: str) -> str:
        """The figure as people read it."""
        if value is None:
            return "–"
        if self.unit == "money":
            return format_money(value, currency)
        if self.unit == "percent":
            return format_percent(value / 100)
        return format_number(round(value) if self.unit == "count" else round(value, 1))

    def change_in_words(self, value: Decimal, currency: str) -> str:
        """A difference between two figures, without its sign."""
        if self.unit == "percent":
            return _("%s percentage points") % format_number(round(abs(value), 1))
        if self.unit == "number":
            return format_number(round(abs(value), 1))
        if self.unit == "count":
            number = round(abs(value))
            return ngettext("%s member", "%s members", number) % format_number(number)
        return self.in_words(abs(value), currency)


METRICS: Mapping[str, GoalMetric] = {
    metric.code: metric
    for metric in (
        GoalMetric(
            Metric.MEMBERS, "count", "up",
            _l("Who has joined by the end of the day, without those who left or were merged."),
        ),
        GoalMetric(
            Metric.ENROLLED, "percent", "up",
            _l("Of the customers who bought something in the program’s currency in the last 365 "
               "days, the share who are members. Guests are nobody’s."),
            usual=(60, 80), most=100,
        ),
        GoalMetric(
            Metric.ACTIVE, "percent", "up",
            _l("The share of members who bought, spent points or did an activity in the last 90 "
               "days."),
            usual=(40, 60), most=100,
        ),
        GoalMetric(
            Metric.REDEEMED, "percent", "up",
            _l("What members spent or donated in the last 365 days, as a share of what they earned "
               "in them; each less what was taken back. By worth, if there are several units."),
            usual=(60, 80),
        ),
        GoalMetric(
            Metric.REPEATED, "percent", "up",
            _l("Of the members who bought in the last 365 days, the share who bought at least "
               "twice. Orders that were called off or came back as a whole do not count."),
            most=100,
        ),
        GoalMetric(
            Metric.REVENUE, "money", "up",
            _l("What orders of members came to in the last 30 days, less their returns in them."),
        ),
        GoalMetric(
            Metric.AVERAGE, "money", "up",
            _l("What an order of a member came to in the last 90 days, less what came back of it."),
        ),
        GoalMetric(
            Metric.LIABILITY, "percent", "down",
            _l("What all members hold is worth at the end of the day, as a share of all revenue "
               "in the program’s currency of the last 30 days."),
            usual=(3, 5),
        ),
        GoalMetric(
            Metric.COST, "percent", "down",
            _l("What members earned in the last 30 days is worth, and what discount rules took "
               "off, as a share of their revenue in them."),
        ),
        GoalMetric(
            Metric.TIER, "percent", "up",
            _l("The share of members who have the tier, or a higher one, at the end of the day."),
            most=100,
        ),
        GoalMetric(
            Metric.PURCHASES, "number", "up",
            _l("How many orders a member who bought in the last 365 days placed in them. Orders "
               "that were called off or came back as a whole do not count."),
        ),
        GoalMetric(
            Metric.VALUE, "money", "up",
            _l("Revenue of members in the last 30 days, for each member who bought in them, times "
               "three: what one brings in three months at this pace."),
        ),
        GoalMetric(
            Metric.SEVERAL, "percent", "up",
            _l("Of the members who bought in the last 365 days something that has a category, the "
               "share who bought from at least two."),
            most=100,
        ),
        GoalMetric(
            Metric.RETAINED, "percent", "up",
            _l("Of the members who bought in the 90 days before the last 90, the share who bought "
               "again in the last 90."),
            most=100,
        ),
        GoalMetric(
            Metric.SECOND, "percent", "up",
            _l("Of the members whose first order is between 90 and 455 days ago, the share who "
               "bought again within 90 days."),
            most=100,
        ),
        GoalMetric(
            Metric.LOST, "percent", "down",
            _l("Of the members who 90 days ago had bought within half a year (180 days), the share "
               "who have not bought for half a year now: lost in these 90 days."),
            most=100,
        ),
    )
}  # fmt: skip


def metric_of(goal: Goal) -> GoalMetric:
    return METRICS[goal.metric]
