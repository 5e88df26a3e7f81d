"""What promotions and challenges brought that kept members aside, for the economics of programs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Q
from django.urls import reverse

from campaigns.comparisons import LEAST_EACH, compare_revenue
from campaigns.models import Campaign
from campaigns.selectors.campaign_results import arms_of
from loyalty.holdouts import Holdout, register_holdouts
from loyalty.insight_registry import Compared
from loyalty.models import Program

WORD = "campaign"
# The newest of the last year: what was longer ago says little of today.
MOST, LATELY = 5, dt.timedelta(days=365)


def register() -> None:
    """Called once, when the application is ready."""
    register_holdouts(WORD, measure, find)


def measure(program: Program, now: dt.datetime) -> list[Holdout]:
    """Those with enough members on either side; one query for each, and few of them."""
    aside = Q(members__held_out=True)
    found = (
        Campaign.objects.filter(program=program, holdout__gt=0, live_at__gte=now - LATELY)
        .annotate(led=Count("members", filter=~aside), aside=Count("members", filter=aside))
        .filter(led__gte=LEAST_EACH, aside__gte=LEAST_EACH)
        .select_related("program")
    )
    return list(_measured(list(found.order_by("-live_at")[:MOST]), now))


def find(program: Program, own: str) -> tuple[str, str] | None:
    try:
        key = UUID(own)
    except ValueError:
        return None
    if own != str(key):
        return None
    found = Campaign.objects.filter(holdout__gt=0, live_at__isnull=False)
    campaign = found.filter(program=program, public_id=key).first()
    return (campaign.name, _page(campaign)) if campaign else None


def _measured(campaigns: list[Campaign], now: dt.datetime) -> Iterator[Holdout]:
    for campaign in campaigns:
        led, aside = arms_of(campaign, now)
        if min(led.size, aside.size) < LEAST_EACH:
            continue
        revenue = compare_revenue(led, aside)
        # Where all spent alike, on either side, nothing says how sure the difference is.
        if revenue.low < revenue.high:
            yield _holdout(campaign, (led.size, aside.size), revenue, now)


def _holdout(
    campaign: Campaign, counts: tuple[int, int], revenue: Compared, now: dt.datetime
) -> Holdout:
    since = campaign.live_at or now
    until = min(now, campaign.ended_at or campaign.ends_at or now)
    zone = campaign.program.zone
    return Holdout(
        f"{WORD}-{campaign.public_id}", campaign.name, _page(campaign),
        since.astimezone(zone).date(), until.astimezone(zone).date(), *counts,
        difference=_money(revenue.difference), low=_money(revenue.low), high=_money(revenue.high),
    )  # fmt: skip


def _money(number: float) -> Decimal:
    """Statistics are worked out in floats; what they say of money is exact to the hundredth."""
    return Decimal(f"{number:.2f}")


def _page(campaign: Campaign) -> str:
    # It leads on to that of a challenge.
    return reverse("campaigns_backoffice:campaign", args=[campaign.public_id])
