"""How far a goal has come, and whether that is enough by now: pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from loyalty.goal_metrics import GoalMetric

ZERO = Decimal(0)
WEEK = 7


@dataclass(frozen=True, slots=True)
class Progress:
    """A figure on its way from `baseline` to `target`. `day`: the day that `value` is of."""

    metric: GoalMetric
    baseline: Decimal
    target: Decimal
    starts_on: dt.date
    due_on: dt.date
    day: dt.date
    value: Decimal | None

    @property
    def is_met(self) -> bool:
        return self.value is not None and self.metric.meets(self.value, self.target)

    @property
    def share(self) -> Decimal:
        """Of the way that is behind it, between 0 and 1."""
        way = self.target - self.baseline
        if self.value is None:
            return ZERO
        if self.is_met:
            return Decimal(1)
        return min(max((self.value - self.baseline) / way, ZERO), Decimal(1)) if way else ZERO

    @property
    def expected(self) -> Decimal:
        """What it would be on a straight line."""
        return self.expected_on(self.day)

    def expected_on(self, day: dt.date) -> Decimal:
        whole, gone = (self.due_on - self.starts_on).days, (day - self.starts_on).days
        part = Decimal(min(max(gone, 0), whole)) / whole
        return self.baseline + (self.target - self.baseline) * part

    @property
    def state(self) -> str:
        """One word: reached, on_track, behind, overdue, unmeasured."""
        if self.value is None:
            return "unmeasured"
        if self.is_met:
            return "reached"
        if self.day > self.due_on:
            return "overdue"
        return "on_track" if self.metric.meets(self.value, self.expected) else "behind"

    @property
    def days_left(self) -> int:
        return max((self.due_on - self.day).days, 0)

    @property
    def per_week(self) -> Decimal | None:
        """The change that each week that is left has to bring; None: there is nothing to do, or no
        time to do it in."""
        if self.value is None or self.is_met or not self.days_left:
            return None
        return (self.target - self.value) * WEEK / self.days_left
