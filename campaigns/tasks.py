"""What workers do for this application. Every task may run twice at once and be killed anywhere."""

from __future__ import annotations

import time

from celery import shared_task
from django.utils import timezone

from campaigns.services import inbound, webhook_deliveries, webhook_replays
from campaigns.services.early_receipts import prune_early
from campaigns.services.journey_steps import take_due
from campaigns.services.measuring import prune_clicks as forget_clicks
from campaigns.services.referral_links import forget_asks, sum_up_visits
from campaigns.services.sending import send_waiting

BATCH = 100
# Well below the interval at which a broker would hand the task to another worker.
LONGEST_RUN = 60.0
# Other endpoints' work, and messages, have their turn too.
LONGEST_WEBHOOK_RUN = 20.0


@shared_task
def send_messages() -> int:
    """Send what waits, batch after batch, and leave the rest to the next run."""
    started, taken = time.monotonic(), 0
    while time.monotonic() - started < LONGEST_RUN:
        claimed = send_waiting(limit=BATCH)
        taken += claimed
        if claimed < BATCH:
            break
    return taken


@shared_task
def go_on_with_journeys() -> int:
    """Take members on who are due, and leave the rest to the next run."""
    started, taken = time.monotonic(), 0
    while time.monotonic() - started < LONGEST_RUN:
        went = take_due(limit=BATCH)
        taken += went
        if not went:
            break
    return taken


@shared_task
def deliver_webhooks() -> int:
    """Send what is due to the endpoints of webhooks."""
    return webhook_deliveries.deliver_due(seconds=LONGEST_WEBHOOK_RUN)


@shared_task
def prune_webhooks() -> int:
    """Forget events, and what became of them, of long ago."""
    return webhook_replays.prune_webhooks(now=timezone.now())


@shared_task
def prune_messages_in() -> int:
    """Forget what came in by connections long ago."""
    return inbound.prune_messages(now=timezone.now())


@shared_task
def prune_clicks() -> int:
    """Forget which links of messages were followed long ago, and what was told of messages that are
    not ours."""
    now = timezone.now()
    return forget_clicks(now=now) + prune_early(now=now)


@shared_task
def prune_referral_asks() -> int:
    """Forget where people were who asked to join by a link and never confirmed it."""
    return forget_asks(timezone.now())


@shared_task
def sum_up_referral_visits() -> int:
    """Keep visits of long ago as a number alone."""
    return sum_up_visits(timezone.now())
