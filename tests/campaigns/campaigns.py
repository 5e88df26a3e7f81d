"""Campaigns for tests."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Sum

from campaigns.campaign_definitions import CampaignDefinition
from campaigns.models import Campaign
from campaigns.services.campaigns import create_campaign, publish_campaign
from loyalty.models import CapCounter, Membership, Program
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


def fresh(campaign: Campaign) -> Campaign:
    return Campaign.objects.select_related("program").get(pk=campaign.pk)


def member(number: str = "c1") -> Membership:
    return Membership.objects.select_related("program", "customer").get(
        customer__external_id=number
    )


def used() -> int:
    return CapCounter.objects.aggregate(sum=Sum("used"))["sum"] or 0
