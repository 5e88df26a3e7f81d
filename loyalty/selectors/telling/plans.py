"""What is told outside of paid plans and of goals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from loyalty.models import Goal, Subscription
from loyalty.selectors.subscriptions import subscriptions
from loyalty.selectors.telling.people import PROGRAM, SAMPLE_MEMBER, MemberData, member_values
from members.models import OutboxEvent
from members.models.telling import ToldRow
from members.public_events import EventData, EventType, PublicEvent, named_rows

State = Subscription.State
_BEGUN = (State.TRIALING, State.ACTIVE)


class PlanData(MemberData):
    """A member's paid plan."""

    subscription: str = Field(description="Its id in the API.")
    plan: str = Field(description="The plan's code.")
    state: Subscription.State
    period_end: dt.datetime | None = Field(description="Until when the current period is.")
    cancel_at_period_end: bool = Field(description="It ends then, and does not renew.")
    ended_why: str = Field(description="Why it has ended; empty: it has not.")


class GoalData(EventData):
    """A goal that the merchant has set for a program."""

    goal: str = Field(description="Its id in the API.")
    program: str
    metric: Goal.Metric
    target: str
    due_on: dt.date
    state: Goal.State


_PLAN = SAMPLE_MEMBER | {
    "subscription": "0a4c9b1e-4f1e-4a7e-8d70-4a2c9be5d1a3", "plan": "plus", "state": "active",
    "period_end": "2026-04-01T00:00:00Z", "cancel_at_period_end": False, "ended_why": "",
}  # fmt: skip
_ENDED = {"state": "canceled", "ended_why": "period_end"}
PLAN_TYPES = tuple(
    EventType(name, sentence, PlanData, PlanData.model_validate(_PLAN | changes))
    for name, sentence, changes in (
        ("plan.started", _("A member’s paid plan begins, maybe with a trial."), {}),
        ("plan.renewed", _("A paid plan went into its next period."), {}),
        ("plan.past_due", _("A paid plan was not paid in time."), {"state": "past_due"}),
        (
            "plan.cancellation_changed",
            _("A paid plan is to end with its period, or is to go on after all."),
            {"cancel_at_period_end": True},
        ),
        ("plan.ended", _("A paid plan has ended."), _ENDED),
    )
)
GOAL_TYPES = tuple(
    EventType(
        name, sentence, GoalData,
        GoalData.model_validate(
            {"goal": "b1a7c9d0-6a52-4d0e-9f43-2f4b9c0e7a11", "program": PROGRAM,
             "metric": "members", "target": "1000", "due_on": "2026-12-31", "state": state}
        ),
    )
    for name, sentence, state in (
        ("goal.reached", _("A goal was reached."), "reached"),
        ("goal.missed", _("A goal was not reached in time."), "missed"),
        ("goal.given_up", _("A goal was given up."), "given_up"),
    )
)  # fmt: skip


def tell_plans(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, _plan_names)
    found = subscriptions().in_bulk([item.row.id for item in named])
    for item in named:
        held = found[item.row.id]
        values = member_values(held.membership) | {
            "subscription": str(held.public_id), "plan": held.plan.code, "state": item.row.became,
            "period_end": held.period_end, "cancel_at_period_end": held.cancel_at_period_end,
            "ended_why": held.ended_why,
        }  # fmt: skip
        yield item.told(held.membership.program.code, PlanData.model_validate(values))


def _plan_names(row: ToldRow) -> Iterable[str]:
    if row.became in _BEGUN and row.was in (None, State.WAITING):
        yield "plan.started"
    elif row.became == State.ACTIVE and "period_number" in row.changed:
        yield "plan.renewed"
    if "state" in row.changed or row.is_new:
        if row.became == State.PAST_DUE:
            yield "plan.past_due"
        elif row.became in Subscription.ENDED:
            yield "plan.ended"
    if "cancel_at_period_end" in row.changed and row.became not in Subscription.ENDED:
        yield "plan.cancellation_changed"


def tell_goals(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(
        events, lambda row: [] if row.became == Goal.State.OPEN else [f"goal.{row.became}"]
    )
    goals = Goal.objects.select_related("program").in_bulk([item.row.id for item in named])
    for item in named:
        goal = goals[item.row.id]
        code = goal.program.code
        data = GoalData.model_validate(
            {
                "goal": str(goal.public_id), "program": code, "metric": goal.metric,
                "target": f"{goal.target.normalize():f}", "due_on": goal.due_on,
                "state": item.row.became,
            }
        )  # fmt: skip
        yield item.told(code, data)
