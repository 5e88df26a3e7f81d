"""/gift-cards at a checkout: looked at, sold, paid with, given back; refunds as store credit."""

from __future__ import annotations

from decimal import Decimal
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.order_bodies import OrderAddress, PositiveMoney
from loyalty.api.v1.pools import member_named
from loyalty.api.v1.transfers import (
    Note,
    TransferOut,
    ledger_key,
    listed_transfer,
    transfer_out,
)
from loyalty.models import Order, Transfer
from loyalty.services.store_credit import refund_order_to_credit
from loyalty.services.stored_value import money_of
from members.api.bodies import (
    NAME,
    TEXT,
    Answer,
    Body,
    PublicId,
    answer,
    money_text,
    read_body,
    refuse_field,
)
from members.api.idempotency import idempotent
from members.api.views import ApiView
from members.errors import NotFoundError
from rewards.api.v1.gift_cards import GiftCardOut, card_out
from rewards.models import GiftCard
from rewards.selectors.gift_cards import balance_of, get_gift_card
from rewards.services.gift_card_money import (
    move_to_credit,
    redeem_gift_card,
    refund_gift_card,
    top_up_gift_card,
)
from rewards.services.gift_cards import activate_gift_card, find_gift_card
from rewards.services.guesses import MOST_OF_A_PERSON, MOST_OF_A_SHOP

SOURCE = Transfer.Source.API.value
Checkout = Annotated[
    str,
    Field(
        min_length=1, max_length=100, pattern=NAME,
        description="Your own name for the checkout or receipt: it pays once with a card.",
    ),
]  # fmt: skip


class GiftCardCode(Body):
    """A card by its code."""

    code: Annotated[str, Field(min_length=1, max_length=64, pattern=TEXT)] = Field(
        description="As it was typed or scanned; capitals and hyphens do not matter."
    )
    client: Annotated[str, Field(max_length=128, pattern=TEXT)] = Field(
        "",
        description="Your name for whoever types it, such as their address or session: ten wrong"
        " codes from one are refused for ten minutes.",
    )


class GiftCardPay(GiftCardCode):
    checkout: Checkout
    amount: PositiveMoney = Field(description="Up to what is on the card.")
    order: OrderAddress | None = Field(
        None,
        description="The order that it pays for, sent before: it comes back to the card in the"
        " proportion in which the order does.",
    )


class GiftCardGiveBack(Body):
    checkout: Checkout
    amount: PositiveMoney | None = Field(
        None,
        description="So much of it; by default all that has not come back yet. With it an"
        " Idempotency-Key is required.",
    )
    note: Note = ""


class GiftCardMoveIn(GiftCardCode):
    membership: PublicId = Field(description="Whose store credit it is put to.")


class GiftCardAmount(Body):
    amount: PositiveMoney


class CreditRefundIn(Body):
    """An order that is refunded as store credit."""

    membership: PublicId
    order: OrderAddress
    amount: PositiveMoney
    note: Note = Field("", description="For the merchant's staff; the member does not see it.")


class GiftCardPaymentOut(Answer):
    gift_card: UUID
    transfer: str = Field(description="The movement: GET /transfers/{id}.")
    amount: str
    currency: str
    balance: str = Field(description="What is on the card now.")


class GiftCardCheck(ApiView):
    scopes = {"POST": "gift_cards:read"}

    @extend_schema(operation_id="checkGiftCard", request=GiftCardCode, responses={200: GiftCardOut})
    def post(self, request: Request) -> HttpResponse:
        """Say what is on a card and whether it can be used, without using it."""
        return answer(card_out(card_named(self, read_body(request, GiftCardCode))))


class GiftCardActivation(ApiView):
    scopes = {"POST": "gift_cards:write"}

    @extend_schema(
        operation_id="activateGiftCard", request=GiftCardCode, responses={200: GiftCardOut}
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """A till has sold a card: it can be used from now on. Again it changes nothing."""
        card = card_named(self, read_body(request, GiftCardCode))
        activate_gift_card(card=card, source=SOURCE, actor=self.actor, now=timezone.now())
        return answer(card_out(get_gift_card(card.public_id)))


class GiftCardPayment(ApiView):
    scopes = {"POST": "gift_cards:write"}

    @extend_schema(
        operation_id="redeemGiftCard", request=GiftCardPay, responses={201: GiftCardPaymentOut}
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Pay with a card. The same checkout pays once and is told the same again. More than is on
        it is refused with 409 `insufficient_balance`."""
        body = read_body(request, GiftCardPay)
        card = card_named(self, body)
        paid, _replayed = redeem_gift_card(
            card=card, amount=Decimal(body.amount), key=body.checkout, source=SOURCE,
            actor=self.actor, now=timezone.now(),
            order=order_named(body.order) if body.order else None,
        )  # fmt: skip
        return answer(_payment(card, paid), HTTPStatus.CREATED)


class GiftCardRefund(ApiView):
    scopes = {"POST": "gift_cards:write"}

    @extend_schema(
        operation_id="refundGiftCard",
        request=GiftCardGiveBack,
        responses={201: GiftCardPaymentOut},
    )
    @idempotent()
    def post(self, request: Request, card_id: UUID) -> HttpResponse:
        """Give back to a card what a checkout paid with it, or a part of it. Of a card that was
        replaced it comes to the new one."""
        card, body = get_gift_card(card_id), read_body(request, GiftCardGiveBack)
        part = ""
        if body.amount is not None:
            part = ledger_key(self, request)
        try:
            back, _replayed = refund_gift_card(
                card=card, checkout=body.checkout, key=part, source=SOURCE, actor=self.actor,
                now=timezone.now(), amount=Decimal(body.amount) if body.amount else None,
                note=body.note,
            )  # fmt: skip
        except NotFoundError as error:
            raise refuse_field("checkout", str(error.message), "not_found") from error
        return answer(_payment(card, back), HTTPStatus.CREATED)


class GiftCardTopUp(ApiView):
    scopes = {"POST": "gift_cards:write"}

    @extend_schema(
        operation_id="topUpGiftCard",
        request=GiftCardAmount,
        responses={201: GiftCardPaymentOut},
    )
    @idempotent(required=True)
    def post(self, request: Request, card_id: UUID) -> HttpResponse:
        """Pay more onto a card."""
        card, body = get_gift_card(card_id), read_body(request, GiftCardAmount)
        paid, _replayed = top_up_gift_card(
            card=card, amount=Decimal(body.amount), key=ledger_key(self, request), source=SOURCE,
            actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        return answer(_payment(card, paid), HTTPStatus.CREATED)


class GiftCardMove(ApiView):
    scopes = {"POST": "gift_cards:write"}

    @extend_schema(
        operation_id="moveGiftCard", request=GiftCardMoveIn, responses={201: GiftCardPaymentOut}
    )
    @idempotent(required=True)
    def post(self, request: Request) -> HttpResponse:
        """Put all that is on a card to a member's own store credit."""
        body = read_body(request, GiftCardMoveIn)
        card = card_named(self, body)
        moved, _replayed = move_to_credit(
            card=card, membership=member_named(body.membership, "membership"),
            key=ledger_key(self, request), source=SOURCE, actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        return answer(_payment(card, moved), HTTPStatus.CREATED)


class CreditRefunds(ApiView):
    scopes = {"POST": "gift_cards:write"}

    @extend_schema(
        operation_id="refundToStoreCredit", request=CreditRefundIn, responses={201: TransferOut}
    )
    @idempotent(required=True)
    def post(self, request: Request) -> HttpResponse:
        """Give money for an order as store credit, in all no more than it came to. What it earned
        is taken back by the refund that you send for it."""
        body = read_body(request, CreditRefundIn)
        paid, _replayed = refund_order_to_credit(
            membership=member_named(body.membership, "membership"),
            order=order_named(body.order), amount=Decimal(body.amount), note=body.note,
            key=ledger_key(self, request), source=SOURCE, actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        return answer(transfer_out(listed_transfer(paid.pk)), HTTPStatus.CREATED)


def card_named(view: ApiView, body: GiftCardCode, *, field: str = "code") -> GiftCard:
    """The card with this code, or the refusal of the field. Wrong ones are counted."""
    key = f"api-key:{view.api_key.pk}"
    places = [(key, MOST_OF_A_SHOP)]
    if body.client:
        places.append((f"{key}:{body.client}", MOST_OF_A_PERSON))
    try:
        return find_gift_card(body.code, *places)
    except NotFoundError as error:
        raise refuse_field(field, str(error.message), "not_found") from error


def order_named(address: OrderAddress) -> Order:
    found = Order.objects.filter(source=address.source, external_id=address.external_id).first()
    if found is None:
        raise refuse_field("order", _("There is no such order. Send it first."), "not_found")
    return found


def _payment(card: GiftCard, transfer: Transfer) -> GiftCardPaymentOut:
    return GiftCardPaymentOut(
        gift_card=card.public_id,
        transfer=str(transfer.pk),
        amount=money_text(money_of(transfer.amount, transfer.wallet_type)),
        currency=card.program.currency,
        balance=money_text(balance_of(card, timezone.now())),
    )
