"""What promotions and journeys brought that keep members aside, as the key figures of a program
tell it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from campaigns.comparisons import Compared
from campaigns.models import Campaign, Journey
from campaigns.selectors import campaign_results, journey_results
from campaigns.selectors.journeys import version_in_force
from loyalty.insight_registry import Arms, Comparison
from loyalty.models import Program

# The newest of each.
SHOWN = 6


def campaign_comparisons(program: Program, now: dt.datetime) -> list[Comparison]:
    rows = Campaign.objects.filter(program=program, holdout__gt=0, live_at__isnull=False)
    found = []
    for campaign in rows.select_related("program").order_by("-live_at")[:SHOWN]:
        result = campaign_results.result_of(campaign, now)
        if result.by_orders is None or result.by_revenue is None:
            continue
        found.append(
            Comparison(
                campaign.name, "campaigns_backoffice:campaign", str(campaign.public_id),
                result.reach, result.aside, _arms(result.by_orders), _arms(result.by_revenue),
                Decimal(result.given.money) or None,
            )
        )  # fmt: skip
    return found


def journey_comparisons(program: Program, now: dt.datetime) -> list[Comparison]:
    """What a journey costs is not told: it writes, and what it gives is in other figures."""
    rows = Journey.objects.filter(program=program).exclude(status=Journey.Status.DRAFT)
    found = []
    for journey in rows.select_related("program").order_by("-created_at")[:SHOWN]:
        version = version_in_force(journey)
        if version is None or not version.definition.holdout:
            continue
        result = journey_results.result_of(journey, version.definition.measured_days, now)
        if result.orders is None or result.revenue is None:
            continue
        found.append(
            Comparison(
                journey.name, "messages_backoffice:journey", str(journey.public_id),
                result.led, result.aside, _arms(result.orders), _arms(result.revenue),
            )
        )  # fmt: skip
    return found


def _arms(found: Compared) -> Arms:
    return Arms(found.led, found.aside, found.low, found.high)
