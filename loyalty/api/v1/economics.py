"""/programs/{code}/economics: what a program costs and brings, by its data and what is assumed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.economics import Economics, Inputs
from loyalty.models import EconomicAssumptions, EconomicScenario
from loyalty.selectors.economics import (
    ProgramData,
    assumptions_of,
    inputs_of_data,
    inputs_of_scenario,
    scenarios_of,
)
from loyalty.selectors.programs import get_program
from loyalty.slow_figures import ECONOMICS
from members.api.bodies import Answer, answer, plain_text
from members.api.views import ApiView
from members.slow_figures import ask_figures

PERCENT = "Out of 100."


class HoldoutOut(Answer):
    """What members spent more who got something, than those kept aside by lot."""

    name: str
    since: dt.date
    until: dt.date
    led: int
    aside: int
    difference: str = Field(description="For each member, in those days.")
    low: str = Field(description="Nineteen times of twenty what is true lies from here …")
    high: str = Field(description="… to here.")


class DataOut(Answer):
    """Of the last 365 days."""

    members: int
    member_years: str = Field(description="How long they were members in these days, together.")
    revenue: str = Field(description="What they paid since they joined, less returns.")
    taken_off: str = Field(description="What discount rules took off that.")
    spend_per_member: str | None = Field(description="In a year of one member, before discounts.")
    rewards_earned: str = Field(description="What units earned are worth, net.")
    rewards_used: str
    discounts: str = Field(description="What discount rules took off, net.")
    reward_rate: str | None = Field(description=PERCENT)
    redemption_rate: str | None = Field(
        description=f"{PERCENT} Of units and discounts; a discount is used when it is given."
    )
    breakage: str | None = Field(description=f"{PERCENT} Of all units that were ever granted.")
    liability: str
    holdouts: list[HoldoutOut]


class AssumptionsOut(Answer):
    """What no data say."""

    spend_without: str | None
    margin: str = Field(description=PERCENT)
    administration: str = Field(description="For each member, in a year.")
    platform_fee: str = Field(description="For all, in a year.")
    support: str = Field(description=f"{PERCENT} On top of all other cost.")
    messaging: str = Field(description=f"{PERCENT} On top of all other cost.")
    changed_at: dt.datetime


class OutcomeOut(Answer):
    """What follows, in a year."""

    spend_without_is: Literal["assumption", "holdout"] = Field(
        description="Whether what would be spent without the program was measured against members"
        " kept aside, or is what somebody assumes. A lift that was measured is that of the days of"
        " its holdout, not of a year."
    )
    cost_per_member: str
    gain_per_member: str
    net_per_member: str
    roi: str | None = Field(description="Net of cost, as a ratio; null: it costs nothing.")
    total_cost: str
    total_net: str
    break_even_lift: str | None = Field(
        description="How much more each must spend for nothing to be lost; null: never."
    )
    break_even_members: int | None
    break_even_rate: str | None = Field(description=PERCENT)
    liability: str
    net_low: str | None = Field(description="Of a member, at the lower end of a measured lift.")
    net_high: str | None


class ScenarioOut(Answer):
    id: UUID
    name: str
    saved_at: dt.datetime
    members: int
    spend_without: str
    spend_with: str
    margin: str
    reward_rate: str
    bonuses: str
    administration: str
    platform_fee: str
    support: str
    messaging: str
    redemption: str
    breakage: str
    owed: str
    outcome: OutcomeOut


class EconomicsOut(Answer):
    program: str
    currency: str
    data: DataOut | None = Field(
        description="Null: there is very much to look at, and it is being worked out. Ask again in"
        " a minute."
    )
    data_as_of: dt.datetime | None
    assumptions: AssumptionsOut | None = Field(description="Null: nobody has kept any.")
    outcome: OutcomeOut | None = Field(
        description="Of the data and the assumptions; null: they do not suffice."
    )
    scenarios: list[ScenarioOut]


class ProgramEconomics(ApiView):
    scopes = {"GET": "books:read"}

    @extend_schema(operation_id="getEconomics", responses={200: EconomicsOut})
    def get(self, request: Request, code: str) -> HttpResponse:
        """Read what a member costs and brings: by the program's data, and in saved scenarios."""
        program, now = get_program(code), timezone.now()
        figures = ask_figures(ECONOMICS, now=now, waits=True, program=program.pk)
        data: ProgramData | None = figures.value if figures else None
        kept = assumptions_of(program)
        inputs = inputs_of_data(data, kept) if data and kept else None
        return answer(
            EconomicsOut(
                program=program.code,
                currency=program.currency,
                data=_data(data) if data else None,
                data_as_of=(figures.as_of or now) if figures else None,
                assumptions=_assumptions(kept) if kept else None,
                outcome=_outcome(inputs) if inputs else None,
                scenarios=[_scenario(item) for item in scenarios_of(program)],
            )
        )


def _data(data: ProgramData) -> DataOut:
    return DataOut(
        members=data.members,
        member_years=_number(data.member_years),
        revenue=_number(data.revenue),
        taken_off=_number(data.taken_off),
        spend_per_member=_maybe(data.spend),
        rewards_earned=_number(data.earned),
        rewards_used=_number(data.used),
        discounts=_number(data.discounts),
        reward_rate=_maybe(data.reward_rate),
        redemption_rate=_maybe(data.redemption),
        breakage=_maybe(data.breakage),
        liability=_number(data.owed),
        holdouts=[
            HoldoutOut(
                name=item.name, since=item.since, until=item.until, led=item.led, aside=item.aside,
                difference=_number(item.difference), low=_number(item.low), high=_number(item.high),
            )
            for item in data.holdouts
        ],
    )  # fmt: skip


def _assumptions(kept: EconomicAssumptions) -> AssumptionsOut:
    names = ("margin", "administration", "platform_fee", "support", "messaging")
    return AssumptionsOut(
        spend_without=_maybe(kept.spend_without),
        changed_at=kept.changed_at,
        **{name: _number(getattr(kept, name)) for name in names},
    )


def _scenario(saved: EconomicScenario) -> ScenarioOut:
    inputs = inputs_of_scenario(saved)
    names = ("spend_without", "spend_with", "margin", "reward_rate", "bonuses", "administration",
             "platform_fee", "support", "messaging", "redemption", "breakage", "owed")  # fmt: skip
    return ScenarioOut(
        id=saved.public_id,
        name=saved.name,
        saved_at=saved.created_at,
        members=saved.members,
        outcome=_outcome(inputs),
        **{name: _number(getattr(inputs, name)) for name in names},
    )


def _outcome(inputs: Inputs) -> OutcomeOut:
    found = Economics(inputs)
    low, high = found.ends or (None, None)
    return OutcomeOut(
        spend_without_is="holdout" if inputs.lift else "assumption",
        cost_per_member=_number(found.cost),
        gain_per_member=_number(found.gain),
        net_per_member=_number(found.net),
        roi=_maybe(found.roi),
        total_cost=_number(found.total_cost),
        total_net=_number(found.total_net),
        break_even_lift=_maybe(found.break_even_lift),
        break_even_members=found.break_even_members,
        break_even_rate=_maybe(found.break_even_rate),
        liability=_number(found.liability),
        net_low=_number(low.net) if low else None,
        net_high=_number(high.net) if high else None,
    )


def _number(value: Decimal) -> str:
    return plain_text(round(value, 4))


def _maybe(value: Decimal | None) -> str | None:
    return None if value is None else _number(value)
