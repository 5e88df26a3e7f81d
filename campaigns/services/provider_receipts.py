"""What a way's provider tells, by the mapping that is kept with the way: what became of messages,
and what members answered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from http import HTTPStatus
from uuid import UUID

from django.db import transaction
from django.utils.crypto import constant_time_compare

from campaigns.channels import Channel, channel_named
from campaigns.models import ChannelSetting, Delivery
from campaigns.receipt_mappings import (
    ReceiptMapping,
    Signed,
    Told,
    UnreadableError,
    outcomes_in,
    read_body,
    replies_in,
)
from campaigns.receipt_signatures import is_from_provider, word_for_meta
from campaigns.selectors.ways import setting_of_channel
from campaigns.services.early_receipts import follow_early, keep_early
from campaigns.services.receipts import follow_outcome, take_receipt
from campaigns.services.replies import note_reply
from members.kept_secrets import revealed


def take_told(
    *, channel: str, url: str, body: bytes, content_type: str, headers: Mapping[str, str],
    now: dt.datetime,
) -> HTTPStatus:  # fmt: skip
    """The answer to who tells it. `url`: to which it was told. Told again it changes nothing."""
    way, setting = channel_named(channel), setting_of_channel(channel)
    if way is None or not setting.receipts:
        return take_receipt(channel=channel, body=body, headers=headers, now=now)
    mapping = ReceiptMapping.model_validate(setting.receipts)
    if not is_from_provider(
        signed=mapping.signed, secret=revealed(setting.secret), url=url, body=body,
        headers=headers, now=now,
    ):  # fmt: skip
        return HTTPStatus.UNAUTHORIZED
    try:
        told = read_body(body, content_type)
    except UnreadableError:
        return HTTPStatus.BAD_REQUEST
    for receipt in outcomes_in(told, mapping):
        _note(channel, receipt, now)
    if way.by_word:
        _note_replies(way, setting, mapping, told, now)
    return HTTPStatus.NO_CONTENT


def word_of_meta(*, channel: str, given: str) -> bool:
    """Whether the merchant has named our address there."""
    setting = setting_of_channel(channel)
    is_asked = setting.receipts.get("signed") == Signed.META
    return is_asked and constant_time_compare(given, word_for_meta(channel))


def _note(channel: str, told: Told, now: dt.datetime) -> None:
    if _follow(channel, told, now):
        return
    keep_early(channel=channel, told=told, now=now)
    # Its name may have been written down, and what was told been looked for, since we looked.
    if row := _named(channel, told.name):
        follow_early(channel=channel, names={told.name: row.pk}, now=now)


@transaction.atomic
def _follow(channel: str, told: Told, now: dt.datetime) -> bool:
    """Returns whether there is such a message."""
    named = _named(channel, told.name)
    if named is None:
        return False
    row = Delivery.objects.select_for_update().get(pk=named.pk)
    follow_outcome(row=row, told=told, now=now)
    return True


def _named(channel: str, name: str) -> Delivery | None:
    """By the provider's name for it, or by ours where it is told that."""
    rows = Delivery.objects.filter(channel=channel)
    if found := rows.filter(reference=name).order_by("pk").first():
        return found
    try:
        return rows.filter(public_id=UUID(name)).first()
    except ValueError:
        return None


def _note_replies(
    way: Channel, setting: ChannelSetting, mapping: ReceiptMapping, told: object, now: dt.datetime
) -> None:
    for reply in replies_in(told, mapping):
        note_reply(channel=way, setting=setting, sender=reply.sender, text=reply.text, now=now)
