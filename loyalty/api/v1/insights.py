"""/programs/{code}/insights and /programs/{code}/cohorts: key figures month by month, and what
those who joined in a month did since."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Literal

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.cohort_grids import months_between
from loyalty.insight_sentences import advice_sentence, figure_sentence
from loyalty.models import Program
from loyalty.selectors.cohorts import CohortSums, kept_cohorts
from loyalty.selectors.insights import Figure, all_months, get_overview
from loyalty.selectors.programs import get_program
from loyalty.target_bands import Band
from members.api.bodies import Answer, answer, plain_text
from members.api.views import ApiView


class BandOut(Answer):
    low: str | None = Field(description="null: open on this side.")
    high: str | None
    chosen: bool = Field(description="Somebody chose it for the program; else it is the usual one.")


class FigurePointOut(Answer):
    day: dt.date
    value: str | None = Field(description="At its end; null: there was nothing to measure.")


class FigureOut(Answer):
    metric: str
    tier_code: str = Field(description="For tier_share: who is at this tier and at no higher one.")
    label: str
    unit: Literal["count", "number", "percent", "money"]
    value: str | None = Field(description="The newest; percentages are out of 100.")
    as_of: dt.date | None = Field(description="null: it has not been measured.")
    band: BandOut | None
    state: Literal["inside", "below", "above", "free", "unmeasured"] = Field(
        description="Against its band; `free`: it has none."
    )
    meaning: str
    advice: str = Field(description="Empty where no band says what is wanted.")
    trend: list[FigurePointOut] = Field(description="Ends of months, and the newest day.")


class MeasuredOut(Answer):
    """A figure that has no band."""

    metric: str
    label: str
    unit: Literal["count", "number", "percent", "money"]
    value: str | None = Field(description="The newest; null: there was nothing to measure.")
    as_of: dt.date | None = Field(description="null: it has not been measured.")
    definition: str
    trend: list[FigurePointOut] = Field(description="Ends of months, and the newest day.")


class InsightsOut(Answer):
    program: str
    currency: str
    measured: bool = Field(description="False: the job of the night has not been there yet.")
    figures: list[FigureOut]
    loyalty_parts: list[MeasuredOut] = Field(
        description="What the loyalty index is the mean of; null: nobody was asked."
    )
    touchpoints: list[MeasuredOut] = Field(
        description="How many members did something at each in the last 90 days."
    )
    joining: list[MeasuredOut] = Field(
        description="What the same customers brought in half a year before joining and in half a "
        "year after. It is no lift: who joins is often about to buy more anyway."
    )


class CohortMonthOut(Answer):
    month: str = Field(examples=["2026-12"])
    since: int = Field(description="Months since they joined; 0: the one in which they did.")
    members: int
    buyers: int
    orders: int
    revenue: str = Field(description="Less what came back, in the program's currency.")
    units_spent: str


class CohortOut(Answer):
    joined: str = Field(description="The month.", examples=["2026-11"])
    months: list[CohortMonthOut]


class CohortsOut(Answer):
    program: str
    currency: str
    cohorts: list[CohortOut]


class ProgramInsights(ApiView):
    scopes = {"GET": "books:read"}

    @extend_schema(operation_id="getInsights", responses={200: InsightsOut})
    def get(self, request: Request, code: str) -> HttpResponse:
        """Read the key figures of a program: each with its band, what it means and how it went.

        They are measured each night. What a program brings is not among them: that is told by
        promotions and journeys that keep members aside.
        """
        program = get_program(code)
        found = get_overview(program, timezone.now())
        return answer(
            InsightsOut(
                program=program.code,
                currency=program.currency,
                measured=found.measured,
                figures=[_figure(item, program) for item in (*found.figures, *found.tiers)],
                loyalty_parts=[_measured(item) for item in found.loyalty],
                touchpoints=[_measured(item) for item in found.touchpoints],
                joining=[_measured(item) for item in found.joining],
            )
        )


class ProgramCohorts(ApiView):
    scopes = {"GET": "books:read"}

    @extend_schema(operation_id="getCohorts", responses={200: CohortsOut})
    def get(self, request: Request, code: str) -> HttpResponse:
        """Read what the members who joined in a month did in each month since: sums of all of
        them, of the last twelve months."""
        program = get_program(code)
        cohorts: dict[str, list[CohortMonthOut]] = {}
        for item in kept_cohorts(program, all_months(program, timezone.now())):
            cohorts.setdefault(f"{item.joined:%Y-%m}", []).append(_month(item))
        return answer(
            CohortsOut(
                program=program.code,
                currency=program.currency,
                cohorts=[CohortOut(joined=joined, months=rows) for joined, rows in cohorts.items()],
            )
        )


def _figure(item: Figure, program: Program) -> FigureOut:
    return FigureOut(
        metric=item.metric.code,
        tier_code=item.tier_code,
        label=item.metric.label,
        unit=item.metric.unit,
        value=_text(item.value),
        as_of=item.day,
        band=_band(item.band),
        state=item.state,
        meaning=figure_sentence(item.metric, item.value, program.currency),
        advice=advice_sentence(item.metric, item.state),
        trend=[FigurePointOut(day=point.day, value=_text(point.value)) for point in item.points],
    )


def _measured(item: Figure) -> MeasuredOut:
    return MeasuredOut(
        metric=item.metric.code, label=item.metric.label, unit=item.metric.unit,
        value=_text(item.value), as_of=item.day, definition=str(item.metric.definition),
        trend=[FigurePointOut(day=point.day, value=_text(point.value)) for point in item.points],
    )  # fmt: skip


def _band(band: Band | None) -> BandOut | None:
    if band is None:
        return None
    return BandOut(low=_text(band.low), high=_text(band.high), chosen=band.own)


def _month(item: CohortSums) -> CohortMonthOut:
    since = months_between(item.joined, item.month)
    return CohortMonthOut(
        month=f"{item.month:%Y-%m}", since=since, members=item.members, buyers=item.buyers,
        orders=item.orders, revenue=plain_text(item.revenue), units_spent=plain_text(item.units),
    )  # fmt: skip


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain_text(value)
