"""What of a campaign comes again each week: its days and hours, by the clocks of its program."""

from __future__ import annotations

from campaigns.campaign_definitions import offer_of
from campaigns.campaign_rules import template_of
from campaigns.models import Campaign
from campaigns.offers import Offer
from members.conditions.values import WEEKDAYS
from members.formatting import format_clock, format_list, format_weekdays


def weekdays_of(campaign: Campaign) -> frozenset[int]:
    """The days on which it counts, of which Monday is 0; none: on all of them."""
    return frozenset(WEEKDAYS.index(name) for name in _asked(campaign).weekdays)


def recurring_words(campaign: Campaign) -> str:
    """Such as "Friday, 4:00 PM – 8:00 PM"; empty where it counts all the time."""
    offer, days = _asked(campaign), weekdays_of(campaign)
    found = [format_weekdays(days)] if days else []
    if offer.from_time is not None and offer.until_time is not None:
        found.append(f"{format_clock(offer.from_time)} – {format_clock(offer.until_time)}")
    return format_list(found)


def _asked(campaign: Campaign) -> Offer:
    """Without an answer where its template asks for none."""
    return offer_of(campaign) if "weekdays" in template_of(campaign).asks else Offer()
