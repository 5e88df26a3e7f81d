"""The demonstration's year: its seasons, what its quarters shall come to, drafts for the weeks
ahead, and what two of them will likely cost."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from campaigns.campaign_definitions import CampaignDefinition
from campaigns.models import Campaign, Season
from campaigns.selectors.seasons import Quarter, quarters
from campaigns.services.campaign_forecasts import forecast_campaign
from campaigns.services.campaigns import create_campaign
from campaigns.services.seasons import SeasonTerms, plan_quarter, save_season
from loyalty.demo.parts import register_demo_part
from loyalty.models import Program
from loyalty.rules.calendar import start_of_day
from loyalty.services.backtest_runs import run_backtest
from members.services.audit import SYSTEM

# After the promotions, in the order of names.
PART = "told_campaigns_year"
SEASONS = (
    SeasonTerms("New year", "day", month=1, day=2, days=14, template="nth-order"),
    SeasonTerms("Easter", "easter", shift=-9, days=10, template="spend-get"),
    SeasonTerms("Grilling season", "day", month=6, day=1, days=21, template="boost"),
    SeasonTerms("Back to school", "day", month=8, day=24, days=14, template="points-weekend"),
    SeasonTerms("Harvest", "day", month=9, day=20, days=16, template="big-weekend"),
    SeasonTerms("Thanksgiving", "weekday", month=11, weekday=3, nth=4, shift=-8, days=9,
                template="spend-get"),
    SeasonTerms("Before Christmas", "day", month=12, day=4, days=20, template="points-weekend"),
)  # fmt: skip
AIMS = ("Bring back who came before Christmas", "A second visit in each week",
        "Keep the summer guests", "The best quarter: gifts and gatherings")  # fmt: skip
# Name, template, from so many days ahead for so many days, and what else is said.
DRAFTS: tuple[tuple[str, str, int, int, dict[str, Any]], ...] = (
    ("Slow Tuesdays", "happy-hours", 4, 21,
     {"goal": "Fill the quiet hours",
      "offer": {"weekdays": ["tuesday"], "from_time": "14:00", "until_time": "17:00"}}),
    ("Cocoa and candles", "boost", 8, 9,
     {"offer": {"factor": 2, "categories": ["GROCERY"]}, "budget_money": 40,
      "goal": "More in each basket", "tells": ["begun"]}),
    ("Double Acorns again", "points-weekend", 9, 3,
     {"goal": "A second weekend, if the first one pays", "tells": ["begun", "last_day"]}),
    ("Welcome, new year", "nth-order", 38, 14, {"offer": {"number": 2, "units": 120}}),
    ("Stock up", "off-by-basket", 66, 10,
     {"offer": {"brackets": [{"above": 30, "percent": 5}, {"above": 60, "percent": 10}]},
      "budget_money": 150}),
)  # fmt: skip


def register() -> None:
    """Called once, when the application is ready."""
    register_demo_part(PART, show_year)


def show_year(program: Program) -> None:
    """Made once, however often the demonstration is loaded."""
    if Season.objects.filter(program=program).exists():
        return
    now = timezone.now()
    with transaction.atomic():
        for terms in SEASONS:
            save_season(program=program, terms=terms, actor=SYSTEM)
        today = now.astimezone(program.zone).date()
        for year in (today.year, today.year + 1):
            _plan(program, year)
        drafts = [_draft(program, *said, now=now) for said in DRAFTS]
    # One that gives units, and one that takes something off prices.
    for draft in (drafts[1], drafts[4]):
        backtest = forecast_campaign(campaign=draft, actor=SYSTEM, now=now)
        if backtest.job_id is not None:
            run_backtest(backtest.job_id)


def _plan(program: Program, year: int) -> None:
    found = quarters(program, year)
    most = max([*(item.revenue for item in found), Decimal(1000)])
    for item, aim in zip(found, AIMS, strict=True):
        revenue = _aim(item, most)
        plan_quarter(
            program=program, year=year, quarter=item.number, aim=aim, revenue=revenue,
            budget=(revenue / 50).quantize(Decimal(10)), actor=SYSTEM,
        )  # fmt: skip


def _aim(quarter: Quarter, most: Decimal) -> Decimal:
    """A little more than there was, in hundreds."""
    base = quarter.revenue if quarter.revenue > most / 4 else most
    return (base * Decimal("1.08")).quantize(Decimal(1)) // 100 * 100 + 100


def _draft(
    program: Program, name: str, template: str, ahead: int, days: int, said: dict[str, Any], *,
    now: dt.datetime,
) -> Campaign:  # fmt: skip
    first = now.astimezone(program.zone).date() + dt.timedelta(days=ahead)
    definition = CampaignDefinition.model_validate(
        {
            "name": name, "template": template, "title": name,
            "starts_at": start_of_day(first, program.zone),
            "ends_at": start_of_day(first + dt.timedelta(days=days), program.zone), **said,
        }
    )  # fmt: skip
    return create_campaign(program=program, definition=definition, actor=SYSTEM, now=now)
