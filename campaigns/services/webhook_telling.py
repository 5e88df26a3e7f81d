"""From what has happened to deliveries: one row for each endpoint that is told of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from campaigns.selectors.webhooks import followed_types
from campaigns.webhook_events import PING, PingData
from members.errors import ConflictError
from members.prepared import KeptQuery, run_prepared
from members.public_events import PublicEvent, register_follower
from members.services.audit import Actor, record_audit
from members.services.waking import wake_worker

TASK = "campaigns.tasks.deliver_webhooks"

_LISTENING: KeptQuery[WebhookEndpoint] = KeptQuery(
    lambda: WebhookEndpoint.objects.filter(enabled=True).select_related("program")
)
_KNOWN = "SELECT key FROM campaigns_webhookevent WHERE key = ANY(%s::text[])"


class WebhookFollower:
    """Told by the outbox's workers, in the transaction that marks its events as delivered."""

    def wanted(self) -> frozenset[str]:
        return frozenset(followed_types())

    def receive(self, events: Sequence[PublicEvent]) -> None:
        tell_endpoints(events, now=timezone.now())


FOLLOWER = WebhookFollower()


def register() -> None:
    """Called once, when the application is ready."""
    register_follower(FOLLOWER)


@transaction.atomic
def tell_endpoints(events: Sequence[PublicEvent], *, now: dt.datetime) -> int:
    """Write down what is to be sent to whom; return how many deliveries that are. What was told
    before is not told again."""
    endpoints = _LISTENING.rows()
    known = {key for (key,) in run_prepared(_KNOWN, [[event.key for event in events]])}
    told = [
        (event, listeners)
        for event in events
        if event.key not in known and (listeners := [x for x in endpoints if _listens(x, event)])
    ]
    rows = WebhookEvent.objects.bulk_create(
        WebhookEvent(
            type=event.type, key=event.key, program=event.program, occurred_at=event.at,
            data=event.data.model_dump(mode="json"), created_at=now,
        )
        for event, _listeners in told
    )  # fmt: skip
    deliveries = [
        WebhookDelivery(endpoint=endpoint, event=row, next_at=now, created_at=now)
        for row, (_event, listeners) in zip(rows, told, strict=True)
        for endpoint in listeners
    ]
    WebhookDelivery.objects.bulk_create(deliveries)
    if deliveries:
        transaction.on_commit(wake)
    return len(deliveries)


@transaction.atomic
def send_ping(*, endpoint: WebhookEndpoint, actor: Actor, now: dt.datetime) -> WebhookDelivery:
    """A test, sent by a worker in a moment like everything else."""
    if not endpoint.enabled:
        raise ConflictError(_("Nothing is sent to this endpoint: switch it on first."))
    event = WebhookEvent.objects.create(
        type=PING, key=f"ping:{endpoint.pk}:{now.timestamp()}", occurred_at=now, created_at=now,
        program=endpoint.program.code if endpoint.program else "",
        data=PingData(endpoint=str(endpoint.public_id)).model_dump(mode="json"),
    )  # fmt: skip
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint, event=event, next_at=now, created_at=now
    )
    record_audit(actor=actor, action="webhook.pinged", target=endpoint)
    transaction.on_commit(wake)
    return delivery


wake = partial(wake_worker, TASK)


def _listens(endpoint: WebhookEndpoint, event: PublicEvent) -> bool:
    program: Any = endpoint.program
    mine = program is None or program.code == event.program
    return mine and (not endpoint.types or event.type in endpoint.types)
