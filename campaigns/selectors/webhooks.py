"""Reading endpoints of webhooks and what became of what they were to be told."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from campaigns.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from campaigns.webhook_events import known_types
from members.errors import NotFoundError
from members.prepared import KeptRows

State = WebhookDelivery.State
# Whenever something is told, though mostly nobody listens.
_ASKED = KeptRows(lambda: WebhookEndpoint.objects.filter(enabled=True).values_list("types"))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries are looked at."""

    endpoint: WebhookEndpoint | None = None
    type: str = ""
    state: str = ""


def followed_types() -> set[str]:
    """What is told to any endpoint that is on."""
    asked = [types for (types,) in _ASKED.rows()]
    known = known_types()
    return known if not all(asked) else {name for types in asked for name in types} & known


def list_endpoints() -> list[WebhookEndpoint]:
    """All of them, with how many deliveries wait or have failed, and when the last one arrived."""
    own = WebhookDelivery.objects.filter(endpoint=OuterRef("pk"))
    newest = own.filter(state=State.DELIVERED).order_by("-pk").values("finished_at")[:1]
    found = WebhookEndpoint.objects.select_related("program").annotate(
        waiting=_count(own.filter(state=State.WAITING), "endpoint"),
        failed=_count(own.filter(state=State.FAILED), "endpoint"),
        arrived_at=Subquery(newest),
    )
    return list(found.order_by("pk"))


def get_endpoint(public_id: UUID | str) -> WebhookEndpoint:
    """Raises NotFoundError."""
    found = WebhookEndpoint.objects.select_related("program").filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError(_("There is no such endpoint."))
    return found


def deliveries(wanted: Wanted | None = None) -> QuerySet[WebhookDelivery]:
    """With what a list shows of them."""
    wanted = wanted or Wanted()
    found = WebhookDelivery.objects.select_related("endpoint", "event")
    if wanted.endpoint:
        found = found.filter(endpoint=wanted.endpoint)
    if wanted.type:
        found = found.filter(event__type=wanted.type)
    if wanted.state:
        found = found.filter(state=wanted.state)
    own = WebhookAttempt.objects.filter(delivery=OuterRef("pk"))
    return found.annotate(requests=_count(own, "delivery"))


def get_delivery(public_id: UUID | str) -> WebhookDelivery:
    """With its attempts, the first one first. Raises NotFoundError."""
    attempts = Prefetch("attempts", WebhookAttempt.objects.order_by("pk"))
    found = deliveries().prefetch_related(attempts).filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError(_("There is no such delivery."))
    return found


def given_up() -> list[WebhookEndpoint]:
    """Endpoints that Setia has switched off by itself."""
    off = (WebhookEndpoint.Off.GONE, WebhookEndpoint.Off.FAILING)
    return list(WebhookEndpoint.objects.filter(enabled=False, off_why__in=off).order_by("off_at"))


def undelivered(endpoint: WebhookEndpoint, since: dt.datetime) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(
        endpoint=endpoint, state__in=WebhookDelivery.UNDELIVERED, created_at__gte=since
    )


def _count(rows: QuerySet[Any], by: str) -> Coalesce:
    """How many rows there are for each, without joining them."""
    counted = rows.order_by().values(by).annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted), 0)
