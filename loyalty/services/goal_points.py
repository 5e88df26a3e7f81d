"""What goals were day by day: written down each night, and again for days that messages may still
come about. Nothing is kept in between: each point is measured from what is known of its day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import Goal, GoalPoint
from loyalty.selectors.goal_metrics import measure
from loyalty.selectors.goals import today_of
from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.services.job_runs import Step, checkpoint_in_list, place_in_list, run_in_chunks

KIND = "goal_points"
# So many days back are measured again each night: orders and returns are told late.
AGAIN = 7


def find_points(now: dt.datetime) -> Work | None:
    """Days of open goals that are to be measured."""
    wanted = _wanted(now)
    if not wanted:
        return None
    return Work(
        _("Goals day by day"), params={"now": now.isoformat(), "days": wanted}, total=len(wanted)
    )


def run_points(job_id: int) -> Job | None:
    """Measure day after day; None when another run has it."""
    return run_in_chunks(job_id, _next_day)


def point_words(job: Job) -> str:
    points = job.result.get("points", 0)
    words = ngettext("%s day of a goal was measured.", "%s days of goals were measured.", points)
    return words % format_number(points)


def measure_days(goal: Goal, days: Iterable[dt.date], now: dt.datetime) -> int:
    """Measure a goal at the end of each of these days. Doing it twice changes nothing. Returns how
    many points there are of it."""
    found = [
        GoalPoint(
            goal=goal, day=day, value=measure(goal.program, goal.metric, day, now, goal.tier_code)
        )
        for day in days
    ]
    GoalPoint.objects.bulk_create(
        found, update_conflicts=True, unique_fields=["goal", "day"], update_fields=["value"]
    )
    return len(found)


def rebuild_points(found: Iterable[Goal], now: dt.datetime) -> int:
    """All days of open goals anew. What was said of a closed one when it was closed stays."""
    return sum(
        measure_days(goal, days_of(goal, now), now)
        for goal in found
        if goal.state == Goal.State.OPEN
    )


def days_of(goal: Goal, now: dt.datetime) -> list[dt.date]:
    """From its first day to the last one that is over; the first is the baseline's and always
    there."""
    yesterday = today_of(goal.program, now) - dt.timedelta(days=1)
    last = max(min(yesterday, goal.due_on), goal.starts_on)
    return [goal.starts_on + dt.timedelta(days=n) for n in range((last - goal.starts_on).days + 1)]


def _wanted(now: dt.datetime) -> list[tuple[int, str]]:
    """Days without a point, and the last ones."""
    wanted = []
    goals = Goal.objects.filter(state=Goal.State.OPEN).select_related("program")
    known = set(GoalPoint.objects.filter(goal__in=goals).values_list("goal", "day"))
    for goal in goals.order_by("pk"):
        days = days_of(goal, now)
        wanted += [
            (goal.pk, day.isoformat())
            for day in days
            if (goal.pk, day) not in known or day in _last(days)
        ]
    return wanted


def _last(days: Sequence[dt.date]) -> Sequence[dt.date]:
    return days[-AGAIN:]


def _next_day(job: Job) -> Step | None:
    place, days = place_in_list(job), job.params["days"]
    if place >= len(days):
        return None
    pk, day = days[place]
    goal = Goal.objects.select_related("program").filter(pk=pk, state=Goal.State.OPEN).first()
    done = job.result.get("points", 0) if place else 0
    if goal is not None:
        done += measure_days(goal, [dt.date.fromisoformat(day)], timezone.now())
    return Step(
        checkpoint=checkpoint_in_list(job, place + 1), done=place + 1, total=len(days),
        result={"points": done},
    )  # fmt: skip
