"""What is told outside of carts, gift cards and events."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from loyalty.models import Account, Transfer
from loyalty.selectors.telling.people import (
    PROGRAM,
    SAMPLE_MEMBER,
    MemberData,
    member_values,
    units_told,
)
from members.models import OutboxEvent
from members.models.telling import ToldRow
from members.plain_money import money_text
from members.public_events import EventData, EventType, PublicEvent, named_rows
from rewards.models import Checkout, Event, EventWait, GiftCard

Card = GiftCard.Status


class CheckoutData(MemberData):
    """A cart, with what it keeps of a member's."""

    checkout: str = Field(description="Its id in the API: GET /checkouts/{id}.")
    source: str
    cart: str = Field(description="The shop’s own name for it.")
    status: Checkout.Status
    total: str = Field(description="Money as decimal text.")
    currency: str
    order_external_id: str = Field(description="The order that it became; empty: none yet.")


class GiftCardData(EventData):
    """A gift card; its code is not told."""

    gift_card: str = Field(description="Its id in the API: GET /gift-cards/{id}.")
    program: str
    last_four: str
    status: GiftCard.Status


class CardMovementData(EventData):
    """Money that went onto a gift card, or off it."""

    gift_card: str = Field(description="Its id in the API: GET /gift-cards/{id}.")
    program: str
    last_four: str
    transfer: str
    kind: Transfer.Kind
    amount: str = Field(description="Money as decimal text; below zero where it went off the card.")
    occurred_at: dt.datetime


class SeatData(MemberData):
    """A seat of an event for a member of its waiting list."""

    event: str = Field(description="The event’s id in the API: GET /events/{id}.")
    wait: str = Field(description="The place in the waiting list: GET /event-waits/{id}.")
    offered_until: dt.datetime | None = Field(description="The seat is kept until then.")


class CalledOffData(EventData):
    """An event that does not take place."""

    event: str = Field(description="The event’s id in the API: GET /events/{id}.")
    program: str
    reason: str


_CHECKOUT = SAMPLE_MEMBER | {
    "checkout": "4f6b2f0a-1a0a-4c5e-9c62-77d4e1f0a5b8", "source": "webshop", "cart": "cart-5512",
    "total": "24.90", "currency": "USD", "order_external_id": "",
}  # fmt: skip
CHECKOUT_TYPES = tuple(
    EventType(
        f"checkout.{name}", sentence, CheckoutData,
        CheckoutData.model_validate(_CHECKOUT | {"status": name} | changes),
    )
    for name, sentence, changes in (
        ("reserved", _("A cart keeps something of a member’s."), {}),
        ("committed", _("A cart became an order."), {"order_external_id": "10042"}),
        ("cancelled", _("A cart was canceled, and what it kept came back."), {}),
        ("expired", _("A cart ran out, and what it kept came back."), {}),
    )
)  # fmt: skip
_CARD = {
    "gift_card": "1c9e1f5a-4cf3-43d9-9f3a-0b62d11a7a42",
    "program": PROGRAM,
    "last_four": "7PQX",
}
CARD_TYPES = tuple(
    EventType(
        f"gift_card.{name}", sentence, GiftCardData,
        GiftCardData.model_validate(_CARD | {"status": status}),
    )
    for name, sentence, status in (
        ("issued", _("A gift card was made that is not sold yet."), Card.INACTIVE),
        ("activated", _("A gift card can be used, maybe again."), Card.ACTIVE),
        ("blocked", _("A gift card was blocked."), Card.BLOCKED),
        ("replaced", _("A gift card was replaced by another one."), Card.REPLACED),
        ("cancelled", _("A gift card was canceled."), Card.CANCELED),
    )
)  # fmt: skip
MOVED = "gift_card.balance_changed"
CARD_MOVEMENT_TYPES = (
    EventType(
        MOVED, _("Money went onto a gift card, or off it."), CardMovementData,
        CardMovementData.model_validate(
            _CARD | {"transfer": "18211", "kind": "redemption", "amount": "-18.40",
                     "occurred_at": "2026-03-01T09:30:00Z"}
        ),
    ),
)  # fmt: skip
_EVENT = "6b0f0a54-8a0e-4f0e-bb6b-6f6a4f1f9d20"
SEAT_TYPES = (
    EventType(
        "event.seat_offered", _("A seat is free for somebody who waits."), SeatData,
        SeatData.model_validate(
            SAMPLE_MEMBER | {"event": _EVENT, "wait": "2d2b2a5e-0a8c-4b44-9d3e-2f7f3f6b8c01",
                             "offered_until": "2026-03-02T09:30:00Z"}
        ),
    ),
)  # fmt: skip
EVENT_TYPES = (
    EventType(
        "event.canceled", _("An event was called off."), CalledOffData,
        CalledOffData(event=_EVENT, program=PROGRAM, reason="The roaster is ill."),
    ),
)  # fmt: skip


def tell_checkouts(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, lambda row: [f"checkout.{row.became}"])
    rows = Checkout.objects.select_related("membership__program", "membership__customer")
    found = rows.in_bulk([item.row.id for item in named])
    for item in named:
        cart = found[item.row.id]
        values = member_values(cart.membership) | {
            "checkout": str(cart.public_id), "source": cart.source, "cart": cart.cart,
            "status": item.row.became, "total": money_text(cart.total), "currency": cart.currency,
            "order_external_id": cart.order_external_id,
        }  # fmt: skip
        yield item.told(cart.membership.program.code, CheckoutData.model_validate(values))


def tell_cards(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, _card_names)
    cards = GiftCard.objects.select_related("program").in_bulk([item.row.id for item in named])
    for item in named:
        card = cards[item.row.id]
        data = GiftCardData.model_validate(_card(card) | {"status": item.row.became})
        yield item.told(card.program.code, data)


def _card_names(row: ToldRow) -> Iterable[str]:
    names = {Card.INACTIVE.value: "issued", Card.ACTIVE.value: "activated"}
    yield f"gift_card.{names.get(row.became, row.became)}"


def tell_card_movements(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    """Of the transfers those of gift cards; a card that was lost shares its account with the one
    that replaced it."""
    named = named_rows(events, lambda row: [MOVED])
    transfers = (
        Transfer.objects.select_related("wallet__account", "wallet_type")
        .filter(wallet__account__kind=Account.Kind.BEARER)
        .in_bulk([item.row.id for item in named])
    )
    accounts = {transfer.wallet.account_id for transfer in transfers.values()}
    cards = GiftCard.objects.filter(account__in=accounts).exclude(status=Card.REPLACED)
    of_account = {card.account_id: card for card in cards.select_related("program")}
    for item in named:
        transfer = transfers.get(item.row.id)
        card = of_account.get(transfer.wallet.account_id) if transfer else None
        if transfer is None or card is None:
            continue
        values = _card(card) | {
            "transfer": str(transfer.pk), "kind": transfer.kind,
            "amount": units_told(transfer.signed_amount, transfer.wallet_type),
            "occurred_at": transfer.occurred_at,
        }  # fmt: skip
        yield item.told(card.program.code, CardMovementData.model_validate(values))


def _card(card: GiftCard) -> dict[str, object]:
    return {
        "gift_card": str(card.public_id), "program": card.program.code, "last_four": card.last_four
    }  # fmt: skip


def tell_seats(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    offered = EventWait.Status.OFFERED
    named = named_rows(events, lambda row: ["event.seat_offered"] if row.became == offered else [])
    rows = EventWait.objects.select_related("event", "membership__program", "membership__customer")
    found = rows.in_bulk([item.row.id for item in named])
    for item in named:
        wait = found[item.row.id]
        values = member_values(wait.membership) | {
            "event": str(wait.event.public_id), "wait": str(wait.public_id),
            "offered_until": wait.offered_until,
        }  # fmt: skip
        yield item.told(wait.membership.program.code, SeatData.model_validate(values))


def tell_events(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    canceled = Event.Status.CANCELED
    named = named_rows(events, lambda row: ["event.canceled"] if row.became == canceled else [])
    rows = Event.objects.select_related("reward__program")
    found = rows.in_bulk([item.row.id for item in named])
    for item in named:
        event = found[item.row.id]
        code = event.reward.program.code
        data = CalledOffData(event=str(event.public_id), program=code, reason=event.cancel_reason)
        yield item.told(code, data)
