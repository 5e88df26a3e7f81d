"""Events that must lead to something outside their transaction: recorded, claimed, delivered.

An event is claimed by moving `available_at` ahead: while the lease runs nobody else takes it, and
when a worker dies it comes back by itself. Failures back off further each time and never give up.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from members.models import OutboxEvent
from members.origins import JOB, coming_by
from members.outbox import subscription_of
from members.prepared import KeptQuery, insert_row, run_prepared
from members.program_scope import of_all_programs
from members.services.waking import wake_worker

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=10)
FIRST_DELAY = timedelta(seconds=10)
LONGEST_DELAY = timedelta(hours=6)
KEPT_FOR = timedelta(days=30)
PRUNED_AT_ONCE = 5_000
DELIVERY_TASK = "members.tasks.deliver_outbox"
# Every run of a worker asks, and mostly there is nothing: it is one statement, planned once.
_CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT id FROM members_outboxevent
         WHERE delivered_at IS NULL AND available_at <= %(now)s
         ORDER BY available_at, id LIMIT %(limit)s
           FOR UPDATE SKIP LOCKED)
    UPDATE members_outboxevent e
       SET available_at = %(until)s, attempts = e.attempts + 1
      FROM due WHERE e.id = due.id
    RETURNING e.id
"""
_EVENTS: KeptQuery[OutboxEvent] = KeptQuery(
    lambda ids: OutboxEvent.objects.filter(pk__among=ids).order_by("pk")
)


def record_event(kind: str, payload: dict[str, Any], *, urgent: bool = False) -> OutboxEvent:
    """Write an event in the caller's transaction; `urgent` wakes a worker when it commits."""
    event = OutboxEvent(kind=kind, payload=payload)
    insert_row(event)
    if urgent:
        transaction.on_commit(partial(wake_worker, DELIVERY_TASK))
    return event


def record_events(kind: str, payloads: Sequence[dict[str, Any]]) -> None:
    """Write many events of one kind in one statement."""
    OutboxEvent.objects.bulk_create(OutboxEvent(kind=kind, payload=item) for item in payloads)


@of_all_programs()
@coming_by(JOB, "outbox")
def deliver_waiting(limit: int = 200) -> int:
    """Claim up to `limit` events that are due and deliver them; return how many were claimed."""
    by_kind: defaultdict[str, list[OutboxEvent]] = defaultdict(list)
    claimed = _claim(limit)
    for event in claimed:
        by_kind[event.kind].append(event)
    for kind, events in by_kind.items():
        batches = [[event] for event in events] if subscription_of(kind).singly else [events]
        for batch in batches:
            _deliver(kind, batch)
    return len(claimed)


def prune_delivered(now: datetime | None = None) -> int:
    """Remove what was delivered long ago, in chunks; return how many rows went."""
    cutoff = (now or timezone.now()) - KEPT_FOR
    removed = 0
    while True:
        old = OutboxEvent.objects.filter(delivered_at__lt=cutoff).order_by("pk")
        chunk = list(old.values_list("pk", flat=True)[:PRUNED_AT_ONCE])
        removed += OutboxEvent.objects.filter(pk__in=chunk).delete()[0]
        if len(chunk) < PRUNED_AT_ONCE:
            return removed


def _claim(limit: int) -> list[OutboxEvent]:
    """Lease due events to this worker, passing over those another worker is just claiming."""
    now = timezone.now()
    claimed = run_prepared(_CLAIM, {"now": now, "until": now + LEASE, "limit": limit})
    return _EVENTS.rows([pk for (pk,) in claimed]) if claimed else []


def _deliver(kind: str, events: list[OutboxEvent]) -> None:
    try:
        _consume(kind, events)
    except Exception as error:
        if len(events) == 1:
            _postpone(events[0], error)
            return
        # One bad event must not hold up the others of its batch.
        for event in events:
            _deliver(kind, [event])


def _consume(kind: str, events: list[OutboxEvent]) -> None:
    """Run the consumers and mark the events in one transaction: both happen or neither."""
    subscription = subscription_of(kind)
    with transaction.atomic():
        for consumer in subscription.consumers:
            consumer(events)
        delivered: dict[str, Any] = {"delivered_at": timezone.now(), "last_error": ""}
        if not subscription.keeps_payload:
            delivered["payload"] = {}
        OutboxEvent.objects.filter(pk__in=[event.pk for event in events]).update(**delivered)


def _postpone(event: OutboxEvent, error: Exception) -> None:
    # The name of the error and its text, but no payload: that may hold personal data.
    logger.warning("outbox event %s (%s) failed: %s", event.pk, event.kind, type(error).__name__)
    OutboxEvent.objects.filter(pk=event.pk).update(
        available_at=timezone.now() + _delay(event.attempts),
        last_error=f"{type(error).__name__}: {error}"[:2000],
    )


def _delay(attempts: int) -> timedelta:
    doubled: int = 2 ** min(attempts - 1, 16)
    return min(FIRST_DELAY * doubled, LONGEST_DELAY)
