"""What becomes of a letter after it was taken, as whoever took it tells later: a provider of mails,
a gateway or a system of the merchant's own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from http import HTTPStatus
from typing import Literal
from uuid import UUID

from django.db import transaction
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from campaigns.channels import Channel, channel_named
from campaigns.models import BlockedAddress, ChannelSetting, Delivery
from campaigns.provider_urls import is_own
from campaigns.receipt_mappings import Outcome, Told
from campaigns.selectors.ways import setting_of_channel, url_of
from campaigns.services.blocked_addresses import block_address
from campaigns.services.sent import Taken, mark_sent
from campaigns.short_texts import SMS, WEBHOOK, WHATSAPP
from campaigns.webhook_secrets import is_signed, read
from members.errors import DomainError
from members.kept_secrets import revealed
from members.phones import normalize_phone

State = Delivery.State


class _About(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: UUID
    # Of one that failed: whether the address is the reason and always will be, and which it was.
    lasting: bool = False
    to: str = Field("", max_length=500)


class _Receipt(BaseModel):
    model_config = ConfigDict(extra="ignore")

    type: Literal["message.delivered", "message.failed"]
    data: _About


def tells_receipts(channel: Channel) -> bool:
    """Whether it is told our name for a message, or it is known where its provider tells its own,
    so that it can say what became of it."""
    if not channel.is_set_up:
        return False
    is_told = channel.key == WEBHOOK or is_own(url_of(channel.key))
    return is_told or bool(setting_of_channel(channel.key).receipts)


def take_receipt(
    *, channel: str, body: bytes, headers: Mapping[str, str], now: dt.datetime
) -> HTTPStatus:
    """The answer to who tells it. Told again it changes nothing."""
    setting = ChannelSetting.objects.filter(pk=channel).exclude(secret=b"").first()
    if setting is None or channel_named(channel) is None:
        return HTTPStatus.NOT_FOUND
    secret = read(revealed(setting.secret))
    if not secret or not is_signed(headers=headers, body=body, at=now, key=secret):
        return HTTPStatus.UNAUTHORIZED
    try:
        receipt = _Receipt.model_validate_json(body)
    except ValidationError:
        return HTTPStatus.BAD_REQUEST
    found = _note(channel, receipt, now)
    return HTTPStatus.NO_CONTENT if found else HTTPStatus.NOT_FOUND


@transaction.atomic
def _note(channel: str, receipt: _Receipt, now: dt.datetime) -> bool:
    """Returns whether there is such a message by this way."""
    about = receipt.data
    row = Delivery.objects.select_for_update().filter(channel=channel, public_id=about.id).first()
    if row is None:
        return False
    if receipt.type == "message.delivered":
        note_arrived(row, reference="", now=now)
        return True
    if about.lasting and about.to:
        block_address(
            channel=channel, address=about.to, reason=BlockedAddress.Reason.BOUNCED, now=now
        )
    note_came_back(row, reason="bounced" if about.lasting else "refused")
    return True


def follow_outcome(*, row: Delivery, told: Told, now: dt.datetime) -> None:
    """Bring the delivery to what its provider tells."""
    match told.outcome:
        case Outcome.DELIVERED:
            note_arrived(row, reference=told.name, now=now)
        case Outcome.GONE:
            if address := _address(row.channel, told.to):
                block_address(
                    channel=row.channel, address=address, reason=BlockedAddress.Reason.BOUNCED,
                    now=now,
                )  # fmt: skip
            note_came_back(row, reason="bounced")
        case Outcome.UNDELIVERED:
            note_came_back(row, reason="undelivered")
        case Outcome.FAILED:
            note_came_back(row, reason="refused")


def _address(channel: str, told: str) -> str:
    """As we write it: numbers with a plus, whatever stands before them."""
    if channel not in (SMS, WHATSAPP):
        return told
    try:
        return normalize_phone("+" + told.removeprefix("whatsapp:").strip().lstrip("+"))
    except DomainError:
        return ""


def note_arrived(row: Delivery, *, reference: str, now: dt.datetime) -> None:
    """Nobody knew of some whether they went out; of others it is told before the worker that
    handed them over has written it down."""
    if row.state in (State.SENDING, State.UNCERTAIN):
        mark_sent([Taken(row, reference, now)])
        row.refresh_from_db()
    if row.delivered_at is None and row.state == State.SENT:
        row.delivered_at = now
        row.save(update_fields=["delivered_at"])


def note_came_back(row: Delivery, *, reason: str) -> None:
    """It was taken, and did not arrive."""
    if row.state in (State.SENDING, State.SENT, State.UNCERTAIN):
        row.state = State.FAILED
        row.reason = reason
        row.save(update_fields=["state", "reason"])
