"""/backtests: what other rules would have given for real orders. Asked, worked on, read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field, ValidationError
from rest_framework.request import Request

from loyalty.api.v1.amounts import Units, units_text
from loyalty.backtest_figures import BacktestFigures
from loyalty.backtest_rules import with_changes
from loyalty.backtest_sums import SIDES, Figures
from loyalty.models import Backtest, Program
from loyalty.rule_definitions import EarningRuleDefinition
from loyalty.selectors.backtests import get_backtest, list_backtests
from loyalty.selectors.programs import definition_of
from loyalty.services.backtests import create_backtest
from loyalty.tier_definitions import TiersDefinition
from members.api.bodies import (
    Answer,
    Body,
    Day,
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
from members.models import Job
from members.services.job_runs import queue_job

Code = Annotated[str, Field(max_length=64, pattern=r"^[a-z0-9][a-z0-9-]*$")]


class BacktestIn(Body):
    """The program's live rules, with some put in their place or added, and some left out."""

    program: Code
    since: Day = Field(description="The first day, in the program's time zone.")
    until: Day = Field(description="The last day; today at the latest.")
    name: Annotated[str, Field(max_length=120, pattern=r"^[^\x00-\x1f]*$")] = Field(
        "", description="What staff read in the list of backtests."
    )
    rules: Annotated[list[dict[str, Any]], Field(max_length=100)] = Field(
        [], description="Rules as a program file has them. One whose `code` is live takes its"
        " place; others are added.",
    )  # fmt: skip
    without: Annotated[list[Code], Field(max_length=100)] = Field(
        [], description="Codes of live rules that are left out."
    )
    tiers: dict[str, Any] | None = Field(
        None, description="Other tiers to try with it, as a program file has them; null: those that"
        " count.",
    )  # fmt: skip


class SideOut(Answer):
    """What one set of rules gave, by the code of the units."""

    units: dict[str, Units]
    cost: str = Field(description="What these are worth, in the program's currency.")


class PeriodOut(Answer):
    orders: int
    members: int = Field(description="Of a month: always 0; members buy in several.")
    revenue: str
    live: SideOut
    draft: SideOut


class BacktestRuleOut(Answer):
    code: str
    name: str
    units: str = Field(description="The code of the units that it gives.")
    change: str = Field(description="`added`, `changed`, `removed`, or empty: as it was.")
    live: Units
    draft: Units


class BarOut(Answer):
    """Members by what they would gain (or, below zero, lose)."""

    least: str
    most: str
    members: int


class BacktestTierOut(Answer):
    """A tier's members after the last day, and what those were given."""

    code: str
    live_members: int
    draft_members: int
    live: SideOut
    draft: SideOut


class BacktestDiscountOut(Answer):
    """What a discount that is tried takes off within its limits."""

    code: str
    name: str
    taken_off: str = Field(description="At the checkout, in the program's currency.")
    orders: int
    members: int
    used_up_on: dt.date | None = Field(
        description="The day of the first order for which its budget or its codes did not suffice."
    )


class ResultOut(Answer):
    total: PeriodOut
    months: dict[str, PeriodOut]
    segments: dict[str, PeriodOut]
    rules: list[BacktestRuleOut]
    tiers: list[BacktestTierOut] = Field(description="Only where other tiers were tried.")
    discounts: list[BacktestDiscountOut] = Field(
        description="Only where a promotion that takes something off prices was tried."
    )
    better: int = Field(description="Members to whom the draft gives more.")
    worse: int
    same: int
    distribution: list[BarOut]
    in_money: bool = Field(description="Whether the distribution is in money; else in whole units.")
    outstanding: dict[str, SideOut] = Field(
        description="What would not have expired after the last day, if nobody had spent any: of"
        " `live` and of `draft`."
    )


class BacktestBrief(Answer):
    id: UUID
    program: str
    name: str
    since: dt.date
    until: dt.date
    created_at: dt.datetime
    finished_at: dt.datetime | None = Field(description="Null until there is a result.")


class BacktestOut(BacktestBrief):
    live: dict[str, Any] = Field(description="The rules that were live when it was asked.")
    draft: dict[str, Any]
    job: UUID | None = Field(description="The work on it: GET /jobs/{id}.")
    job_state: Job.State | None
    result: ResultOut | None


class BacktestPage(Page):
    results: list[BacktestBrief]


class Backtests(ApiView):
    scopes = {"GET": "backtests:read", "POST": "backtests:write"}

    @extend_schema(
        operation_id="listBacktests",
        parameters=query_parameters(PageQuery),
        responses={200: BacktestPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List backtests, newest first, wherever they were asked."""
        query = read_query(request, PageQuery)

        def row(backtest: Backtest) -> BacktestBrief:
            return BacktestBrief(**_brief(backtest))

        found = paginate(request, list_backtests(), query, ordering=["-pk"], row=row)
        return answer(BacktestPage(**found))

    @extend_schema(operation_id="createBacktest", request=BacktestIn, responses={201: BacktestOut})
    @idempotent(required=True)
    def post(self, request: Request) -> HttpResponse:
        """Ask what a draft of the rules would have given. A worker replays the orders; follow the
        backtest until `finished_at` is there. Nothing is posted."""
        body = read_body(request, BacktestIn)
        program, now = _program(body.program), timezone.now()
        live = definition_of(program, now)
        backtest = create_backtest(
            program=program,
            since=body.since,
            until=body.until,
            draft=with_changes(live, put=_rules(body), without=body.without),
            name=body.name,
            tiers=_tiers(body),
            actor=self.actor,
            now=now,
        )
        if backtest.job is not None and backtest.job.state == Job.State.QUEUED:
            queue_job(backtest.job)
        return answer(_out(backtest), HTTPStatus.CREATED)


class OneBacktest(ApiView):
    scopes = {"GET": "backtests:read"}

    @extend_schema(operation_id="getBacktest", responses={200: BacktestOut})
    def get(self, request: Request, backtest_id: UUID) -> HttpResponse:
        """Read a backtest, and its result once it is there."""
        return answer(_out(get_backtest(backtest_id)))


def _program(code: str) -> Program:
    program = Program.objects.filter(code=code).first()
    if program is None:
        raise refuse_field("program", _("There is no such program."), "not_found")
    return program


def _rules(body: BacktestIn) -> list[EarningRuleDefinition]:
    found = []
    for number, said in enumerate(body.rules):
        try:
            found.append(EarningRuleDefinition.model_validate(said))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in (f"rules[{number}]", *first["loc"]))
            raise refuse_field(place, first["msg"]) from error
    return found


def _tiers(body: BacktestIn) -> TiersDefinition | None:
    if body.tiers is None:
        return None
    try:
        return TiersDefinition.model_validate(body.tiers)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in ("tiers", *first["loc"]))
        raise refuse_field(place, first["msg"]) from error


def _brief(backtest: Backtest) -> dict[str, Any]:
    return {
        "id": backtest.public_id, "program": backtest.program.code, "name": backtest.name,
        "since": backtest.since, "until": backtest.until, "created_at": backtest.created_at,
        "finished_at": backtest.finished_at,
    }  # fmt: skip


def _out(backtest: Backtest) -> BacktestOut:
    return BacktestOut(
        **_brief(backtest),
        live=backtest.live,
        draft=backtest.draft,
        job=backtest.job.public_id if backtest.job else None,
        job_state=Job.State(backtest.job.state) if backtest.job else None,
        result=_result(BacktestFigures(backtest)) if backtest.result is not None else None,
    )


def _result(found: BacktestFigures) -> ResultOut:
    sums = found.sums
    return ResultOut(
        total=_period(found, found.whole),
        months={key: _period(found, item) for key, item in found.months()},
        segments={key: _period(found, item) for key, item in sorted(sums.segments.items())},
        rules=[
            BacktestRuleOut(
                code=item.code, name=item.name, units=item.unit.code, change=item.change,
                live=units_text(item.live, item.unit.scale),
                draft=units_text(item.draft, item.unit.scale),
            )
            for item in found.rules()
        ],
        tiers=[
            BacktestTierOut(
                code=item.code, live_members=item.live, draft_members=item.draft,
                live=_side(found, item.live_units), draft=_side(found, item.draft_units),
            )
            for item in found.tiers()
        ],
        discounts=[
            BacktestDiscountOut(
                code=item.code, name=item.name, taken_off=plain_text(item.off), orders=item.orders,
                members=item.members, used_up_on=item.used_up,
            )
            for item in found.discounts()
        ],
        better=found.better,
        worse=found.worse,
        same=found.same,
        distribution=[
            BarOut(least=plain_text(bar.least), most=plain_text(bar.most), members=bar.members)
            for bar in found.bars()
        ],
        in_money=found.in_money,
        outstanding={side: _side(found, found.outstanding(side)) for side in SIDES},
    )  # fmt: skip


def _period(found: BacktestFigures, figures: Figures) -> PeriodOut:
    return PeriodOut(
        orders=figures.orders,
        members=figures.members,
        revenue=plain_text(figures.revenue),
        live=_side(found, figures.units["live"]),
        draft=_side(found, figures.units["draft"]),
    )


def _side(found: BacktestFigures, units: Mapping[str, int]) -> SideOut:
    return SideOut(
        units={unit.code: units_text(units.get(unit.code, 0), unit.scale) for unit in found.units},
        cost=plain_text(found.worth(units)),
    )
