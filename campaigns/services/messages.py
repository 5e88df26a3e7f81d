"""Writing down that somebody is to be told something: once, however often it is asked for."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from uuid import UUID

from django.db import transaction
from django.urls import reverse
from django.utils import translation

from campaigns.channels import Channel, channel_named
from campaigns.links import absolute
from campaigns.models import Delivery, ExperimentArm, Message, OccasionSetting
from campaigns.news import News
from campaigns.occasions import Occasion
from campaigns.selectors.policies import setting_of
from campaigns.selectors.templates import Templates, load_templates
from campaigns.services.message_arms import arms_of
from campaigns.services.preferred_ways import first_ways
from campaigns.services.rendering import fill, wanted_words
from campaigns.wording import WordingError
from loyalty.models import Membership
from members.languages import locale_of
from members.models import Merchant
from members.prepared import run_prepared
from members.selectors.merchants import get_merchant
from members.services.waking import wake_worker

logger = logging.getLogger(__name__)

# Ask for sending now, instead of with the next regular run.
wake_senders = partial(wake_worker, "campaigns.tasks.send_messages")
_WRITTEN = """
    SELECT occurrence FROM campaigns_message
     WHERE occasion = %s AND occurrence = ANY(%s::text[])
"""
_KEYS = "SELECT public_id, id FROM campaigns_message WHERE public_id = ANY(%s::uuid[])"


def watched(occasion: Occasion) -> OccasionSetting | None:
    """How the occasion is told now; None: it is off."""
    setting = setting_of(occasion)
    return setting if setting.is_on else None


def write_messages(
    *, occasion: Occasion, setting: OccasionSetting, news: Sequence[News], now: dt.datetime
) -> list[Message]:
    """Write those that were not written yet, with what is to be sent, and wake a worker when the
    caller's transaction commits. Returns the new ones."""
    if not news:
        return []
    merchant = get_merchant()
    templates = load_templates(merchant.locale)
    fresh = _without_known(occasion, news)
    if not fresh:
        return []
    with transaction.atomic():
        arms = arms_of(occasion, fresh, now)
        rows = [_message(occasion, setting, item, templates, merchant, arms, now) for item in fresh]
        Message.objects.bulk_create(rows, ignore_conflicts=True)
        # Of two that wrote the same at once, one has a row.
        keys = dict(run_prepared(_KEYS, [[row.public_id for row in rows]]))
        written = [row for row in rows if row.public_id in keys]
        for row in written:
            row.pk = keys[row.public_id]
        channels = [found for key in setting.channels if (found := channel_named(key))]
        _write_deliveries(occasion, setting, written, channels, templates, now)
    return written


def home_of(membership: Membership) -> str:
    return reverse("mypage:home_of", args=[membership.public_id])


def _without_known(occasion: Occasion, news: Sequence[News]) -> list[News]:
    named = {item.occurrence: item for item in news}
    for (occurrence,) in run_prepared(_WRITTEN, [occasion.code, list(named)]):
        del named[occurrence]
    return list(named.values())


def _message(
    occasion: Occasion, setting: OccasionSetting, item: News, templates: Templates,
    merchant: Merchant, arms: Mapping[int, ExperimentArm], now: dt.datetime,
) -> Message:  # fmt: skip
    locale = templates.locale_for(occasion.code, locale_of(item.customer))
    program = item.membership.program.name if item.membership else ""
    with translation.override(locale):
        values = {
            "given_name": item.customer.given_name,
            "merchant": merchant.name,
            "program": program,
            "link": absolute(item.link or reverse("mypage:home")),
            **item.values(),
        }
    return Message(
        customer=item.customer, membership=item.membership, occasion=occasion.code,
        occurrence=item.occurrence, topic=setting.topic, locale=locale, values=values,
        facts=dict(item.facts), created_at=now, stale_at=now + occasion.news_for,
        arm=arms.get(item.membership.pk) if item.membership else None,
    )  # fmt: skip


def _write_deliveries(
    occasion: Occasion, setting: OccasionSetting, written: Sequence[Message],
    channels: Sequence[Channel], templates: Templates, now: dt.datetime,
) -> None:  # fmt: skip
    one_enough = first_ways(
        customers=[message.customer for message in written], channels=channels,
        occasion=occasion, topic=setting.topic,
    ) if setting.only_first and channels else {}  # fmt: skip
    devices = _devices(written, channels)
    rows = [
        row
        for message in written
        for channel in channels
        if one_enough.get(message.customer_id, channel) == channel
        for row in (
            [_withheld(occasion, message, channel, now)]
            if message.arm is not None and message.arm.silent
            else [_told_here(occasion, message, channel, templates, now)]
            if channel.open_line is None
            else _queued(
                occasion, message, channel, devices.get((channel.key, message.customer_id)), now
            )
        )
    ]
    Delivery.objects.bulk_create(rows)
    arrived = [row.message for row in rows if row.state == Delivery.State.SENT]
    if occasion.told is not None and arrived:
        occasion.told(arrived, now)
    if any(row.state == Delivery.State.QUEUED for row in rows):
        transaction.on_commit(wake_senders)


def _devices(
    written: Sequence[Message], channels: Sequence[Channel]
) -> dict[tuple[str, int], Sequence[UUID]]:
    """By way and customer; a query for each way by which somebody may have several."""
    customers = [message.customer for message in written]
    return {
        (channel.key, customer): found
        for channel in channels
        if channel.devices is not None and customers
        for customer, found in channel.devices(customers).items()
    }


def _queued(
    occasion: Occasion, message: Message, channel: Channel, devices: Sequence[UUID] | None,
    now: dt.datetime,
) -> list[Delivery]:  # fmt: skip
    """One for each device; who has none yet is told where they are reached when it is its turn."""
    places: Sequence[UUID | None] = devices or [None]
    return [
        Delivery(
            message=message, channel=channel.key, state=Delivery.State.QUEUED,
            priority=occasion.priority, available_at=now, device=device,
        )
        for device in places
    ]  # fmt: skip


def _withheld(occasion: Occasion, message: Message, channel: Channel, now: dt.datetime) -> Delivery:
    """The arm of its reader is compared without it: that is written down, so that it is not told
    later either."""
    return Delivery(
        message=message, channel=channel.key, state=Delivery.State.SUPPRESSED,
        reason="experiment", priority=occasion.priority, available_at=now,
    )  # fmt: skip


def _told_here(
    occasion: Occasion, message: Message, channel: Channel, templates: Templates, now: dt.datetime
) -> Delivery:
    """It is read on their own page, so it has arrived as soon as it is written. Words that cannot
    be put together any more hold up nothing else that follows the event."""
    row = Delivery(
        message=message, channel=channel.key, priority=occasion.priority, available_at=now
    )
    try:
        variant = message.arm.variant if message.arm else ""
        wanted = wanted_words(templates, occasion.code, channel.key, message.locale, variant)
        told = fill(wanted, message.values, {})
    except WordingError:
        logger.exception("message %s has no words for %s", message.pk, channel.key)
        row.state, row.reason = Delivery.State.FAILED, "wording"
        return row
    row.state = Delivery.State.SENT
    row.handed_over_at = row.sent_at = row.delivered_at = now
    row.version, row.subject, row.text = told.version, told.subject, told.text
    return row
