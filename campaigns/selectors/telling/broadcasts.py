"""What is told outside of broadcasts: that one has begun, and that it is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from campaigns.models import Broadcast
from campaigns.selectors.broadcasts import progress_of
from loyalty.selectors.telling.people import PROGRAM
from members.models import OutboxEvent
from members.public_events import EventData, EventType, PublicEvent, named_rows

BEGUN, SENT, STOPPED = "broadcast.begun", "broadcast.sent", "broadcast.stopped"
Status = Broadcast.Status


class BroadcastData(EventData):
    """A broadcast began, or is over. One that is paused and goes on has not begun again."""

    broadcast: str = Field(description="Its id in the API: GET /broadcasts/{id}.")
    program: str = Field(description="The program's code; empty: it is for customers of all.")
    name: str
    topic: str
    begun_at: dt.datetime
    ended_at: dt.datetime | None = Field(description="Null: it is being sent.")
    audience: int = Field(description="How many it is for.")
    settled: int = Field(description="How many of these had their turn.")
    held_out: int = Field(description="How many were kept aside, to compare with.")


_SAMPLE = BroadcastData(
    broadcast="0d5c2a11-8e0b-4f2d-9b60-5a7e3c1d2f40", program=PROGRAM, name="Spring is here",
    topic="offers", begun_at=dt.datetime(2026, 3, 6, 9, tzinfo=dt.UTC), ended_at=None,
    audience=1_900, settled=0, held_out=100,
)  # fmt: skip
_OVER = {"ended_at": dt.datetime(2026, 3, 6, 10, tzinfo=dt.UTC)}
BROADCAST_TYPES = [
    EventType(BEGUN, _("A broadcast is being sent."), BroadcastData, _SAMPLE),
    EventType(
        SENT, _("All messages of a broadcast went out, or were not to."), BroadcastData,
        _SAMPLE.model_copy(update={**_OVER, "settled": 1_900}),
    ),
    EventType(
        STOPPED, _("A broadcast was stopped before all had it."), BroadcastData,
        _SAMPLE.model_copy(update={**_OVER, "settled": 700}),
    ),
]  # fmt: skip


def tell_broadcasts(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, lambda row: _names(row.was, row.became))
    found = Broadcast.objects.select_related("program").in_bulk([item.row.id for item in named])
    for item in named:
        row = found.get(item.row.id)
        if row is not None:
            data = _data(row)
            yield item.told(data.program, data)


def _names(was: str | None, became: str) -> list[str]:
    if was == Status.SCHEDULED and became == Status.SENDING:
        return [BEGUN]
    return {Status.SENT.value: [SENT], Status.STOPPED.value: [STOPPED]}.get(became, [])


def _data(row: Broadcast) -> BroadcastData:
    assert row.begun_at is not None
    far = progress_of(row)
    return BroadcastData(
        broadcast=str(row.public_id), program=row.program.code if row.program else "",
        name=row.name, topic=row.topic, begun_at=row.begun_at, ended_at=row.ended_at,
        audience=far.audience, settled=far.settled, held_out=far.aside,
    )  # fmt: skip
