"""Campaigns for tests."""

from __future__ import annotations

import datetime as dt
from typing import Any

from campaigns.campaign_definitions import CampaignDefinition
from campaigns.models import Campaign
from campaigns.services.campaigns import create_campaign, publish_campaign
from loyalty.models import Program
from members.services.audit import SYSTEM
from tests.loyalty.factories import NOW

DAY = dt.timedelta(days=1)


def draft(program: Program, template: str = "points-weekend", **said: Any) -> Campaign:
    """From an hour before now for a week, if nothing else is said."""
    values: dict[str, Any] = {
        "name": "Spring", "title": "Spring points", "template": template,
        "starts_at": NOW - dt.timedelta(hours=1), "ends_at": NOW + 7 * DAY,
    }  # fmt: skip
    definition = CampaignDefinition.model_validate(values | said)
    return create_campaign(program=program, definition=definition, actor=SYSTEM, now=NOW - DAY)


def launch(
    program: Program, template: str = "points-weekend", *, at: dt.datetime = NOW - DAY, **said: Any
) -> Campaign:
    """Planned a day ago."""
    return publish_campaign(campaign=draft(program, template, **said), actor=SYSTEM, now=at)
