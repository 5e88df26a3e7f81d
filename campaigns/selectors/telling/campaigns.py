"""What is told outside of campaigns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from campaigns.models import Campaign
from loyalty.selectors.telling.people import PROGRAM
from members.models import OutboxEvent
from members.public_events import EventData, EventType, PublicEvent, named_rows

STARTED, ENDED = "campaign.started", "campaign.ended"
Status = Campaign.Status


class CampaignData(EventData):
    """A campaign began, or has ended. One that is paused and goes on has not begun again."""

    campaign: str = Field(description="The campaign's id in the API: GET /campaigns/{id}.")
    code: str = Field(description="The campaign's code.")
    program: str = Field(description="The program's code.")
    name: str
    template: str = Field(description="What kind of campaign it is, as points-weekend.")
    starts_at: dt.datetime
    ends_at: dt.datetime = Field(description="When it ends, or was to end.")
    ended_at: dt.datetime | None = Field(description="Null: it has not ended.")
    ending: str = Field(description="Why it has ended: over, early or budget; or empty.")


_SAMPLE = CampaignData(
    campaign="6b1f6a52-6f0e-4f3c-8c1e-0d9a5b7c2e31", code="double-points-weekend", program=PROGRAM,
    name="Double points weekend", template="points-weekend",
    starts_at=dt.datetime(2026, 3, 6, 23, tzinfo=dt.UTC),
    ends_at=dt.datetime(2026, 3, 8, 23, tzinfo=dt.UTC), ended_at=None, ending="",
)  # fmt: skip
CAMPAIGN_TYPES = [
    EventType(STARTED, _("A promotion has begun."), CampaignData, _SAMPLE),
    EventType(
        ENDED, _("A promotion has ended."), CampaignData,
        _SAMPLE.model_copy(update={"ended_at": _SAMPLE.ends_at, "ending": "over"}),
    ),
]  # fmt: skip


def tell_campaigns(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, lambda row: _names(row.was, row.became))
    rows = Campaign.objects.select_related("program")
    found = rows.in_bulk([item.row.id for item in named])
    for item in named:
        campaign = found.get(item.row.id)
        if campaign is not None:
            yield item.told(campaign.program.code, _data(campaign))


def _names(was: str | None, became: str) -> list[str]:
    if was == Status.SCHEDULED and became == Status.LIVE:
        return [STARTED]
    return [ENDED] if became == Status.ENDED else []


def _data(campaign: Campaign) -> CampaignData:
    assert campaign.starts_at is not None
    assert campaign.ends_at is not None
    return CampaignData(
        campaign=str(campaign.public_id), code=campaign.code, program=campaign.program.code,
        name=campaign.name, template=campaign.template, starts_at=campaign.starts_at,
        ends_at=campaign.ends_at, ended_at=campaign.ended_at, ending=campaign.ending,
    )  # fmt: skip
