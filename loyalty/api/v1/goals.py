"""/goals: what is wanted of programs, and how far it is."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.goal_metrics import metric_of
from loyalty.models import Goal, Program
from loyalty.selectors.goals import FollowedGoal, followed, goals, today_of
from loyalty.services.goals import Wanted, change_goal, close_goal, set_goal
from members.api.bodies import (
    TEXT,
    Answer,
    Body,
    Day,
    MoneyFromZero,
    answer,
    plain_text,
    read_body,
    read_query,
    refuse_field,
)
from members.api.idempotency import idempotent
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.errors import NotFoundError

Metric = Literal[
    "members", "enrollment_share", "active_share", "redemption_rate", "repeat_rate",
    "member_revenue", "average_order", "liability_share", "cost_share", "tier_share",
    "purchases_per_member", "member_value", "several_categories", "retention_rate",
    "repurchase_rate", "churn_rate",
]  # fmt: skip
Note = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
AMOUNT = "A number, an amount of money, or a percentage out of 100."


class GoalIn(Body):
    """A figure, how much of it, and by the end of which day."""

    program: Annotated[str, Field(max_length=64, pattern=TEXT)]
    metric: Metric
    target: MoneyFromZero = Field(description=AMOUNT)
    due_on: Day
    starts_on: Day | None = Field(None, description="Counted from its end; by default today.")
    tier_code: Annotated[str, Field(max_length=32, pattern=TEXT)] = Field(
        "", description="Code of the tier, for tier_share."
    )
    note: Note = ""


class GoalChanges(Body):
    """The fields to change; the others stay."""

    target: MoneyFromZero | None = Field(None, description=AMOUNT)
    due_on: Day | None = None
    note: Note | None = None


class GoalEnd(Body):
    state: Literal["reached", "missed", "given_up"]
    note: Note = Field("", description="Needed for what is given up.")


class GoalPointOut(Answer):
    day: dt.date
    value: str | None = Field(description="At its end; null: there was nothing to measure.")


class GoalBrief(Answer):
    id: UUID
    program: str
    metric: Metric
    tier_code: str
    unit: Literal["count", "number", "percent", "money"]
    direction: Literal["up", "down"] = Field(description="Which way is better.")
    target: str
    baseline: str | None
    starts_on: dt.date
    due_on: dt.date
    state: Literal[
        "on_track", "behind", "reached", "overdue", "unmeasured", "missed", "given_up"
    ] = Field(description="Of an open goal how it stands, else how it ended.")
    open: bool
    value: str | None = Field(description="The newest figure.")
    as_of: dt.date
    in_words: str
    note: str
    closed_at: dt.datetime | None
    closed_note: str


class GoalOut(GoalBrief):
    points: list[GoalPointOut] = Field(description="Day by day.")


class GoalPage(Page):
    results: list[GoalBrief]


class GoalQuery(PageQuery):
    program: str | None = Field(None, description="Code of one program; by default all.")
    open: bool | None = Field(None, description="Only open ones, or only closed ones.")


class Goals(ApiView):
    scopes = {"GET": "goals:read", "POST": "goals:write"}

    @extend_schema(
        operation_id="listGoals",
        parameters=query_parameters(GoalQuery),
        responses={200: GoalPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List goals, newest first, each with how far it is."""
        query = read_query(request, GoalQuery)
        found = goals()
        if query.program is not None:
            found = found.filter(program__code=query.program.replace("\x00", "\n"))
        if query.open is not None:
            states = {"state": Goal.State.OPEN}
            found = found.filter(**states) if query.open else found.exclude(**states)
        now = timezone.now()

        def row(goal: Goal) -> GoalBrief:
            return _brief(followed([goal], now)[0])

        page = paginate(request, found, query, ordering=["-pk"], row=row)
        return answer(GoalPage(**page))

    @extend_schema(operation_id="setGoal", request=GoalIn, responses={201: GoalOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Set a goal; it is measured at once. The same goal again is the one that there is."""
        body, now = read_body(request, GoalIn), timezone.now()
        program = Program.objects.filter(code=body.program).first()
        if program is None:
            raise refuse_field("program", _("There is no such program."), "not_found")
        wanted = Wanted(
            body.metric, Decimal(body.target), body.due_on,
            body.starts_on or today_of(program, now), body.tier_code, None, body.note,
        )  # fmt: skip
        goal, new = set_goal(program=program, wanted=wanted, actor=self.actor, now=now)
        return answer(_out(goal.public_id), HTTPStatus.CREATED if new else HTTPStatus.OK)


class OneGoal(ApiView):
    scopes = {"GET": "goals:read", "PATCH": "goals:write"}

    @extend_schema(operation_id="getGoal", responses={200: GoalOut})
    def get(self, request: Request, goal_id: UUID) -> HttpResponse:
        """Read a goal with what it was day by day."""
        return answer(_out(goal_id))

    @extend_schema(operation_id="changeGoal", request=GoalChanges, responses={200: GoalOut})
    def patch(self, request: Request, goal_id: UUID) -> HttpResponse:
        """Want more or less of an open goal, or by another day. Its baseline stays."""
        body = read_body(request, GoalChanges)
        change_goal(
            goal=_goal(goal_id), actor=self.actor, now=timezone.now(),
            target=None if body.target is None else Decimal(body.target),
            due_on=body.due_on, note=body.note,
        )  # fmt: skip
        return answer(_out(goal_id))


class GoalClosing(ApiView):
    scopes = {"POST": "goals:write"}

    @extend_schema(operation_id="closeGoal", request=GoalEnd, responses={200: GoalOut})
    @idempotent()
    def post(self, request: Request, goal_id: UUID) -> HttpResponse:
        """Say how a goal ended. Reached is what the figure says, missed what had its time."""
        body = read_body(request, GoalEnd)
        close_goal(
            goal=_goal(goal_id), state=body.state, note=body.note, actor=self.actor,
            now=timezone.now(),
        )  # fmt: skip
        return answer(_out(goal_id))


def _goal(public_id: UUID) -> Goal:
    found = goals().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError(_("There is no such goal."))
    return found


def _out(public_id: UUID) -> GoalOut:
    (found,) = followed([_goal(public_id)], timezone.now())
    return GoalOut(
        **_brief(found).model_dump(),
        points=[GoalPointOut(day=point.day, value=_text(point.value)) for point in found.points],
    )


def _brief(found: FollowedGoal) -> GoalBrief:
    goal, metric = found.goal, metric_of(found.goal)
    return GoalBrief(
        id=goal.public_id,
        program=goal.program.code,
        metric=goal.metric,
        tier_code=goal.tier_code,
        unit=metric.unit,
        direction=metric.direction,
        target=plain_text(goal.target),
        baseline=_text(goal.baseline),
        starts_on=goal.starts_on,
        due_on=goal.due_on,
        state=found.state,
        open=goal.state == Goal.State.OPEN,
        value=_text(found.progress.value),
        as_of=found.progress.day,
        in_words=f"{found.title}. {found.sentence}",
        note=goal.note,
        closed_at=goal.closed_at,
        closed_note=goal.closed_note,
    )


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain_text(value)
