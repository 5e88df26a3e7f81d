"""What is told outside of journeys: who has begun one, and who has left it, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from campaigns.models import Passage
from loyalty.selectors.telling.people import SAMPLE_MEMBER, MemberData, member_values
from members.models import OutboxEvent
from members.models.telling import ToldRow
from members.public_events import EventType, PublicEvent, named_rows

ENTERED, LEFT = "journey.entered", "journey.left"


class JourneyData(MemberData):
    """A member's way through a journey. Who is kept aside to compare with is not told of."""

    journey: str = Field(description="Its id in the API: GET /journeys/{id}.")
    name: str = Field(description="What it is called.")
    trigger: str = Field(description="What begins it.")
    entered_at: dt.datetime
    left_at: dt.datetime | None = Field(description="Null: they are on their way.")
    why: str = Field(description="Why they left, as a code; or empty.")


_SAMPLE = JourneyData(
    **SAMPLE_MEMBER, journey="5e0c7a52-1f5b-4d3e-9c51-7d2a4b6c8e10", name="Welcome series",
    trigger="joined", entered_at=dt.datetime(2026, 3, 1, 9, 30, tzinfo=dt.UTC), left_at=None,
    why="",
)  # fmt: skip
_OVER = {"left_at": dt.datetime(2026, 3, 11, 9, tzinfo=dt.UTC), "why": "finished"}
JOURNEY_TYPES = [
    EventType(ENTERED, _("A member has begun a journey."), JourneyData, _SAMPLE),
    EventType(
        LEFT, _("A member has come to the end of a journey, or left it before."), JourneyData,
        _SAMPLE.model_copy(update=_OVER),
    ),
]  # fmt: skip


def tell_passages(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, _names)
    rows = Passage.objects.select_related("journey", "membership__program", "membership__customer")
    found = rows.in_bulk([item.row.id for item in named])
    for item in named:
        passage = found[item.row.id]
        if not passage.held_out:
            yield item.told(passage.membership.program.code, _data(passage))


def _names(row: ToldRow) -> list[str]:
    if row.is_new:
        return [ENTERED] if row.became == Passage.State.ACTIVE else []
    return [LEFT] if row.became == Passage.State.DONE else []


def _data(passage: Passage) -> JourneyData:
    journey = passage.journey
    return JourneyData(
        **member_values(passage.membership), journey=str(journey.public_id), name=journey.name,
        trigger=journey.trigger, entered_at=passage.entered_at, left_at=passage.left_at,
        why=passage.why,
    )  # fmt: skip
