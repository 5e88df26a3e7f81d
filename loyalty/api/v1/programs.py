"""/programs: what each program promises, in words and as data."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.definitions import ProgramDefinition
from loyalty.descriptions import Unit, describe_definition, describe_units
from loyalty.models import Program, ProgramEnding
from loyalty.rule_definitions import DiscountRuleDefinition, EarningRuleDefinition
from loyalty.rule_words import describe_discount_rule
from loyalty.rules.bodies import AwardingBody
from loyalty.rules.discount_bodies import DiscountBody
from loyalty.selectors.program_times import (
    ProgramState,
    ending_definition,
    program_state,
    program_states,
)
from loyalty.selectors.programs import definition_of, get_program
from loyalty.unit_definitions import (
    ExpiryDefinition,
    GiftsDefinition,
    PluralForms,
    SpendingDefinition,
    WalletTypeDefinition,
)
from members.api.bodies import Answer, answer, plain_text, read_query
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView


class ProgramPauseOut(Answer):
    """The pause that is, or the next."""

    starts_at: dt.datetime
    ends_at: dt.datetime | None = Field(description="Null: until somebody resumes it.")
    spending: bool = Field(description="Whether units can be spent meanwhile.")


class ConversionOut(Answer):
    """What units become that are left when the program ends."""

    wallet_type: str
    program: str = Field(description="The code of the program in which they go on.")
    to_wallet_type: str
    take: str = Field(description="For each so many …")
    give: str = Field(description="… members get so many, rounded down.")


class ProgramEndingOut(Answer):
    """How the program ends; days in its time zone, each whole."""

    announced_on: dt.date
    last_earning_day: dt.date
    last_spending_day: dt.date = Field(
        description="What is left then expires, but for `conversions`."
    )
    conversions: list[ConversionOut]


class ProgramBrief(Answer):
    code: str
    name: str
    description: str
    status: Program.Status
    state: Literal["draft", "live", "paused", "ending", "ended", "archived"] = Field(
        description="How it stands now: a live program may be paused, or at its end."
    )
    pause: ProgramPauseOut | None
    ending: ProgramEndingOut | None
    currency: str
    time_zone: str
    enrollment: Program.Enrollment
    joinable: bool = Field(description="Whether customers join by themselves.")
    live_since: dt.datetime | None


class ProgramPage(Page):
    results: list[ProgramBrief]


class WalletTypeOut(Answer):
    """A kind of unit."""

    code: str
    singular: str
    plural: str
    decimals: int
    unit_value: str = Field(description="Worth of one unit in the program's currency.")
    tier_values: dict[str, str] = Field(
        description="What one pays of members in a tier, by its code, where that is another worth."
    )
    pending_from: str = Field(description="The state of an order from which units wait.")
    pending_days: int
    expiry: ExpiryDefinition
    gifts: GiftsDefinition
    plural_forms: PluralForms
    icon: str
    spending: SpendingDefinition
    in_words: list[str]


class EarningRuleOut(Answer):
    """How orders become units, as it is in force for new orders."""

    code: str
    name: str
    wallet_type: str
    body: AwardingBody
    in_words: list[str]


class DiscountRuleOut(Answer):
    """What members pay less, as it is in force for new orders."""

    code: str
    name: str
    body: DiscountBody
    in_words: list[str]


class PartyOut(Answer):
    """A charity or a partner."""

    code: str = Field(description="Short name, unique among its kind.")
    name: str = Field(description="What people call it.")


class ProgramOut(ProgramBrief):
    charities: list[PartyOut] = Field(description="Whom members may give to.")
    partners: list[PartyOut] = Field(description="At whose members earn and spend as well.")
    wallet_types: list[WalletTypeOut]
    earning_rules: list[EarningRuleOut]
    discount_rules: list[DiscountRuleOut]


class Programs(ApiView):
    scopes = {"GET": "programs:read"}

    @extend_schema(
        operation_id="listPrograms",
        parameters=query_parameters(PageQuery),
        responses={200: ProgramPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List programs, newest first."""
        query = read_query(request, PageQuery)

        states = program_states(list(Program.objects.all()), timezone.now())

        def row(program: Program) -> ProgramBrief:
            return ProgramBrief(**_brief(states[program.pk]))

        page = paginate(request, Program.objects.all(), query, ordering=["-pk"], row=row)
        return answer(ProgramPage(**page))


class OneProgram(ApiView):
    scopes = {"GET": "programs:read"}

    @extend_schema(operation_id="getProgram", responses={200: ProgramOut})
    def get(self, request: Request, code: str) -> HttpResponse:
        """Read a program with its units and rules, in words and as data."""
        program = get_program(code)
        definition = definition_of(program, timezone.now())
        units = {item.code: item for item in definition.wallet_types}
        return answer(
            ProgramOut(
                **_brief(program_state(program, timezone.now())),
                charities=[
                    PartyOut(code=item.code, name=item.name)
                    for item in definition.charities
                    if item.status == "live"
                ],
                partners=[
                    PartyOut(code=item.code, name=item.name)
                    for item in definition.partners
                    if item.status == "live"
                ],
                wallet_types=[_wallet_type(item, definition) for item in definition.wallet_types],
                earning_rules=[
                    _rule(item, units[item.wallet_type], program.currency)
                    for item in definition.earning_rules
                ],
                discount_rules=[
                    _discount(item, program.currency) for item in definition.discount_rules
                ],
            )
        )


OWN = (
    "code",
    "name",
    "description",
    "status",
    "currency",
    "time_zone",
    "enrollment",
    "joinable",
    "live_since",
)


def _brief(found: ProgramState) -> dict[str, Any]:
    pause, ending = found.pause, found.ending
    return {name: getattr(found.program, name) for name in OWN} | {
        "state": found.state,
        "pause": ProgramPauseOut(**_named(pause, ProgramPauseOut)) if pause else None,
        "ending": _ending(ending) if ending else None,
    }


def _ending(ending: ProgramEnding) -> ProgramEndingOut:
    said = ending_definition(ending)
    assert said is not None
    conversions = [
        ConversionOut(
            **item.model_dump(include={"wallet_type", "program", "to_wallet_type"}),
            take=plain_text(item.take), give=plain_text(item.give),
        )
        for item in said.conversions
    ]  # fmt: skip
    days = said.model_dump(exclude={"conversions"})
    return ProgramEndingOut(**days, conversions=conversions)


def _named(row: object, shape: type[Answer]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in shape.model_fields}


def _wallet_type(item: WalletTypeDefinition, program: ProgramDefinition) -> WalletTypeOut:
    return WalletTypeOut(
        code=item.code,
        singular=item.singular,
        plural=item.plural,
        decimals=item.decimals,
        unit_value=plain_text(item.unit_value),
        tier_values={tier: plain_text(value) for tier, value in item.tier_values.items()},
        pending_from=item.pending_from,
        pending_days=item.pending_days,
        expiry=item.expiry,
        gifts=item.gifts,
        plural_forms=item.plural_forms,
        icon=item.icon,
        spending=item.spending,
        in_words=describe_units(item, program.currency, program.charity_names, program.tiers),
    )


def _discount(item: DiscountRuleDefinition, currency: str) -> DiscountRuleOut:
    body = item.body()
    return DiscountRuleOut(
        code=item.code, name=item.name, body=body, in_words=describe_discount_rule(body, currency)
    )


def _rule(item: EarningRuleDefinition, unit: WalletTypeDefinition, currency: str) -> EarningRuleOut:
    return EarningRuleOut(
        code=item.code,
        name=item.name,
        wallet_type=item.wallet_type,
        body=item.body(),
        in_words=describe_definition(item, Unit(unit), currency),
    )
