"""What waits to be told: messages to people, events to other systems."""

from __future__ import annotations

import datetime as dt

from django.db.models import Min

from campaigns.models import Delivery, WebhookDelivery
from campaigns.selectors.webhooks import given_up
from members.gauges import Gauge, Readings, age, register_gauges

_DUE = Delivery.State.QUEUED


def _messages(now: dt.datetime) -> Readings:
    return {(): Delivery.objects.filter(state=_DUE, available_at__lte=now).count()}


def _oldest_message(now: dt.datetime) -> Readings:
    due = Delivery.objects.filter(state=_DUE, available_at__lte=now)
    return {(): age(due.aggregate(since=Min("available_at"))["since"], now)}


def _webhooks(now: dt.datetime) -> Readings:
    waiting = WebhookDelivery.State.WAITING
    return {(): WebhookDelivery.objects.filter(state=waiting, next_at__lte=now).count()}


def _given_up(now: dt.datetime) -> Readings:
    return {(): len(given_up())}


def register() -> None:
    """Called once, when the application is ready."""
    register_gauges(
        [
            Gauge("setia_messages_due", "Messages that may go out and have not.", _messages),
            Gauge(
                "setia_messages_oldest_seconds", "How long the oldest of them has been due.",
                _oldest_message,
            ),
            Gauge("setia_webhooks_due", "Webhook deliveries that are due.", _webhooks),
            Gauge(
                "setia_webhook_endpoints_off", "Endpoints that Setia switched off by itself.",
                _given_up,
            ),
        ]
    )  # fmt: skip
