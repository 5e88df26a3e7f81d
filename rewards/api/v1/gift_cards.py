"""/gift-cards: issued, looked at, blocked, replaced, canceled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.order_bodies import PositiveMoney
from loyalty.api.v1.transfers import ledger_key
from loyalty.models import Program, Transfer
from loyalty.services.stored_value import money_of
from members.api.bodies import (
    TEXT,
    Answer,
    Body,
    Email,
    PublicId,
    Reason,
    answer,
    money_text,
    read_body,
    read_query,
    refuse_field,
)
from members.api.idempotency import idempotent
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.models import Customer
from members.selectors.merges import current
from rewards.models import GiftCard
from rewards.selectors.gift_cards import (
    balance_of,
    balances_of,
    get_gift_card,
    gift_cards,
    in_state,
    movements_of,
    state_of,
)
from rewards.services.gift_cards import (
    GiftCardPeople,
    block_gift_card,
    cancel_gift_card,
    code_of,
    issue_gift_card,
    replace_gift_card,
    unblock_gift_card,
)

Name = Annotated[str, Field(max_length=120, pattern=TEXT)]
State = Literal[
    "inactive", "active", "used_up", "expired", "blocked", "replaced", "cancelled"
]  # fmt: skip


class GiftCardIn(Body):
    """A card to be issued."""

    program: Annotated[str, Field(max_length=64, pattern=TEXT)] = Field(
        description="The program's code; the card is in its currency."
    )
    amount: PositiveMoney
    active: bool = Field(True, description="False: it can be used once it is activated.")
    buyer: PublicId | None = Field(None, description="The customer who bought it.")
    recipient_name: Name = Field("", description="For whom it is.")
    recipient_email: Email = Field("", description="With it the code is sent there.")
    message: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] = ""
    sender_name: Name = Field("", description="From whom it is, as its receiver reads it.")


class GiftCardReason(Body):
    reason: Reason = Field(description="For the merchant's staff.")


class GiftCardOut(Answer):
    id: UUID
    program: str
    state: State
    last_four: str = Field(description="How its code ends. More of it is not told.")
    currency: str
    amount: str = Field(description="What it was issued with.")
    balance: str = Field(description="What is on it.")
    buyer: UUID | None
    recipient_name: str
    sender_name: str
    replaces: UUID | None = Field(description="The lost card that it stands for.")
    created_at: dt.datetime
    activated_at: dt.datetime | None
    closed_at: dt.datetime | None


class IssuedGiftCardOut(GiftCardOut):
    code: str = Field(
        description="Told here alone, also when the request is repeated, until it is used first."
    )


class GiftCardPage(Page):
    results: list[GiftCardOut]


class GiftCardQuery(PageQuery):
    program: str = Field("", max_length=64, description="Only those of the program with this code.")
    state: State | None = None
    last_four: Annotated[str, Field(pattern=r"^([A-Za-z0-9]{4})?$")] = Field(
        "", description="Only those whose code ends like this."
    )
    buyer: PublicId | None = Field(None, description="Only those that this customer bought.")


class GiftCardMovementOut(Answer):
    id: str
    kind: Transfer.Kind
    amount: str = Field(description="Below zero where it was taken off the card.")
    balance_of: UUID = Field(description="The card.")
    occurred_at: dt.datetime
    note: str = Field(description="Of a payment: the checkout.")


class GiftCardMovementPage(Page):
    results: list[GiftCardMovementOut]


def with_code(body: dict[str, Any]) -> dict[str, Any]:
    """The answer with the card's code, which is not kept with it."""
    card = GiftCard.objects.filter(public_id=body["id"]).first()
    return body | {"code": code_of(card) if card else ""}


class GiftCards(ApiView):
    scopes = {"GET": "gift_cards:read", "POST": "gift_cards:write"}

    @extend_schema(
        operation_id="listGiftCards",
        parameters=query_parameters(GiftCardQuery),
        responses={200: GiftCardPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List gift cards, newest first."""
        query, now = read_query(request, GiftCardQuery), timezone.now()
        found = gift_cards()
        if query.program:
            found = found.filter(program__code=query.program.replace("\x00", "\n"))
        if query.state:
            found = in_state(found, query.state)
        if query.last_four:
            found = found.filter(last_four=query.last_four.upper())
        if query.buyer:
            found = found.filter(buyer=customer_named(query.buyer, "buyer"))
        page = paginate(request, found, query, ordering=["-pk"], row=lambda item: item)
        balances = balances_of(page["results"], now)
        page["results"] = [
            GiftCardOut(**card_values(card, balances[card.pk], now)) for card in page["results"]
        ]
        return answer(GiftCardPage(**page))

    @extend_schema(
        operation_id="issueGiftCard", request=GiftCardIn, responses={201: IssuedGiftCardOut}
    )
    @idempotent(required=True, told_apart=with_code)
    def post(self, request: Request) -> HttpResponse:
        """Issue a gift card. Its code is in the answer and nowhere else."""
        body = read_body(request, GiftCardIn)
        card, _replayed = issue_gift_card(
            program=program_named(body.program),
            amount=Decimal(body.amount),
            active=body.active,
            people=GiftCardPeople(
                buyer=customer_named(body.buyer, "buyer") if body.buyer else None,
                recipient_name=body.recipient_name, recipient_email=body.recipient_email,
                message=body.message, sender_name=body.sender_name,
            ),
            key=ledger_key(self, request),
            source=Transfer.Source.API.value,
            actor=self.actor,
            now=timezone.now(),
        )  # fmt: skip
        return answer(issued_out(card), HTTPStatus.CREATED)


class OneGiftCard(ApiView):
    scopes = {"GET": "gift_cards:read"}

    @extend_schema(operation_id="getGiftCard", responses={200: GiftCardOut})
    def get(self, request: Request, card_id: UUID) -> HttpResponse:
        """Read a gift card."""
        return answer(card_out(get_gift_card(card_id)))


class GiftCardMovements(ApiView):
    scopes = {"GET": "gift_cards:read"}

    @extend_schema(
        operation_id="listGiftCardMovements",
        parameters=query_parameters(PageQuery),
        responses={200: GiftCardMovementPage},
    )
    def get(self, request: Request, card_id: UUID) -> HttpResponse:
        """List what was paid in and what was paid with it, newest first."""
        query, card = read_query(request, PageQuery), get_gift_card(card_id)

        def row(transfer: Transfer) -> GiftCardMovementOut:
            return GiftCardMovementOut(
                id=str(transfer.pk),
                kind=Transfer.Kind(transfer.kind),
                amount=money_text(money_of(transfer.signed_amount, transfer.wallet_type)),
                balance_of=card.public_id,
                occurred_at=transfer.occurred_at,
                note=transfer.note,
            )

        page = paginate(request, movements_of(card).order_by(), query, ordering=["-pk"], row=row)
        return answer(GiftCardMovementPage(**page))


class GiftCardBlock(ApiView):
    scopes = {"POST": "gift_cards:write"}

    @extend_schema(
        operation_id="blockGiftCard", request=GiftCardReason, responses={200: GiftCardOut}
    )
    @idempotent()
    def post(self, request: Request, card_id: UUID) -> HttpResponse:
        """Block a card: nothing can be paid with it until it is let go."""
        return set_state(self, request, card_id, block_gift_card)


class GiftCardUnblock(ApiView):
    scopes = {"POST": "gift_cards:write"}

    @extend_schema(
        operation_id="unblockGiftCard", request=GiftCardReason, responses={200: GiftCardOut}
    )
    @idempotent()
    def post(self, request: Request, card_id: UUID) -> HttpResponse:
        """Let a blocked card go."""
        return set_state(self, request, card_id, unblock_gift_card)


class GiftCardReplacement(ApiView):
    scopes = {"POST": "gift_cards:write"}

    @extend_schema(
        operation_id="replaceGiftCard",
        request=GiftCardReason,
        responses={201: IssuedGiftCardOut},
    )
    @idempotent(required=True, told_apart=with_code)
    def post(self, request: Request, card_id: UUID) -> HttpResponse:
        """Give another code to the money of a lost card; the old code is worth nothing any more."""
        body = read_body(request, GiftCardReason)
        card, _replayed = replace_gift_card(
            card=get_gift_card(card_id), reason=body.reason, key=ledger_key(self, request),
            source=Transfer.Source.API.value, actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        return answer(issued_out(card), HTTPStatus.CREATED)


class GiftCardCancellation(ApiView):
    scopes = {"POST": "gift_cards:write"}

    @extend_schema(
        operation_id="cancelGiftCard", request=GiftCardReason, responses={200: GiftCardOut}
    )
    @idempotent()
    def post(self, request: Request, card_id: UUID) -> HttpResponse:
        """Cancel the sale of a card: what was paid in goes back. One of which something was spent
        is refused with 409 `gift_card_spent`."""
        body = read_body(request, GiftCardReason)
        cancel_gift_card(
            card=get_gift_card(card_id), reason=body.reason, source=Transfer.Source.API.value,
            actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        return answer(card_out(get_gift_card(card_id)))


def set_state(
    view: ApiView, request: Request, card_id: UUID, change: Callable[..., GiftCard]
) -> HttpResponse:
    body = read_body(request, GiftCardReason)
    change(card=get_gift_card(card_id), reason=body.reason, actor=view.actor, now=timezone.now())
    return answer(card_out(get_gift_card(card_id)))


def card_out(card: GiftCard) -> GiftCardOut:
    now = timezone.now()
    return GiftCardOut(**card_values(card, balance_of(card, now), now))


def issued_out(card: GiftCard) -> IssuedGiftCardOut:
    """Without its code, which is put in once the answer is kept."""
    now = timezone.now()
    found = get_gift_card(card.public_id)
    return IssuedGiftCardOut(**card_values(found, balance_of(found, now), now), code="")


def card_values(card: GiftCard, balance: Decimal, now: dt.datetime) -> dict[str, Any]:
    same = ("last_four", "recipient_name", "sender_name", "created_at", "activated_at", "closed_at")
    return {
        "id": card.public_id,
        "program": card.program.code,
        "state": state_of(card, balance, now),
        "currency": card.program.currency,
        "amount": money_text(card.amount),
        "balance": money_text(balance),
        "buyer": card.buyer.public_id if card.buyer else None,
        "replaces": card.replaces.public_id if card.replaces else None,
        **{name: getattr(card, name) for name in same},
    }


def program_named(code: str) -> Program:
    """A program, or the refusal of the field that names it."""
    found = Program.objects.exclude(status=Program.Status.DRAFT).filter(code=code).first()
    if found is None:
        raise refuse_field("program", _("There is no such program."), "not_found")
    return found


def customer_named(public_id: UUID, field: str) -> Customer:
    """A customer, or whoever they were merged into; or the refusal of the field."""
    found = Customer.objects.filter(public_id=public_id).first()
    if found is None:
        raise refuse_field(field, _("There is no such customer."), "not_found")
    return current(found)
