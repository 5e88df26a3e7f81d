"""Deliveries in words: what became of each, and why it did not arrive."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from campaigns import webhook_requests
from campaigns.models import WebhookDelivery
from campaigns.services.webhook_deliveries import NO_SECRET

State = WebhookDelivery.State
# The states as their badges name them.
BADGES = {
    State.WAITING: "queued",
    State.DELIVERED: "delivered",
    State.FAILED: "failed",
    State.CANCELED: "not_sent",
}
ERRORS: dict[str, str | Promise] = {
    webhook_requests.REFUSED: _l(
        "The address leads into a private network, where nothing is sent."
    ),
    webhook_requests.UNKNOWN_HOST: _l("The name of the host is not known."),
    webhook_requests.TIMED_OUT: _l("It did not answer in time."),
    webhook_requests.NO_TLS: _l("The encrypted connection could not be made"),
    webhook_requests.BROKEN: _l("The connection failed"),
    NO_SECRET: _l("The installation’s key has changed, so its secret is lost: make another one."),
}


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    delivery: WebhookDelivery
    badge: str
    answer: str
    # None: nothing more is to come.
    next_at: dt.datetime | None


def delivery_rows(found: Iterable[WebhookDelivery]) -> list[DeliveryRow]:
    return [delivery_row(item) for item in found]


def delivery_row(found: WebhookDelivery) -> DeliveryRow:
    return DeliveryRow(
        delivery=found,
        badge=BADGES[State(found.state)],
        answer=answer_words(found.status, found.error),
        next_at=found.next_at if found.tries else None,
    )


def answer_words(status: int | None, error: str) -> str:
    """What came back, or why nothing did."""
    if status is not None:
        try:
            return f"{status} {HTTPStatus(status).phrase}"
        except ValueError:
            return str(status)
    if not error:
        return ""
    known, _sep, detail = error.partition(": ")
    words = str(ERRORS.get(known, _("It could not be sent")))
    return f"{words}: {detail}" if detail else words
