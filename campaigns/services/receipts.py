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
from campaigns.selectors.ways import url_of
from campaigns.services.blocked_addresses import block_address
from campaigns.services.sent import Taken, mark_sent
from campaigns.short_texts import WEBHOOK
from campaigns.webhook_secrets import is_signed, read
from members.kept_secrets import revealed

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
    """Whether it is told our name for a message, so that it can say what became of it."""
    return channel.is_set_up and (channel.key == WEBHOOK or is_own(url_of(channel.key)))


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
    note_came_back(row, lasting=about.lasting)
    return True


def note_arrived(row: Delivery, *, reference: str, now: dt.datetime) -> None:
    """Nobody knew of some whether they went out; of others it is told before the worker that
    handed them over has written it down."""
    if row.state in (State.SENDING, State.UNCERTAIN):
        mark_sent([Taken(row, reference, now)])
        row.refresh_from_db()
    if row.delivered_at is None and row.state == State.SENT:
        row.delivered_at = now
        row.save(update_fields=["delivered_at"])


def note_came_back(row: Delivery, *, lasting: bool) -> None:
    """It was taken, and did not arrive."""
    if row.state in (State.SENDING, State.SENT, State.UNCERTAIN):
        row.state = State.FAILED
        row.reason = "bounced" if lasting else "refused"
        row.save(update_fields=["state", "reason"])
