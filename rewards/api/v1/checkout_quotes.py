"""/checkouts/quote: what could be used for a cart, before anything is kept."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import Units, units_text
from loyalty.api.v1.order_bodies import Source
from loyalty.api.v1.pools import member_named
from loyalty.api.v1.quotes import ProgramQuote, program_quote
from loyalty.models import Membership
from members.api.authentication import require_scope
from members.api.bodies import TEXT, Answer, PublicId, answer, money_text, read_body
from members.api.views import ApiView
from rewards.api.v1.checkouts import (
    CartName,
    MemberCart,
    basket_of,
    cards_named,
    rewards_named,
    vouchers_named,
)
from rewards.api.v1.gift_card_uses import GiftCardCode
from rewards.api.v1.rewards import RefusalOut
from rewards.services.checkout_cards import CardFit
from rewards.services.checkout_quotes import CartQuote, Fit, Use, quote_cart
from rewards.services.chosen_together import Together


class FitOut(Answer):
    """A reward as this cart finds it."""

    reward: UUID
    code: str
    name: str
    wallet_type: str
    decimals: int
    price: Units
    amount: str = Field(description="What it takes off this cart; 0 of one that takes off nothing.")
    fits: bool = Field(description="Whether it can be taken with this cart now.")
    missing: Units = Field(description="How many units are lacking; 0: none.")
    refusals: list[RefusalOut] = Field(description="Why not.")
    combines: bool = Field(description="Whether it goes together with others.")
    stacking_group: str = Field(description="Of one group only one goes into a cart.")
    applies: int = Field(description="Its turn: smaller ones take their part off first.")


class StepOut(Answer):
    """One of what is chosen, in the order in which each takes its part off."""

    reward: UUID | None = Field(description="The reward to be taken; null: it is a voucher.")
    voucher: UUID | None
    name: str
    applies: int
    amount: str = Field(description="What it takes off what those before it left.")
    refusals: list[RefusalOut] = Field(description="Why it cannot be had with this cart.")


class TogetherOut(Answer):
    """What is chosen, looked at as a whole."""

    steps: list[StepOut]
    conflict: RefusalOut | None = Field(
        description="Why they do not go together: voucher_alone, voucher_same_group."
    )
    total: str = Field(description="What the cart comes to after them.")


class UseOut(Answer):
    """The use of one kind of units that saves the most money for each unit."""

    wallet_type: str
    decimals: int
    units: Units
    amount: str = Field(description="The money that it saves.")
    reward: UUID | None = Field(description="The reward to take; null: let the units pay.")
    words: str


class CardFitOut(Answer):
    """A gift card as this cart finds it."""

    gift_card: UUID
    last_four: str
    balance: str = Field(description="What is on it.")
    amount: str = Field(description="What of this cart it would pay, after those before it.")
    fits: bool = Field(description="Whether it can pay now.")
    refusals: list[RefusalOut] = Field(description="Why not.")


class CartQuoteIn(MemberCart):
    source: Source = Field("shop", description="Where its order will come from.")
    cart: CartName | None = Field(
        None,
        description="Its name, where it is reserved already: what that keeps of a promotion's"
        " budget is there for it. By default what any cart of the member keeps.",
    )
    gift_cards: tuple[GiftCardCode, ...] = Field(
        (), max_length=10,
        description="That may pay for it. The key needs the scope `gift_cards:read` too.",
    )  # fmt: skip
    rewards: tuple[PublicId, ...] = Field(
        (), max_length=20, description="That would be taken with it."
    )
    vouchers: tuple[Annotated[str, Field(min_length=1, max_length=64, pattern=TEXT)], ...] = Field(
        (), max_length=20,
        description="Codes that would be used. The key needs the scope `vouchers:read` too.",
    )  # fmt: skip


class CartQuoteOut(Answer):
    quoted_at: dt.datetime
    quote: ProgramQuote = Field(description="What it costs and earns, and what could pay for it.")
    rewards: list[FitOut] = Field(description="All that are offered, in the catalog's order.")
    gift_cards: list[CardFitOut] = Field(description="Those asked about, in their order.")
    best: list[UseOut] = Field(description="Of each kind of units; none where nothing can be used.")
    together: TogetherOut | None = Field(
        description="The rewards and vouchers that were named. Null: none were."
    )


class CartQuotes(ApiView):
    scopes = {"POST": "quotes:read"}

    @extend_schema(operation_id="quoteCart", request=CartQuoteIn, responses={200: CartQuoteOut})
    def post(self, request: Request) -> HttpResponse:
        """Say what a member could use for a cart: units to pay with, rewards that fit and why
        others do not, what gift cards would pay, and the best use. Nothing is kept."""
        body, now = read_body(request, CartQuoteIn), timezone.now()
        if body.gift_cards:
            require_scope(self.api_key, "gift_cards:read")
        if body.vouchers:
            require_scope(self.api_key, "vouchers:read")
        member = member_named(body.membership, "membership")
        found = quote_cart(
            basket_of(body.order, now), member, now=now, with_discounts=body.with_discounts,
            cards=cards_named(self, body.gift_cards), vouchers=vouchers_named(body.vouchers),
            rewards=rewards_named(body.rewards, member),
            cart=(body.source, body.cart) if body.cart else None,
        )  # fmt: skip
        return answer(cart_quote_out(found, member, now))


def cart_quote_out(found: CartQuote, member: Membership, now: dt.datetime) -> CartQuoteOut:
    currency = found.quote.program.currency
    return CartQuoteOut(
        quoted_at=now,
        quote=program_quote(found.quote, member.public_id),
        rewards=[_fit(item) for item in found.fits],
        gift_cards=[_card_fit(item) for item in found.cards],
        best=[_use(item, currency) for item in found.best],
        together=_together(found.together) if found.together else None,
    )


def _together(found: Together) -> TogetherOut:
    conflict = found.conflict
    return TogetherOut(
        steps=[
            StepOut(
                reward=step.part.reward.public_id if step.part.reward else None,
                voucher=step.part.voucher.public_id if step.part.voucher else None,
                name=step.part.terms.get("name", ""),
                applies=step.turn,
                amount=money_text(step.amount),
                refusals=[RefusalOut(code=one.code, message=one.words) for one in step.refusals],
            )
            for step in found.steps
        ],
        conflict=RefusalOut(code=conflict.code, message=conflict.words) if conflict else None,
        total=money_text(found.total),
    )


def _fit(found: Fit) -> FitOut:
    unit = found.reward.wallet_type
    return FitOut(
        reward=found.reward.public_id,
        code=found.reward.code,
        name=found.reward.name,
        wallet_type=unit.code,
        decimals=unit.scale,
        price=units_text(found.price, unit.scale),
        amount=money_text(found.amount),
        fits=found.fits,
        missing=units_text(found.missing, unit.scale),
        combines=found.reward.combines,
        stacking_group=found.reward.stacking_group,
        applies=found.reward.applies,
        refusals=[RefusalOut(code=item.code, message=item.words) for item in found.refusals],
    )


def _card_fit(found: CardFit) -> CardFitOut:
    return CardFitOut(
        gift_card=found.card.public_id,
        last_four=found.card.last_four,
        balance=money_text(found.balance),
        amount=money_text(found.amount),
        fits=found.fits,
        refusals=[RefusalOut(code=item.code, message=item.words) for item in found.refusals],
    )


def _use(use: Use, currency: str) -> UseOut:
    unit = use.wallet_type
    return UseOut(
        wallet_type=unit.code,
        decimals=unit.scale,
        units=units_text(use.units, unit.scale),
        amount=money_text(use.amount),
        reward=use.reward.public_id if use.reward else None,
        words=use.words(currency),
    )
