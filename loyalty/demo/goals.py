"""What the demonstration's marketing manager wants of the program."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_CEILING, Decimal

from django.utils import timezone

from loyalty.models import Goal, Program
from loyalty.selectors.goal_metrics import measure
from loyalty.selectors.goals import today_of
from loyalty.services.goal_points import days_of, measure_days
from loyalty.services.goals import Wanted, set_goal
from members.models import User
from members.services.audit import Actor

SINCE, LEFT = 60, 60
# How far above where it began each goal is: a tenth of that is reached anyway, or is not.
GOALS = (
    (Goal.Metric.REVENUE, Decimal("1.10"), "Autumn campaign: double points on fresh food."),
    (Goal.Metric.REDEEMED, Decimal(45), "Members should see what their points are good for."),
)


def people_want(program: Program) -> None:
    """Once, however often the demonstration is loaded."""
    mia = User.objects.filter(staff_member__role="marketing_manager").first()
    if mia is None or Goal.objects.filter(program=program).exists():
        return
    now = timezone.now()
    today = today_of(program, now)
    since = today - dt.timedelta(days=SINCE)
    for metric, much, note in GOALS:
        began = measure(program, metric, since, now)
        if began is None:
            continue
        target = much if metric == Goal.Metric.REDEEMED else _hundreds(began * much)
        if target <= began:
            continue
        wanted = Wanted(metric, target, today + dt.timedelta(days=LEFT), since, "", mia, note)
        goal, _new = set_goal(program=program, wanted=wanted, actor=Actor.of_user(mia), now=now)
        measure_days(goal, days_of(goal, now), now)


def _hundreds(amount: Decimal) -> Decimal:
    return (amount / 100).to_integral_value(ROUND_CEILING) * 100
