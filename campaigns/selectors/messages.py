"""Messages and what became of them, as staff look at them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from campaigns.channels import Channel, channel_named
from campaigns.models import ChannelOutage, Delivery, Message
from members.errors import NotFoundError
from members.models import Customer

State = Delivery.State


@dataclass(frozen=True, slots=True)
class Figures:
    """How many deliveries of an occasion came to what. `delivered`: as far as the provider says."""

    sent: int = 0
    delivered: int = 0
    failed: int = 0
    uncertain: int = 0
    waiting: int = 0
    suppressed: int = 0
    unsubscribed: int = 0


@dataclass(frozen=True, slots=True)
class CountedWay:
    """What became of an occasion's messages by one channel."""

    occasion: str
    channel: str
    figures: Figures


_COUNTED = {
    "sent": Q(state=State.SENT),
    "delivered": Q(delivered_at__isnull=False),
    "failed": Q(state=State.FAILED),
    "uncertain": Q(state=State.UNCERTAIN),
    "waiting": Q(state__in=[State.QUEUED, State.SENDING]),
    "suppressed": Q(state=State.SUPPRESSED),
    "unsubscribed": Q(unsubscribed_at__isnull=False),
}


def figures_since(since: dt.datetime, *, occasion: str = "") -> list[CountedWay]:
    """By occasion and channel; one query, which looks at every delivery since."""
    rows = Delivery.objects.filter(message__created_at__gte=since)
    if occasion:
        rows = rows.filter(message__occasion=occasion)
    names = ("message__occasion", "channel")
    counts = {name: Count("pk", filter=which) for name, which in _COUNTED.items()}
    counted = rows.values(*names).annotate(**counts).values_list(*names, *counts)
    return [
        CountedWay(code, channel, Figures(**dict(zip(counts, numbers, strict=True))))
        for code, channel, *numbers in counted
    ]


def outages() -> list[tuple[Channel, ChannelOutage]]:
    """The channels by which nothing goes out now."""
    rows = ChannelOutage.objects.order_by("channel")
    return [(channel, row) for row in rows if (channel := channel_named(row.channel))]


def deliveries() -> QuerySet[Delivery]:
    """With all that is shown of them."""
    return Delivery.objects.select_related(
        "message__customer", "message__membership__program", "version__template"
    )


def messages_of(customer: Customer) -> QuerySet[Message]:
    """Newest first is the order of their list."""
    return Message.objects.filter(customer=customer).prefetch_related("deliveries")


def get_delivery(public_id: UUID) -> Delivery:
    """Raises NotFoundError."""
    found = deliveries().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such delivery.")
    return found
