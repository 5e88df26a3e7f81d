"""Sending what waits, each message once.

A few at a time are marked as being handed over, then handed over one after the other. Of one that
stays marked, because a worker died, nobody knows whether it went out, so it is told as uncertain,
and only people send it again. A worker that ends in order gives back what it has not begun.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from enum import Enum

from django.db.models import QuerySet
from django.utils import timezone

from campaigns.channels import Channel, HandOverError, Line, UnclearError, sending_channels
from campaigns.models import Delivery
from campaigns.services.blocked_addresses import block_address
from campaigns.services.claims import LEASE, claim, give_back, note_interrupted, with_waiting
from campaigns.services.early_receipts import follow_early, names_of
from campaigns.services.outages import give_turn_back, note_outage, note_working, outage_of
from campaigns.services.preparing import Batch, Ready, prepare
from campaigns.services.replies import decline
from campaigns.services.sent import Taken, mark_sent
from campaigns.services.ways import note_failure, note_sent

logger = logging.getLogger(__name__)

# So many are uncertain at most when a worker is killed.
AT_ONCE = 10
FIRST_DELAY = dt.timedelta(seconds=30)
LONGEST_DELAY = dt.timedelta(hours=2)
GIVES_UP_AFTER = dt.timedelta(days=3)
ADDRESSES = ("address_refused", "unsubscribed")
State = Delivery.State
Clock = Callable[[], dt.datetime]

__all__ = ["LEASE", "note_interrupted", "send_waiting"]


class Provider(Enum):
    """What was found out about the provider."""

    ANSWERED = "answered"
    DOWN = "down"
    # There was nothing to hand over after all.
    NOT_TRIED = "not_tried"


def send_waiting(*, limit: int = 100, clock: Clock = timezone.now) -> int:
    """Claim up to `limit` deliveries of each channel that are due, and send them; returns how many
    were claimed."""
    note_interrupted(now=clock())
    waiting = with_waiting(sending_channels())
    return sum(_send_by(channel, limit, clock) for channel in waiting)


def _send_by(channel: Channel, limit: int, clock: Clock) -> int:
    down = outage_of(channel.key) is not None
    claimed = claim(channel=channel.key, limit=limit, now=clock())
    if not claimed or channel.open_line is None:
        return 0
    with channel.open_line() as line:
        found = _send_all(claimed, channel, line, clock)
    if not down or found == Provider.DOWN:
        return len(claimed)
    if found == Provider.ANSWERED:
        note_working(channel.key)
    else:
        give_turn_back(channel.key, clock())
    # The others need not wait for the next run: it is back, or one of them finds out.
    return len(claimed) + (_send_by(channel, limit - 1, clock) if limit > 1 else 0)


def _send_all(claimed: list[Delivery], channel: Channel, line: Line, clock: Clock) -> Provider:
    batch, found = Batch.load(), Provider.NOT_TRIED
    for first in range(0, len(claimed), AT_ONCE):
        ready = prepare(claimed[first : first + AT_ONCE], channel, batch, clock())
        if not ready:
            continue
        found = _hand_over(ready, channel, line, clock)
        if found == Provider.DOWN:
            give_back(claimed[first + AT_ONCE :], until=clock())
            break
    return found


def _hand_over(ready: Sequence[Ready], channel: Channel, line: Line, clock: Clock) -> Provider:
    """What it took is written down, whatever happens."""
    taken: list[Taken] = []
    begun, until = 0, None
    try:
        for item in ready:
            begun += 1
            try:
                taken.append(Taken(item.delivery, line.hand_over(item.letter), clock()))
            except (HandOverError, UnclearError) as error:
                if _failed(item, channel, error, clock()):
                    until = clock()
                    break
    finally:
        mark_sent(taken)
        give_back([item.delivery for item in ready[begun:]], until=until)
        if taken and channel.is_set_up:
            note_sent(channel.key, taken[-1].at)
            follow_early(channel=channel.key, names=names_of(taken), now=clock())
    return Provider.ANSWERED if until is None else Provider.DOWN


def _failed(
    ready: Ready, channel: Channel, error: HandOverError | UnclearError, now: dt.datetime
) -> bool:
    """Returns whether nothing else would be taken now either."""
    if isinstance(error, HandOverError):
        _refused(ready, channel, error, now)
        # An address that is wrong says nothing of who sends.
        outage, reason = error.outage, "" if error.reason in ADDRESSES else error.reason
    else:
        logger.warning("delivery %s: %s", ready.delivery.pk, error)
        _close(ready, State.UNCERTAIN, reason="unclear", detail=str(error)[:300])
        outage, reason = True, "unclear"
    if channel.is_set_up and reason:
        note_failure(channel.key, reason, str(error), now)
    if outage:
        note_outage(channel=channel.key, detail=str(error)[:300], now=now)
    return outage


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
    if error.stopped:
        decline(customer=row.message.customer, channel=channel.key, now=now)


def _close(ready: Ready, state: str, **changes: str) -> None:
    _own(ready, State.SENDING).update(state=state, **changes)


def _own(ready: Ready, *states: str) -> QuerySet[Delivery]:
    """The delivery, unless somebody has begun another attempt meanwhile."""
    row = ready.delivery
    return Delivery.objects.filter(pk=row.pk, attempts=row.attempts, state__in=states)


def _delay(attempts: int) -> dt.timedelta:
    doubled: int = 2 ** min(attempts - 1, 16)
    return min(FIRST_DELAY * doubled, LONGEST_DELAY)
