"""What is told outside of messages: whether each went out, and what became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from campaigns.models import Delivery
from loyalty.selectors.telling.people import MEMBERSHIP, PROGRAM
from members.models import OutboxEvent
from members.models.telling import ToldRow
from members.public_events import CustomerRef, EventData, EventType, PublicEvent, named_rows
from members.selectors.merges import current
from members.selectors.told_customers import SAMPLE as CUSTOMER

State = Delivery.State
_BY_STATE = {
    State.SENT: "message.sent", State.FAILED: "message.failed",
    State.UNCERTAIN: "message.uncertain", State.SUPPRESSED: "message.suppressed",
}  # fmt: skip
# Where it is noted, and what that is. Reading in the inbox is opening, too.
_BY_COLUMN = {
    "delivered_at": "message.delivered", "opened_at": "message.opened",
    "read_at": "message.opened", "clicked_at": "message.clicked",
    "unsubscribed_at": "message.unsubscribed",
}  # fmt: skip


class MessageData(EventData):
    """A message by one way, as it is when this is told. What it says is not told."""

    message: str = Field(
        description="Its id in the API: GET /customers/{id}/messages.",
        json_schema_extra={"format": "uuid"},
    )
    delivery: str = Field(description="The id of this way of it, there.")
    occasion: str
    topic: str
    channel: str
    device: str | None = Field(description="Which of several it goes to; null: they have one.")
    program: str = Field(description="The program's code; empty: it is about the person.")
    membership: str | None
    customer: CustomerRef
    state: Delivery.State
    reason: str = Field(description="Why it failed or was not sent, as a code; or empty.")
    sent_at: dt.datetime | None


_SAMPLE = MessageData(
    message="4f2d0c3a-7f5e-4f0e-9a57-0a3c5d7e9b21", occasion="gift", topic="points",
    delivery="b1e6a0f4-3d55-4c0d-8f77-6a1b2c3d4e5f", channel="email", device=None, program=PROGRAM,
    membership=MEMBERSHIP, customer=CUSTOMER, state=State.SENT, reason="",
    sent_at=dt.datetime(2026, 3, 1, 9, 30, tzinfo=dt.UTC),
)  # fmt: skip
_NOT_SENT = {"sent_at": None}
MESSAGE_TYPES = [
    EventType(name, sentence, MessageData, _SAMPLE.model_copy(update=said))
    for name, sentence, said in (
        ("message.sent", _("A message was handed over, or is in a member’s inbox."), {}),
        ("message.failed", _("A message could not be sent, or came back."),
         {"state": State.FAILED, "reason": "bounced"}),
        ("message.uncertain", _("Nobody knows whether a message went out."),
         {"state": State.UNCERTAIN, "reason": "unclear", **_NOT_SENT}),
        ("message.suppressed", _("A message may not be sent: it is not wanted, or too late."),
         {"state": State.SUPPRESSED, "reason": "no_consent", **_NOT_SENT}),
        ("message.delivered", _("A message has arrived, as far as the provider tells."), {}),
        ("message.opened", _("A message was opened, where that is counted. It says little."), {}),
        ("message.clicked", _("A link of a message was followed, where that is counted."), {}),
        ("message.unsubscribed", _("A message was declined by its own link."), {}),
    )
]  # fmt: skip


def tell_messages(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, _names)
    rows = Delivery.objects.select_related("message__customer", "message__membership__program")
    found = rows.in_bulk([item.row.id for item in named])
    for item in named:
        delivery = found[item.row.id]
        if _still(item.name, delivery):
            data = _data(delivery)
            yield item.told(data.program, data)


def _names(row: ToldRow) -> list[str]:
    moved = row.is_new or row.was != row.became
    by_state = _BY_STATE.get(State(row.became)) if moved else None
    noted = {_BY_COLUMN[column] for column in row.changed if column in _BY_COLUMN}
    return [*([by_state] if by_state else []), *sorted(noted)]


def _still(name: str, delivery: Delivery) -> bool:
    """What was noted may have been forgotten with the person meanwhile."""
    columns = [column for column, of in _BY_COLUMN.items() if of == name]
    return not columns or any(getattr(delivery, column) is not None for column in columns)


def _data(delivery: Delivery) -> MessageData:
    message = delivery.message
    member = message.membership
    return MessageData(
        message=str(message.public_id), delivery=str(delivery.public_id),
        occasion=message.occasion, topic=message.topic, channel=delivery.channel,
        device=str(delivery.device) if delivery.device else None,
        program=member.program.code if member else "",
        membership=str(member.public_id) if member else None,
        customer=CustomerRef.of(current(message.customer)), state=State(delivery.state),
        reason=delivery.reason, sent_at=delivery.sent_at,
    )  # fmt: skip
