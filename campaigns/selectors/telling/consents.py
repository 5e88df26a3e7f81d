"""What is told outside of what customers want to be told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from campaigns.models import ConsentChange
from members.models import OutboxEvent
from members.public_events import CustomerRef, EventData, EventType, PublicEvent, named_rows
from members.selectors.merges import current
from members.selectors.told_customers import SAMPLE as CUSTOMER

CHANGED = "consent.changed"
_SAID = "granted, denied, asked (a yes that they have not confirmed); empty: nothing."


class ConsentData(EventData):
    """A customer said something else about a topic and a way."""

    customer: CustomerRef
    channel: str
    topic: str
    was: str = Field(description=f"What they had said: {_SAID}")
    became: str = Field(description=f"What they say: {_SAID}")
    source: ConsentChange.Source = Field(description="Where they said it.")
    at: dt.datetime


CONSENT_TYPES = [
    EventType(
        CHANGED, _("A customer wants to be told something, or wants it no more."), ConsentData,
        ConsentData(
            customer=CUSTOMER, channel="email", topic="offers", was="granted", became="denied",
            source=ConsentChange.Source.ONE_CLICK,
            at=dt.datetime(2026, 3, 1, 9, 30, tzinfo=dt.UTC),
        ),
    )
]  # fmt: skip


def tell_consents(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, lambda row: [CHANGED] if row.is_new else [])
    rows = ConsentChange.objects.select_related("customer")
    found = rows.in_bulk([item.row.id for item in named])
    for item in named:
        change = found.get(item.row.id)
        if change is not None:
            yield item.told("", _data(change))


def _data(change: ConsentChange) -> ConsentData:
    return ConsentData(
        customer=CustomerRef.of(current(change.customer)), channel=change.channel,
        topic=change.topic, was=change.was, became=change.became,
        source=ConsentChange.Source(change.source), at=change.at,
    )  # fmt: skip
