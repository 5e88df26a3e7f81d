"""Sending what waits: claimed in batches, sent at once by threads, written down as it comes in.

A worker that dies between sending and writing down has sent something that is sent again when its
lease has run out, under the same id: whoever is told something twice knows it by that.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Prefetch
from django.utils import timezone

from campaigns.models import (
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
    WebhookSecret,
)
from campaigns.services.webhook_endpoints import active_keys, switch_off_failed
from campaigns.webhook_events import body_of, message_id
from campaigns.webhook_requests import Outcome, post
from campaigns.webhook_schedule import GIVEN_UP_AFTER, wait_after
from campaigns.webhook_secrets import signed_headers

logger = logging.getLogger(__name__)

State = WebhookDelivery.State
LEASE = dt.timedelta(minutes=5)
# Three rounds of the threads, each of 20 seconds at worst: well within the lease.
THREADS = 16
BATCH = 3 * THREADS
# Seconds: what comes back right after another is written down with it.
GATHERED = 0.02
NO_SECRET = "no_secret"
# Each endpoint's turn, so that none that is slow or has much to get keeps the others waiting; what
# another worker is just claiming is passed over.
_CLAIM = """
    UPDATE campaigns_webhookdelivery d
       SET next_at = %(until)s, tries = d.tries + 1
      FROM (SELECT due.id
              FROM (SELECT id FROM campaigns_webhookendpoint
                     WHERE enabled AND NOT id = ANY(%(resting)s) ORDER BY random()) e
             CROSS JOIN LATERAL (
                   SELECT w.id, w.next_at FROM campaigns_webhookdelivery w
                    WHERE w.endpoint_id = e.id AND w.state = 'waiting' AND w.next_at <= %(now)s
                    ORDER BY w.next_at, w.id LIMIT %(each)s
                      FOR NO KEY UPDATE SKIP LOCKED) due
             LIMIT %(batch)s) c
     WHERE d.id = c.id
    RETURNING d.id
"""


@dataclass(frozen=True, slots=True)
class Letter:
    """A delivery as it goes out; the threads that send it need no database."""

    delivery_id: int
    endpoint_id: int
    tries: int
    url: str
    body: bytes
    headers: dict[str, str]


def deliver_due(*, seconds: float) -> int:
    """Send what is due until nothing is, or the time is over; return how many were sent. Who does
    not answer is left alone for the rest of this run."""
    ends, sent = time.monotonic() + seconds, 0
    resting: set[int] = set()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="webhooks") as threads:
        while time.monotonic() < ends:
            claimed = claim(now=timezone.now(), resting=resting)
            if not claimed:
                break
            resting |= _send(threads, claimed)
            sent += len(claimed)
    return sent


def claim(*, now: dt.datetime, resting: Iterable[int] = ()) -> list[WebhookDelivery]:
    """Lease what is due to this worker."""
    endpoints = max(WebhookEndpoint.objects.filter(enabled=True).count(), 1)
    values: dict[str, Any] = {
        "now": now, "until": now + LEASE, "batch": BATCH, "resting": list(resting),
        "each": max(BATCH // endpoints, 4),
    }  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        ids = [row[0] for row in cursor.fetchall()]
    secrets = Prefetch("endpoint__secrets", WebhookSecret.objects.order_by("-pk"))
    found = WebhookDelivery.objects.select_related("endpoint", "event").prefetch_related(secrets)
    return list(found.filter(pk__in=ids).order_by("pk"))


def record(letters: Sequence[tuple[Letter, Outcome]], *, now: dt.datetime) -> None:
    """Write down what came of requests, and give up endpoints that are gone or fail for days."""
    with transaction.atomic():
        WebhookAttempt.objects.bulk_create(
            WebhookAttempt(
                delivery_id=letter.delivery_id, status=outcome.status, error=outcome.error[:300],
                body=outcome.body, took_ms=outcome.took_ms,
                at=now - dt.timedelta(milliseconds=outcome.took_ms),
            )
            for letter, outcome in letters
        )  # fmt: skip
        _settle_arrived([pair for pair in letters if pair[1].succeeded], now)
        for letter, outcome in letters:
            if not outcome.succeeded:
                _settle_failed(letter, outcome, now)
    _judge_endpoints(letters, now)


def _send(threads: ThreadPoolExecutor, claimed: Sequence[WebhookDelivery]) -> set[int]:
    """Send a batch; return the endpoints that did not answer."""
    now = timezone.now()
    letters = [_letter(delivery, now) for delivery in claimed]
    pending: dict[Future[Outcome], Letter] = {
        threads.submit(_deliver, letter): letter for letter in letters
    }
    silent = set()
    while pending:
        wait(pending, return_when=FIRST_COMPLETED)
        done, _rest = wait(pending, timeout=GATHERED)
        came = [(pending.pop(future), future.result()) for future in done]
        record(came, now=timezone.now())
        silent |= {letter.endpoint_id for letter, outcome in came if outcome.status is None}
    return silent


def _letter(delivery: WebhookDelivery, now: dt.datetime) -> Letter:
    event: WebhookEvent = delivery.event
    endpoint: WebhookEndpoint = delivery.endpoint
    body = body_of(event)
    keys = active_keys(endpoint, now)
    headers = signed_headers(message_id=message_id(event), body=body, at=now, keys=keys)
    return Letter(
        delivery.pk, endpoint.pk, delivery.tries, endpoint.url, body, headers if keys else {}
    )


def _deliver(letter: Letter) -> Outcome:
    """In a thread. Unsigned nothing goes out."""
    if not letter.headers:
        return Outcome(0, error=NO_SECRET)
    return post(letter.url, letter.body, letter.headers)


def _settle_arrived(letters: Sequence[tuple[Letter, Outcome]], now: dt.datetime) -> None:
    """They may have been canceled, or be another worker's by now; but what has arrived has."""
    for status in {outcome.status for _letter, outcome in letters}:
        ids = [letter.delivery_id for letter, outcome in letters if outcome.status == status]
        WebhookDelivery.objects.filter(pk__in=ids).exclude(state=State.DELIVERED).update(
            state=State.DELIVERED, next_at=None, finished_at=now, status=status, error=""
        )


def _settle_failed(letter: Letter, outcome: Outcome, now: dt.datetime) -> None:
    """It waits for its next turn, unless it was the last one, or is not this worker's any more."""
    own = WebhookDelivery.objects.filter(
        pk=letter.delivery_id, state=State.WAITING, tries=letter.tries
    )
    told = {"status": outcome.status, "error": outcome.error[:300]}
    pause = None if outcome.gone else wait_after(letter.tries)
    if pause is None:
        own.update(state=State.FAILED, next_at=None, finished_at=now, **told)
    else:
        own.update(next_at=now + pause, **told)


def _judge_endpoints(letters: Sequence[tuple[Letter, Outcome]], now: dt.datetime) -> None:
    for pk in sorted({letter.endpoint_id for letter, _outcome in letters}):
        outcomes = [outcome for letter, outcome in letters if letter.endpoint_id == pk]
        endpoints = WebhookEndpoint.objects.filter(pk=pk, enabled=True)
        if any(outcome.gone for outcome in outcomes):
            _give_up(endpoints, now, gone=True)
        elif any(outcome.succeeded for outcome in outcomes):
            endpoints.exclude(failing_since=None).update(failing_since=None)
        elif not endpoints.filter(failing_since=None).update(failing_since=now):
            _give_up(endpoints.filter(failing_since__lte=now - GIVEN_UP_AFTER), now, gone=False)


def _give_up(endpoints: Iterable[WebhookEndpoint], now: dt.datetime, *, gone: bool) -> None:
    for endpoint in endpoints:
        switch_off_failed(endpoint=endpoint, now=now, gone=gone)
        logger.warning("webhook endpoint %s was given up", endpoint.public_id)
