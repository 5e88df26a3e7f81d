"""A campaign as members see it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from campaigns.campaign_definitions import codes_of
from campaigns.campaign_rules import template_of
from campaigns.campaign_words import told_campaign
from campaigns.models import Campaign
from campaigns.recurring import recurring_words


@dataclass(frozen=True, slots=True)
class CampaignCard:
    """What a member reads of one. `at`: when it begins, of one that is to come, else when it
    ends."""

    title: str
    text: str
    icon: str
    is_coming: bool
    at: dt.datetime
    counts_down: bool
    # What is to be typed at the checkout; empty: nothing, or a code of their own.
    code: str = ""
    # On which days and hours it counts, where it comes again; empty: all the time.
    recurring: str = ""
    # Whether it takes a code that they have from elsewhere.
    by_own_code: bool = False


def card_of(campaign: Campaign, now: dt.datetime, locale: str = "") -> CampaignCard:
    """Of one that has its times."""
    assert campaign.starts_at is not None
    assert campaign.ends_at is not None
    told, template = told_campaign(campaign, locale), template_of(campaign)
    codes = codes_of(campaign)
    coming = campaign.starts_at > now
    at = campaign.starts_at if coming else campaign.ends_at
    return CampaignCard(
        title=(told.teaser or told.title) if coming else told.title,
        text="" if coming else told.text, icon=template.icon, is_coming=coming, at=at,
        counts_down=template.countdown or at - now < dt.timedelta(days=2),
        code=codes.word if codes.kind == "shared" and not coming else "",
        recurring=recurring_words(campaign),
        by_own_code=codes.kind == "single" and not coming,
    )  # fmt: skip
