"""Goals with how far they have come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from django.db.models import Prefetch, QuerySet

from loyalty.goal_metrics import metric_of
from loyalty.goal_progress import Progress
from loyalty.goal_words import goal_title, progress_sentence
from loyalty.models import Goal, GoalPoint, Program, Tier
from loyalty.selectors.goal_metrics import measure

# Those of all programs that the home page has.
SHOWN_AT_HOME = 6


@dataclass(frozen=True, slots=False)
class FollowedGoal:
    """A goal, and what it was day by day."""

    goal: Goal
    points: Sequence[GoalPoint]
    progress: Progress
    tier_name: str = ""

    @property
    def state(self) -> str:
        """Of an open goal how far it is, else how it ended."""
        return self.progress.state if self.goal.state == Goal.State.OPEN else self.goal.state

    @property
    def key(self) -> str:
        """Its place on a page."""
        return f"goal-{self.goal.pk}-progress"

    @property
    def figure(self) -> str:
        """The newest figure in words."""
        return self.progress.metric.in_words(self.progress.value, self.goal.program.currency)

    @cached_property
    def title(self) -> str:
        return goal_title(self.goal, self.tier_name)

    @cached_property
    def sentence(self) -> str:
        return progress_sentence(self.progress, self.goal.program.currency)


def goals() -> QuerySet[Goal]:
    """With what following them needs."""
    points = Prefetch("points", GoalPoint.objects.order_by("day"))
    return Goal.objects.select_related("program", "owner").prefetch_related(points)


def followed(found: Sequence[Goal], now: dt.datetime) -> list[FollowedGoal]:
    """Each by its newest point; one that has none yet, or only old ones, is measured."""
    names = tier_names(found)
    return [_followed(goal, now, names) for goal in found]


def progress_today(goal: Goal, now: dt.datetime) -> Progress:
    """As things are now, or were at the end of its last day."""
    today = today_of(goal.program, now)
    day = min(today, goal.due_on)
    value = measure(goal.program, goal.metric, day, now, goal.tier_code)
    return progress_of(goal, today if today > goal.due_on else day, value)


def progress_by(goal: Goal, day: dt.date) -> Progress:
    """As it was when a day was over, by the newest point by then."""
    known = [item for item in goal.points.all() if item.day <= day]
    at, value = (known[-1].day, known[-1].value) if known else (day, None)
    if day >= goal.due_on:
        at = goal.due_on + dt.timedelta(days=1)
    return progress_of(goal, at, value)


def progress_of(goal: Goal, day: dt.date, value: Decimal | None) -> Progress:
    """What a goal comes to with such a figure. Where nothing could be measured when it was set, it
    began at nothing."""
    baseline = goal.baseline if goal.baseline is not None else Decimal(0)
    return Progress(metric_of(goal), baseline, goal.target, goal.starts_on, goal.due_on, day, value)


def today_of(program: Program, now: dt.datetime) -> dt.date:
    return now.astimezone(program.zone).date()


def _followed(goal: Goal, now: dt.datetime, names: dict[tuple[int, str], str]) -> FollowedGoal:
    points = list(goal.points.all())
    today = today_of(goal.program, now)
    # The last day that is over, of the goal's own.
    last = min(today - dt.timedelta(days=1), goal.due_on)
    if goal.state != Goal.State.OPEN and points:
        progress = progress_of(goal, points[-1].day, points[-1].value)
    elif points and points[-1].day >= last:
        over = today > goal.due_on
        progress = progress_of(goal, today if over else points[-1].day, points[-1].value)
    else:
        progress = progress_today(goal, now)
    name = names.get((goal.program_id, goal.tier_code), "")
    return FollowedGoal(goal, points, progress, name)


def tier_names(found: Sequence[Goal]) -> dict[tuple[int, str], str]:
    """Of the tiers that goals are about, as they are called now."""
    codes = {goal.tier_code for goal in found if goal.tier_code}
    if not codes:
        return {}
    tiers = Tier.objects.filter(code__in=codes, tier_set__program__in={g.program_id for g in found})
    rows = tiers.order_by("tier_set__number").values_list("tier_set__program", "code", "name")
    return {(program, code): name for program, code, name in rows}
