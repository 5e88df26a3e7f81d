"""/programs/{code}/liability: what a program owes its members as of a day."""

from __future__ import annotations

import datetime as dt
from typing import Literal, cast

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import Units, units_text
from loyalty.selectors.liability import Liability, get_liability
from loyalty.selectors.programs import get_program
from members.api.bodies import Answer, Day, Query, answer, plain_text, read_query
from members.api.schema import query_parameters
from members.api.views import ApiView

Ends = Literal["date", "inactivity", "none"]


class LiabilityQuery(Query):
    as_of: Day | None = Field(
        None,
        description="The end of this day in the program's time zone. Without it: today. Later than"
        " today: what will be owed if nothing more happens.",
    )


class HeldOut(Answer):
    """Units by when they are used for the last time."""

    ends: Ends = Field(
        description="`date`: in the month given; `inactivity`: when nothing happens for too long;"
        " `none`: never, or not as far as is known."
    )
    month: str | None = Field(description="As YYYY-MM, with `date`.", examples=["2026-12"])
    units: Units
    worth: str


class UnitLiabilityOut(Answer):
    wallet_type: str
    decimals: int
    units: Units = Field(description="What members hold less what they owe.")
    worth: str = Field(description="In the program's currency, at what a unit was worth that day.")
    held: Units
    owed: Units
    by_expiry: list[HeldOut] = Field(description="What is held, in parts that add up to it.")


class LiabilityOut(Answer):
    program: str
    currency: str
    as_of: dt.date
    wallet_types: list[UnitLiabilityOut]


class ProgramLiability(ApiView):
    scopes = {"GET": "books:read"}

    @extend_schema(
        operation_id="getLiability",
        parameters=query_parameters(LiabilityQuery),
        responses={200: LiabilityOut},
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        """Read what the program owes its members: in units and money, by month of expiry.

        What was booked by the end of the day counts, so a day of closed books never changes.
        """
        query = read_query(request, LiabilityQuery)
        program = get_program(code)
        day = query.as_of or timezone.now().astimezone(program.zone).date()
        found = [
            get_liability(item, day)
            for item in program.wallet_types.select_related("program").order_by("pk")
        ]
        return answer(
            LiabilityOut(
                program=program.code,
                currency=program.currency,
                as_of=day,
                wallet_types=[_out(item) for item in found],
            )
        )


def _out(item: Liability) -> UnitLiabilityOut:
    wallet_type = item.wallet_type
    return UnitLiabilityOut(
        wallet_type=wallet_type.code,
        decimals=wallet_type.scale,
        units=units_text(item.units, wallet_type.scale),
        worth=plain_text(item.worth),
        held=units_text(item.held_units, wallet_type.scale),
        owed=units_text(item.owed, wallet_type.scale),
        by_expiry=[
            HeldOut(
                ends=cast(Ends, part.ends),
                month=f"{part.month:%Y-%m}" if part.month else None,
                units=units_text(part.units, wallet_type.scale),
                worth=plain_text(item.worth_of(part.units)),
            )
            for part in item.held
        ],
    )
