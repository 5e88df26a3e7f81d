"""/quotes: what a basket would cost and earn, before it is bought."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import Units, units_text
from loyalty.api.v1.awards import reasons_in_words
from loyalty.api.v1.codes import PromoCodeOut, codes_out
from loyalty.api.v1.order_bodies import OrderFacts, known_people, order_input
from loyalty.api.v1.partner_access import partner_asking, require_identified
from loyalty.api.v1.spending import SpendingOut, spending_out
from loyalty.discount_words import discount_reasons
from loyalty.explanations import Explanation
from loyalty.models import Membership
from loyalty.rules.bodies import BonusBody
from loyalty.rules.discounts import Discount
from loyalty.rules.facts import Basket
from loyalty.rules.program_times import State
from loyalty.selectors.member_tiers import tier_voice
from loyalty.selectors.rulebooks import current_terms
from loyalty.selectors.wallet_types import wallet_types_of
from loyalty.services.quotes import Goal, Quote, QuotedAward, quote_order
from loyalty.services.usable_units import UsableUnits
from members.api.bodies import Answer, Instant, answer, money_text, plain_text, read_body
from members.api.views import ApiView


class QuoteIn(OrderFacts):
    """A basket as an order says it. Without a time it is bought now."""

    placed_at: Instant | None = Field(None, description="By default now.")  # type: ignore[assignment]
    program: str | None = Field(None, description="Code of one program; by default all.")
    with_discounts: bool = Field(
        True, description="False: the prices have the programs' discounts already."
    )


class QuoteGoalOut(Answer):
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
    goal: QuoteGoalOut | None


class LineDiscountOut(Answer):
    line_no: int
    amount: str


class QuotedDiscountOut(Answer):
    """What one rule would take off, also nothing, and why."""

    rule: str
    name: str
    amount: str
    lines: list[LineDiscountOut] = Field(description="What each line bears; they add up.")
    why: list[str]


class DiscountedLineOut(Answer):
    """A line as it is to be recorded."""

    line_no: int
    total: str = Field(description="After all its discounts.")
    discount: str = Field(description="Those that it came with, and the program's.")
    tax: str


class DiscountedOut(Answer):
    """The basket at what it costs with the discounts."""

    total: str
    tax_total: str
    lines: list[DiscountedLineOut]


class QuoteTotal(Answer):
    """Of one kind of unit, by all rules together."""

    wallet_type: str
    decimals: int
    units: Units
    worth: str = Field(description="In the program's currency.")


class QuotedTierOut(Answer):
    """The buyer's tier before the basket and with it, and what would be missing then."""

    before: str
    after: str
    next: str | None = Field(description="The tier above; null at the top.")
    missing: str | None = Field(description="To the next tier, with this basket.")
    missing_before: str | None = Field(description="To the next tier, without it.")
    sentence: str = Field(description="What is missing with this basket, in words.")


class UsableOut(Answer):
    """What a member could use of one kind of units to pay for the basket."""

    wallet_type: str
    decimals: int
    spendable: Units = Field(description="What can be spent at all.")
    usable: Units = Field(description="What can be used for this basket; 0: none.")
    worth: str = Field(description="Of what is usable, in the program's currency.")
    spending: SpendingOut


class ProgramQuote(Answer):
    program: str
    state: State = Field(
        description="At the time of the basket. Only a live program gives something."
    )
    membership: UUID | None = Field(description="Empty: whoever buys it would join with it.")
    discount: str = Field(description="Off the price, by all discount rules together.")
    discounts: list[QuotedDiscountOut] = Field(description="In their order of evaluation.")
    discounted: DiscountedOut | None = Field(
        description="What to charge and to record. Null: nothing is taken off."
    )
    totals: list[QuoteTotal] = Field(description="Of what is left to pay.")
    awards: list[QuotedAwardOut]
    tier: QuotedTierOut | None = Field(description="Null in a program without tiers.")
    usable: list[UsableOut] = Field(
        description="Of each kind of units that is worth something; the redemption is sent with the"
        " order once that is recorded."
    )
    codes: list[PromoCodeOut] = Field(
        description="Of each code among the basket's coupons, whether a promotion counts by it."
    )


class QuoteOut(Answer):
    quoted_at: dt.datetime
    programs: list[ProgramQuote]


class Quotes(ApiView):
    scopes = {"POST": "quotes:read"}
    for_partners = frozenset({"POST"})

    @extend_schema(operation_id="quoteBasket", request=QuoteIn, responses={200: QuoteOut})
    def post(self, request: Request) -> HttpResponse:
        """Say what a program takes off a basket's price, what the rest would earn, why, and what
        is missing to the next threshold. Nothing is written; the basket recorded as an order at
        the same time, at its discounted prices, earns the same."""
        body = read_body(request, QuoteIn)
        now = timezone.now()
        partner, buyers = partner_asking(self), [("customer", body.customer)]
        require_identified(partner, buyers)
        people = known_people(buyers)
        facts = body.model_copy(update={"placed_at": body.placed_at or now})
        quotes = quote_order(
            replace(order_input(facts, "quote", "quote", people), partner=partner),
            program_code=body.program,
            with_discounts=body.with_discounts,
            now=now,
        )
        ids = [quote.membership_id for quote in quotes if quote.membership_id]
        members = dict(Membership.objects.filter(pk__in=ids).values_list("pk", "public_id"))
        return answer(
            QuoteOut(
                quoted_at=now,
                programs=[
                    program_quote(quote, members.get(quote.membership_id or 0)) for quote in quotes
                ],
            )
        )


def program_quote(quote: Quote, membership: UUID | None) -> ProgramQuote:
    wallet_types = wallet_types_of(current_terms())
    sums: dict[int, int] = {}
    paying = {pk: unit.spending for pk, unit in quote.program.units.items()}
    paying |= {item.wallet_type_id: item.terms for item in quote.usable}
    for quoted in quote.awards:
        version = quoted.award.version
        sums[version.wallet_type_id] = sums.get(version.wallet_type_id, 0) + quoted.award.units
    return ProgramQuote(
        program=quote.program.code,
        state=quote.state,
        membership=membership,
        discount=money_text(quote.discounted.amount),
        discounts=[_discount(item, quote) for item in quote.discounted.discounts],
        discounted=_discounted(quote.discounted.basket) if quote.discounted.amount else None,
        totals=[
            QuoteTotal(
                wallet_type=wallet_types[pk].code,
                decimals=wallet_types[pk].scale,
                units=units_text(units, wallet_types[pk].scale),
                worth=money_text(paying[pk].worth(units)),
            )
            for pk, units in sums.items()
        ],
        awards=[_award(quoted, quote) for quoted in quote.awards],
        tier=_tier(quote),
        usable=[_usable(item) for item in quote.usable],
        codes=codes_out(quote.codes),
    )


def _usable(item: UsableUnits) -> UsableOut:
    wallet_type = wallet_types_of(current_terms())[item.wallet_type_id]
    return UsableOut(
        wallet_type=wallet_type.code,
        decimals=wallet_type.scale,
        spendable=units_text(item.spendable, wallet_type.scale),
        usable=units_text(item.most, wallet_type.scale),
        worth=money_text(item.terms.worth(item.most)),
        spending=spending_out(item.terms),
    )


def _tier(quote: Quote) -> QuotedTierOut | None:
    if quote.tiers is None:
        return None
    before, after = quote.tiers
    return QuotedTierOut(
        before=before.tier,
        after=after.tier,
        next=after.next.tier if after.next else None,
        missing=plain_text(after.next.missing) if after.next else None,
        missing_before=plain_text(before.next.missing) if before.next else None,
        sentence=tier_voice(quote.program, after).to_next(after),
    )


def _discount(item: Discount, quote: Quote) -> QuotedDiscountOut:
    lines = quote.discounted.basket.lines
    why = tuple(discount_reasons(item.steps, quote.program.currency))
    return QuotedDiscountOut(
        rule=item.version.rule_code,
        name=item.version.rule_name,
        amount=money_text(item.amount),
        lines=[
            LineDiscountOut(line_no=lines[place].line_no, amount=money_text(share))
            for place, share in sorted(item.shares.items())
        ],
        why=list(Explanation("", why).steps),
    )


def _discounted(basket: Basket) -> DiscountedOut:
    return DiscountedOut(
        total=money_text(basket.total),
        tax_total=money_text(basket.tax_total),
        lines=[
            DiscountedLineOut(
                line_no=line.line_no,
                total=money_text(line.total),
                discount=money_text(line.discount),
                tax=money_text(line.tax),
            )
            for line in basket.lines
        ],
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


def _goal(goal: Goal, body: object) -> QuoteGoalOut:
    money = isinstance(body, BonusBody)
    text = money_text if money else plain_text
    return QuoteGoalOut(
        counts="money" if money else "times",
        reached=text(goal.reached),
        goal=text(goal.goal),
        missing=text(goal.missing),
    )
