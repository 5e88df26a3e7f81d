"""/checkouts: carts that keep units, rewards, vouchers and gift cards until they are paid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import UnitsAboveZero, parse_units
from loyalty.api.v1.order_bodies import PositiveMoney, Source, Text64, order_input
from loyalty.api.v1.pools import member_named
from loyalty.models import Membership, Transfer, WalletType
from loyalty.services.order_inputs import OrderInput
from members.api.authentication import require_scope
from members.api.bodies import (
    NAME,
    TEXT,
    Body,
    PublicId,
    answer,
    read_body,
    read_query,
    refuse_field,
)
from members.api.idempotency import idempotent
from members.api.pagination import PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.errors import NotFoundError
from rewards.api.v1.checkout_outputs import CheckoutOut, CheckoutPage, checkout_out
from rewards.api.v1.gift_card_uses import GiftCardCode, card_named
from rewards.api.v1.redemptions import hides_codes
from rewards.api.v1.vouchers import BasketIn
from rewards.models import Checkout, GiftCard, Reward, Voucher
from rewards.selectors.checkouts import (
    checkouts,
    checkouts_of,
    find_checkout,
    get_checkout,
)
from rewards.selectors.rewards import named_rewards
from rewards.services.checkout_cards import CardPayment
from rewards.services.checkouts import (
    Cart,
    cancel_checkout,
    commit_checkout,
    reserve_checkout,
)
from rewards.services.vouchers import find_voucher

CartName = Annotated[str, Field(min_length=1, max_length=95, pattern=NAME)]
SOURCE = Transfer.Source.API.value


class PayUnitsIn(Body):
    wallet_type: Text64 = Field("points", description="The wallet type's code.")
    units: UnitsAboveZero


class MemberCart(Body):
    """Who buys what."""

    membership: PublicId
    order: BasketIn = Field(description="What is bought, as an order says it; without a customer.")
    with_discounts: bool = Field(
        True, description="False: the prices have the program's discounts already."
    )


class CardPaymentIn(GiftCardCode):
    amount: PositiveMoney | None = Field(
        None, description="By default what is on it, up to what is left to pay."
    )


class CheckoutIn(MemberCart):
    """A cart, and what is to be kept for it."""

    source: Source = Field("shop", description="Where its order will come from.")
    cart: CartName = Field(description="Your own name for it.")
    units: tuple[PayUnitsIn, ...] = Field(
        (), max_length=10, description="To pay a part of it, of each kind once."
    )
    rewards: tuple[PublicId, ...] = Field((), max_length=20, description="To be taken with it.")
    vouchers: tuple[Annotated[str, Field(min_length=1, max_length=64, pattern=TEXT)], ...] = Field(
        (), max_length=20, description="Codes; those of one turn take off in this order."
    )
    gift_cards: tuple[CardPaymentIn, ...] = Field(
        (), max_length=10,
        description="To pay what units leave of it, one after the other. The key needs the scope"
        " `gift_cards:write` too.",
    )  # fmt: skip
    hold_minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)] = Field(
        30, description="All of it comes back by itself if it is not paid by then."
    )


class CommitIn(Body):
    order_external_id: Annotated[str, Field(min_length=1, max_length=128, pattern=NAME)] = Field(
        description="The number of its order, told before or later by the same source."
    )


class CheckoutCancelIn(Body):
    reason: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] = Field(
        "", description="For the merchant's staff."
    )


class CheckoutQuery(PageQuery):
    membership: PublicId | None = Field(None, description="Only this member's.")
    status: Checkout.Status | None = None
    cart: CartName | None = Field(None, description="Only the one with this name.")


class Checkouts(ApiView):
    scopes = {"GET": "checkouts:read", "POST": "checkouts:write"}

    @extend_schema(
        operation_id="listCheckouts",
        parameters=query_parameters(CheckoutQuery),
        responses={200: CheckoutPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List carts, the newest first."""
        query = read_query(request, CheckoutQuery)
        found = checkouts()
        if query.membership:
            found = checkouts_of([member_named(query.membership, "membership")])
        if query.status:
            found = found.filter(status=query.status)
        if query.cart:
            found = found.filter(cart=query.cart)
        shown = partial(checkout_out, hidden=hides_codes(self))
        page = paginate(request, found, query, ordering=["-pk"], row=shown)
        return answer(CheckoutPage(**page))

    @extend_schema(operation_id="reserveCheckout", request=CheckoutIn, responses={200: CheckoutOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Keep all that a cart asks for, or nothing, and say what is left to pay. The same cart
        again is answered as before; one that changed is kept anew. What cannot be kept is refused
        with 409 and why: insufficient_balance, spending_refused, voucher_held, sold_out, …"""
        body, now = read_body(request, CheckoutIn), timezone.now()
        if body.gift_cards:
            require_scope(self.api_key, "gift_cards:write")
        member = member_named(body.membership, "membership")
        cart = Cart(
            member, body.source, body.cart, basket_of(body.order, now),
            units=_units(body.units, member), rewards=rewards_named(body.rewards, member),
            vouchers=vouchers_named(body.vouchers), with_discounts=body.with_discounts,
            gift_cards=[
                CardPayment(card, Decimal(item.amount) if item.amount else None)
                for card, item in zip(
                    cards_named(self, body.gift_cards), body.gift_cards, strict=True
                )
            ],
        )  # fmt: skip
        found = reserve_checkout(
            cart=cart, source=SOURCE, actor=self.actor, now=now,
            hold=dt.timedelta(minutes=body.hold_minutes),
        )  # fmt: skip
        return answer(checkout_out(get_checkout(found.public_id)))


class OneCheckout(ApiView):
    scopes = {"GET": "checkouts:read"}

    @extend_schema(operation_id="getCheckout", responses={200: CheckoutOut})
    def get(self, request: Request, checkout_id: UUID) -> HttpResponse:
        """Read a cart, what it keeps and what it comes to."""
        return answer(checkout_out(get_checkout(checkout_id), hidden=hides_codes(self)))


class CheckoutCommit(ApiView):
    scopes = {"POST": "checkouts:write"}

    @extend_schema(operation_id="commitCheckout", request=CommitIn, responses={200: CheckoutOut})
    @idempotent()
    def post(self, request: Request, checkout_id: UUID) -> HttpResponse:
        """It was paid, and became this order: all that it keeps is used, or nothing. Doing it again
        changes nothing. After its time it is refused with 409 `checkout_expired`."""
        body = read_body(request, CommitIn)
        commit_checkout(
            checkout=find_checkout(checkout_id), order_external_id=body.order_external_id,
            source=SOURCE, actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        return answer(checkout_out(get_checkout(checkout_id)), HTTPStatus.OK)


class CheckoutCancel(ApiView):
    scopes = {"POST": "checkouts:write"}

    @extend_schema(
        operation_id="cancelCheckout", request=CheckoutCancelIn, responses={200: CheckoutOut}
    )
    @idempotent()
    def post(self, request: Request, checkout_id: UUID) -> HttpResponse:
        """Give all of it back. One that was paid is given back where its order never came, or was
        canceled; else it is refused with 409 `order_conflict`. Doing it again changes nothing."""
        body = read_body(request, CheckoutCancelIn)
        cancel_checkout(
            checkout=find_checkout(checkout_id), reason=body.reason, source=SOURCE,
            actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        return answer(checkout_out(get_checkout(checkout_id)))


def basket_of(order: BasketIn, now: dt.datetime) -> OrderInput:
    """What is bought; who buys and how it is paid is said beside it."""
    if order.customer is not None:
        raise refuse_field("order.customer", _("The membership says who buys."))
    if order.tenders:
        raise refuse_field("order.tenders", _("Name the units that pay beside the order."))
    facts = order.model_copy(update={"placed_at": order.placed_at or now})
    return order_input(facts, "checkout", "checkout", {})


def cards_named(view: ApiView, asked: Sequence[GiftCardCode]) -> list[GiftCard]:
    """The cards with these codes, or the refusal of the field. Wrong ones are counted."""
    return [
        card_named(view, item, field=f"gift_cards[{place}].code")
        for place, item in enumerate(asked)
    ]


def _units(asked: Sequence[PayUnitsIn], member: Membership) -> dict[WalletType, int]:
    if not asked:
        return {}
    kinds = {kind.code: kind for kind in member.program.wallet_types.all()}
    found: dict[WalletType, int] = {}
    for place, item in enumerate(asked):
        kind = kinds.get(item.wallet_type)
        if kind is None:
            raise refuse_field(
                f"units[{place}].wallet_type", _("The program has no such units."), "not_found"
            )
        if kind in found:
            raise refuse_field(f"units[{place}].wallet_type", _("It is there twice."), "duplicate")
        found[kind] = parse_units(item.units, kind, f"units[{place}].units")
    return found


def rewards_named(asked: Sequence[UUID], member: Membership) -> list[Reward]:
    if not asked:
        return []
    known = {item.public_id: item for item in named_rewards(member.program, set(asked))}
    for place, public_id in enumerate(asked):
        if public_id not in known:
            raise refuse_field(f"rewards[{place}]", _("There is no such reward."), "not_found")
    return [known[public_id] for public_id in asked]


def vouchers_named(codes: Sequence[str]) -> list[Voucher]:
    found = []
    for place, code in enumerate(codes):
        try:
            found.append(find_voucher(code))
        except NotFoundError as error:
            raise refuse_field(f"vouchers[{place}]", str(error.message), "not_found") from error
    return found
