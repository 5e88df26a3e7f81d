"""/quotes: what a basket would earn, before it is bought."""

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

from loyalty.api.v1.amounts import Units, units_text
from loyalty.api.v1.awards import reasons_in_words
from loyalty.api.v1.order_bodies import OrderFacts, known_people, order_input
from loyalty.models import Membership
from loyalty.rules.bodies import BonusBody
from loyalty.selectors.rulebooks import current_terms
from loyalty.selectors.wallet_types import wallet_types_of
from loyalty.services.quotes import Goal, Quote, QuotedAward, quote_order
from members.api.bodies import Answer, Instant, answer, money_text, plain_text, read_body
from members.api.views import ApiView


class QuoteIn(OrderFacts):
    """A basket as an order says it. Without a time it is bought now."""

    placed_at: Instant | None = Field(None, description="By default now.")  # type: ignore[assignment]
    program: str | None = Field(None, description="Code of one program; by default all.")


class GoalOut(Answer):
    """How far a bonus, a card of stamps or a streak would have come with this basket."""

    counts: Literal["money", "times"] = Field(description="Money, or orders, stamps or periods.")
    reached: str
    goal: str
    missing: str = Field(description="To the next time that it is reached; 0: all is reached.")


class QuotedAwardOut(Answer):
    """What one rule would give, also nothing, and why."""

    rule: str
    name: str
    wallet_type: str
    decimals: int
    units: Units
    why: list[str]
    goal: GoalOut | None


class QuoteTotal(Answer):
    """Of one kind of unit, by all rules together."""

    wallet_type: str
    decimals: int
    units: Units
    worth: str = Field(description="In the program's currency.")


class ProgramQuote(Answer):
    program: str
    membership: UUID | None = Field(description="Empty: whoever buys it would join with it.")
    totals: list[QuoteTotal]
    awards: list[QuotedAwardOut]


class QuoteOut(Answer):
    quoted_at: dt.datetime
    programs: list[ProgramQuote]


class Quotes(ApiView):
    scopes = {"POST": "quotes:read"}

    @extend_schema(operation_id="quoteBasket", request=QuoteIn, responses={200: QuoteOut})
    def post(self, request: Request) -> HttpResponse:
        """Say what a basket would earn, why, and what is missing to the next threshold. Nothing is
        written; the same basket recorded as an order at the same time earns the same."""
        body = read_body(request, QuoteIn)
        now = timezone.now()
        people = known_people([("customer", body.customer)])
        facts = body.model_copy(update={"placed_at": body.placed_at or now})
        quotes = quote_order(
            order_input(facts, "quote", "quote", people), program_code=body.program
        )
        ids = [quote.membership_id for quote in quotes if quote.membership_id]
        members = dict(Membership.objects.filter(pk__in=ids).values_list("pk", "public_id"))
        return answer(
            QuoteOut(
                quoted_at=now,
                programs=[
                    _program(quote, members.get(quote.membership_id or 0)) for quote in quotes
                ],
            )
        )


def _program(quote: Quote, membership: UUID | None) -> ProgramQuote:
    wallet_types = wallet_types_of(current_terms())
    sums: dict[int, int] = {}
    for quoted in quote.awards:
        version = quoted.award.version
        sums[version.wallet_type_id] = sums.get(version.wallet_type_id, 0) + quoted.award.units
    return ProgramQuote(
        program=quote.program.code,
        membership=membership,
        totals=[
            QuoteTotal(
                wallet_type=wallet_types[pk].code,
                decimals=wallet_types[pk].scale,
                units=units_text(units, wallet_types[pk].scale),
                worth=money_text(
                    Decimal(units).scaleb(-wallet_types[pk].scale) * wallet_types[pk].unit_value
                ),
            )
            for pk, units in sums.items()
        ],
        awards=[_award(quoted, quote) for quoted in quote.awards],
    )


def _award(quoted: QuotedAward, quote: Quote) -> QuotedAwardOut:
    award, version = quoted.award, quoted.award.version
    wallet_type = wallet_types_of(current_terms())[version.wallet_type_id]
    return QuotedAwardOut(
        rule=version.rule_code,
        name=version.rule_name,
        wallet_type=wallet_type.code,
        decimals=wallet_type.scale,
        units=units_text(award.units, wallet_type.scale),
        why=reasons_in_words(award, quote.program.currency, wallet_type),
        goal=_goal(quoted.goal, version.body) if quoted.goal else None,
    )


def _goal(goal: Goal, body: object) -> GoalOut:
    money = isinstance(body, BonusBody)
    text = money_text if money else plain_text
    return GoalOut(
        counts="money" if money else "times",
        reached=text(goal.reached),
        goal=text(goal.goal),
        missing=text(goal.missing),
    )
