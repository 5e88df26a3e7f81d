"""Sending what waits, each message once.

A delivery is claimed by moving `available_at` ahead: while that lasts nobody else takes it, and
when a worker dies before it was handed over, it comes back by itself. Just before it is handed over
it is marked so; of one that stays marked nobody knows whether it went out, so it is told as
uncertain, and only people send it again.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from campaigns.channels import Channel, HandOverError, Letter, Line, UnclearError, channel_named
from campaigns.links import StopLink, absolute, stop_url
from campaigns.models import Delivery, Message, MessagingPolicy
from campaigns.occasions import Occasion, occasion_named
from campaigns.selectors.policies import get_policy
from campaigns.selectors.templates import Templates, load_templates
from campaigns.services.blocked_addresses import block_address
from campaigns.services.gate import judge
from campaigns.services.rendering import Rendered, fill, frame_of, wanted_words
from campaigns.topics import is_needed
from campaigns.wording import WordingError
from members.models import Customer, Merchant
from members.selectors.merchants import get_merchant
from members.selectors.merges import current

logger = logging.getLogger(__name__)

LEASE = dt.timedelta(minutes=10)
FIRST_DELAY = dt.timedelta(seconds=30)
LONGEST_DELAY = dt.timedelta(hours=2)
GIVES_UP_AFTER = dt.timedelta(days=3)
State = Delivery.State
Clock = Callable[[], dt.datetime]


@dataclass(frozen=True, slots=True)
class Batch:
    """What is read once for many messages."""

    policy: MessagingPolicy
    merchant: Merchant
    templates: Templates

    @classmethod
    def load(cls) -> Batch:
        merchant = get_merchant()
        return cls(get_policy(), merchant, load_templates(merchant.locale))


@dataclass(frozen=True, slots=True)
class Ready:
    """A delivery that is marked as being handed over, with what is handed over."""

    delivery: Delivery
    letter: Letter


def send_waiting(*, limit: int = 100, clock: Clock = timezone.now) -> int:
    """Claim up to `limit` deliveries that are due and send them; returns how many were claimed."""
    note_interrupted(now=clock())
    by_channel: defaultdict[str, list[Delivery]] = defaultdict(list)
    claimed = _claim(limit, clock())
    for delivery in claimed:
        by_channel[delivery.channel].append(delivery)
    batch = Batch.load() if claimed else None
    for key, deliveries in by_channel.items():
        channel = channel_named(key)
        if batch is None or channel is None or channel.open_line is None:
            continue
        with channel.open_line() as line:
            for delivery in deliveries:
                _send(delivery, channel, line, batch, clock)
    return len(claimed)


def note_interrupted(*, now: dt.datetime) -> int:
    """Of what was being handed over by a worker that died nobody knows whether it went out."""
    lost = Delivery.objects.filter(state=State.SENDING, available_at__lte=now)
    return lost.update(state=State.UNCERTAIN, reason="interrupted")


def _claim(limit: int, now: dt.datetime) -> list[Delivery]:
    """Lease what is due to this worker, passing over what another is just claiming."""
    with transaction.atomic():
        due = Delivery.objects.filter(state=State.QUEUED, available_at__lte=now)
        found = list(
            due.select_for_update(skip_locked=True)
            .order_by("priority", "available_at", "pk")[:limit]
        )  # fmt: skip
        Delivery.objects.filter(pk__in=[row.pk for row in found]).update(
            available_at=now + LEASE, attempts=F("attempts") + 1
        )
    for row in found:
        row.attempts += 1
    return found


def _send(claimed: Delivery, channel: Channel, line: Line, batch: Batch, clock: Clock) -> None:
    ready = _prepare(claimed, channel, batch, clock())
    if ready is None:
        return
    try:
        reference = line.hand_over(ready.letter)
    except HandOverError as error:
        _refused(ready, channel, error, clock())
    except UnclearError as error:
        logger.warning("delivery %s: %s", claimed.pk, error)
        _close(ready, State.UNCERTAIN, reason="unclear", detail=str(error)[:300])
    else:
        _sent(ready, reference, clock())


@transaction.atomic
def _prepare(claimed: Delivery, channel: Channel, batch: Batch, now: dt.datetime) -> Ready | None:
    """Mark it as being handed over, if it may go out; nothing, if it may not, or is somebody
    else's by now."""
    rows = Delivery.objects.select_for_update(of=("self",)).select_related(
        "message__customer__merged_into", "message__membership__program"
    )
    row = rows.filter(pk=claimed.pk, state=State.QUEUED, attempts=claimed.attempts).first()
    if row is None:
        return None
    message, occasion = row.message, occasion_named(row.message.occasion)
    customer = current(message.customer)
    if occasion is None:
        _drop(row, "occasion_off")
        return None
    zone = message.membership.program.time_zone if message.membership else batch.merchant.time_zone
    verdict = judge(
        delivery=row, occasion=occasion, channel=channel, customer=customer, policy=batch.policy,
        time_zone=zone, now=now,
    )  # fmt: skip
    if verdict.until is not None:
        row.available_at, row.reason = verdict.until, verdict.reason
        row.save(update_fields=["available_at", "reason"])
        return None
    if verdict.reason:
        _drop(row, verdict.reason)
        return None
    return _marked(row, occasion, channel, customer, batch, now)


def _marked(
    row: Delivery, occasion: Occasion, channel: Channel, customer: Customer, batch: Batch,
    now: dt.datetime,
) -> Ready | None:  # fmt: skip
    stop = _stop_link(row, customer, occasion)
    try:
        told = _render(row.message, channel, batch, stop)
    except WordingError:
        logger.exception("delivery %s has no words", row.pk)
        row.state, row.reason = State.FAILED, "wording"
        row.save(update_fields=["state", "reason"])
        return None
    row.state, row.reason, row.detail = State.SENDING, "", ""
    row.handed_over_at, row.available_at = now, now + LEASE
    row.version, row.subject = told.version, told.subject
    row.save()
    return Ready(
        row,
        Letter(
            name=str(row.public_id), to=channel.address(customer), subject=told.subject,
            text=told.text, html=told.html, headers=_headers(stop),
        ),
    )  # fmt: skip


def _render(message: Message, channel: Channel, batch: Batch, stop: str) -> Rendered:
    wanted = wanted_words(batch.templates, message.occasion, channel.key, message.locale)
    frame = frame_of(
        batch.merchant, message.locale, choose_link=stop or absolute("/me/messages/choices/"),
        stop_link=stop,
    )  # fmt: skip
    return fill(wanted, message.values, frame)


def _stop_link(row: Delivery, customer: Customer, occasion: Occasion) -> str:
    if occasion.always_by or is_needed(row.message.topic):
        return ""
    return stop_url(StopLink(customer.public_id, row.public_id, row.channel, row.message.topic))


def _headers(stop: str) -> dict[str, str]:
    """One click in the mail program is enough (RFC 8058)."""
    if not stop:
        return {}
    return {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _drop(row: Delivery, reason: str) -> None:
    row.state, row.reason = State.SUPPRESSED, reason
    row.save(update_fields=["state", "reason"])


@transaction.atomic
def _sent(ready: Ready, reference: str, now: dt.datetime) -> None:
    """Also where this worker was so slow that it was told as uncertain meanwhile."""
    changed = _own(ready, State.SENDING, State.UNCERTAIN).update(
        state=State.SENT, sent_at=now, reason="", detail="", reference=reference
    )
    occasion = occasion_named(ready.delivery.message.occasion)
    if changed and occasion is not None and occasion.told is not None:
        occasion.told(ready.delivery.message, now)


def _refused(ready: Ready, channel: Channel, error: HandOverError, now: dt.datetime) -> None:
    row = ready.delivery
    tried_long = now - row.message.created_at > GIVES_UP_AFTER
    if error.later and not tried_long:
        logger.info("delivery %s is tried again: %s", row.pk, error.reason)
        _own(ready, State.SENDING).update(
            state=State.QUEUED, reason=error.reason, detail=error.detail[:300],
            available_at=now + _delay(row.attempts), handed_over_at=None,
        )  # fmt: skip
        return
    logger.warning("delivery %s failed: %s", row.pk, error.reason)
    reason = "gave_up" if error.later else error.reason
    _close(ready, State.FAILED, reason=reason, detail=error.detail[:300])
    if error.lasting:
        block_address(channel=channel.key, address=ready.letter.to, reason="bounced", now=now)


def _close(ready: Ready, state: str, **changes: str) -> None:
    _own(ready, State.SENDING).update(state=state, **changes)


def _own(ready: Ready, *states: str) -> QuerySet[Delivery]:
    """The delivery, unless somebody has begun another attempt meanwhile."""
    row = ready.delivery
    return Delivery.objects.filter(pk=row.pk, attempts=row.attempts, state__in=states)


def _delay(attempts: int) -> dt.timedelta:
    doubled: int = 2 ** min(attempts - 1, 16)
    return min(FIRST_DELAY * doubled, LONGEST_DELAY)
