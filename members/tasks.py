"""What workers do for this application. Every task may run twice at once and be killed anywhere."""

from __future__ import annotations

import time

from celery import shared_task

from members.services import idempotency, outbox

BATCH = 200
# Well below the interval at which a broker would hand the task to another worker.
LONGEST_RUN = 60.0


@shared_task
def deliver_outbox() -> int:
    """Deliver what waits, batch after batch, and leave the rest to the next run."""
    started, delivered = time.monotonic(), 0
    while time.monotonic() - started < LONGEST_RUN:
        claimed = outbox.deliver_waiting(BATCH)
        delivered += claimed
        if claimed < BATCH:
            break
    return delivered


@shared_task
def prune_outbox() -> int:
    """Forget events delivered long ago."""
    return outbox.prune_delivered()


@shared_task
def prune_idempotency_records() -> int:
    """Forget answers to requests that can no longer be expected to come again."""
    return idempotency.prune_idempotency_records()
