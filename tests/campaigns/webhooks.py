"""Short ways to endpoints of webhooks and to what they are told."""

import datetime as dt
from typing import Any

from django.utils import timezone

from campaigns.models import WebhookDelivery, WebhookEndpoint
from campaigns.services.webhook_deliveries import deliver_due
from campaigns.services.webhook_endpoints import create_endpoint
from campaigns.services.webhook_telling import tell_endpoints
from members.public_events import PublicEvent
from members.selectors.told_customers import SAMPLE, CustomerData
from members.services.audit import SYSTEM


def make_endpoint(url: str, **how: Any) -> WebhookEndpoint:
    return create_endpoint(url=url, actor=SYSTEM, now=timezone.now(), **how)[0]


def happened(*keys: str, at: dt.datetime | None = None) -> int:
    """Tell of so many new customers; return how many deliveries that makes."""
    at = at or timezone.now()
    return tell_endpoints(
        [
            PublicEvent("customer.created", key, at, "", CustomerData(customer=SAMPLE))
            for key in keys
        ],
        now=at,
    )


def deliver() -> int:
    """What a worker does."""
    return deliver_due(seconds=20)


def only() -> WebhookDelivery:
    return WebhookDelivery.objects.select_related("endpoint", "event").get()


def make_due() -> None:
    """As if all the waits were over."""
    WebhookDelivery.objects.filter(state="waiting").update(
        next_at=timezone.now() - dt.timedelta(seconds=1)
    )
