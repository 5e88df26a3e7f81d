"""What promotions and journeys brought that keep members aside, as the key figures of a program
tell it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Exists, OuterRef

from campaigns.models import Campaign, Journey, JourneyVersion
from campaigns.selectors import campaign_results, journey_results
from campaigns.selectors.journeys import InForce, version_in_force
from loyalty.insight_registry import Comparison, Controls
from loyalty.lifts import cost_of_purchase
from loyalty.models import Program

# The newest of each that tell something, and how many are looked at for them.
SHOWN, LOOKED_AT = 6, 30


def campaign_comparisons(program: Program, now: dt.datetime) -> Controls:
    rows = Campaign.objects.filter(program=program, holdout__gt=0, live_at__isnull=False)
    newest = rows.select_related("program").order_by("-live_at", "-pk")[:LOOKED_AT]
    return _controls(_of_campaign(campaign, now) for campaign in newest)


def journey_comparisons(program: Program, now: dt.datetime) -> Controls:
    """What a journey costs is not told: it writes, and what it gives is in other figures."""
    rows = Journey.objects.filter(program=program).exclude(status=Journey.Status.DRAFT)
    aside = JourneyVersion.objects.filter(
        journey=OuterRef("pk"), published_at__isnull=False, body__holdout__gt=0
    )
    newest = rows.filter(Exists(aside)).select_related("program").order_by("-created_at", "-pk")
    return _controls(
        _of_journey(version, now)
        for journey in newest[:LOOKED_AT]
        if (version := version_in_force(journey)) is not None and version.definition.holdout
    )


def measured_cost(campaign: Campaign, now: dt.datetime) -> Decimal | None:
    """What one order costs that there would not have been without it. None: those kept aside do not
    tell."""
    found = _of_campaign(campaign, now)
    return None if found is None else cost_of_purchase(found)


def _controls(newest: Iterable[Comparison | None]) -> Controls:
    """The first of them that tell something; none is looked at after these."""
    found: list[Comparison] = []
    too_small = 0
    for item in newest:
        if item is None:
            too_small += 1
            continue
        found.append(item)
        if len(found) == SHOWN:
            break
    return Controls(found, too_small)


def _of_campaign(campaign: Campaign, now: dt.datetime) -> Comparison | None:
    """None: too few are on either side."""
    result = campaign_results.result_of(campaign, now)
    if result.by_orders is None or result.by_revenue is None:
        return None
    return Comparison(
        campaign.name, "campaigns_backoffice:campaign", str(campaign.public_id),
        result.reach, result.aside, result.by_orders, result.by_revenue, result.by_value,
        Decimal(result.given.money) or None,
    )  # fmt: skip


def _of_journey(found: InForce, now: dt.datetime) -> Comparison | None:
    """None: too few are on either side."""
    journey = found.journey
    result = journey_results.result_of(journey, found.definition.measured_days, now)
    if result.orders is None or result.revenue is None:
        return None
    return Comparison(
        journey.name, "messages_backoffice:journey", str(journey.public_id),
        result.led, result.aside, result.orders, result.revenue, result.values,
    )  # fmt: skip
