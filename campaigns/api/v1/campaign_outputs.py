"""A promotion as the API shows it."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal
from uuid import UUID

from django.utils import timezone
from pydantic import Field

from campaigns.campaign_definitions import campaign_as_said, codes_of
from campaigns.campaign_words import campaign_sentences
from campaigns.models import Campaign
from campaigns.selectors.campaigns import status_at
from members.api.bodies import Answer


class CampaignCodesOut(Answer):
    """The code that it takes."""

    kind: Literal["shared", "single"] = Field(
        description="One word that all type, or many codes that are used once each."
    )
    word: str = Field(description="Empty: there are many.")
    most_uses: int | None = Field(description="Of the word in all. Null: no limit.")
    per_member: int | None = Field(description="Orders of one member. Null: no limit.")
    shown: bool = Field(description="Whether members read of it on their pages.")


class CampaignOut(Answer):
    id: UUID
    program: str
    code: str
    name: str
    template: str = Field(description="What kind it is, as points-weekend.")
    status: Campaign.Status = Field(description="As of now, by its times.")
    goal: str
    sentences: list[str] = Field(description="What it gives, to whom and when, in words.")
    title: str = Field(description="What members read.")
    text: str
    teaser: str
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    ended_at: dt.datetime | None
    holdout: int = Field(description="Percent of the audience who do not get it.")
    revision: int = Field(description="Counted up with everything that becomes of it.")
    codes: CampaignCodesOut | None = Field(description="Null: it takes no code.")
    definition: dict[str, Any] = Field(description="All that is said of it, as PUT takes it.")


def campaign_out(campaign: Campaign) -> CampaignOut:
    names = ("code", "name", "template", "goal", "title", "text", "teaser", "starts_at", "ends_at",
             "ended_at", "holdout", "revision")  # fmt: skip
    return CampaignOut(
        id=campaign.public_id, program=campaign.program.code,
        sentences=campaign_sentences(campaign),
        status=Campaign.Status(status_at(campaign, timezone.now())), codes=_codes(campaign),
        definition=campaign_as_said(campaign),
        **{name: getattr(campaign, name) for name in names},
    )  # fmt: skip


def _codes(campaign: Campaign) -> CampaignCodesOut | None:
    codes = codes_of(campaign)
    return CampaignCodesOut(**codes.model_dump()) if codes.asked else None
