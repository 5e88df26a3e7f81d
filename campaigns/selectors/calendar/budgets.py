"""What campaigns of a quarter may cost together, beside what the quarter has for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from decimal import Decimal

from django.utils.translation import gettext as _

from campaigns.calendar_entries import Conflict, Entry
from campaigns.campaign_rules import template_of, unit_of
from campaigns.models import Campaign, QuarterPlan
from loyalty.models import Program
from members.errors import DomainError
from members.formatting import format_money


def most_cost(campaign: Campaign) -> Decimal | None:
    """What its own budget lets it cost; None: it has none, or none in money."""
    if campaign.budget_money is not None:
        return campaign.budget_money
    if campaign.budget_units is None or not template_of(campaign).limits_units:
        return None
    with suppress(DomainError):
        return campaign.budget_units * (unit_of(campaign).unit_value or Decimal(0))
    return None


def budget_conflicts(program: Program, own: Sequence[Entry]) -> Iterator[Conflict]:
    """Quarters whose campaigns may together cost more than there is."""
    named = {item.facts["campaign"]: item for item in own if "campaign" in item.facts}
    plans = {
        (plan.year, plan.quarter): plan
        for plan in QuarterPlan.objects.filter(program=program, budget__isnull=False)
    }
    if not plans or not named:
        return
    rows = Campaign.objects.filter(pk__in=list(named)).select_related("program")
    by_quarter: dict[tuple[int, int], list[Campaign]] = {}
    for row in rows.prefetch_related("program__wallet_types"):
        first = named[row.pk].first
        by_quarter.setdefault((first.year, (first.month + 2) // 3), []).append(row)
    for (year, number), plan in plans.items():
        costs = {row: most_cost(row) for row in by_quarter.get((year, number), [])}
        found = [row for row, cost in costs.items() if cost]
        whole = sum((costs[row] or Decimal(0) for row in found), Decimal(0))
        if plan.budget is None or whole <= plan.budget:
            continue
        said = {
            "quarter": f"{year}/{number}", "whole": format_money(whole, program.currency),
            "budget": format_money(plan.budget, program.currency),
        }  # fmt: skip
        words = _("Budgets of quarter %(quarter)s: %(whole)s in all, of %(budget)s") % said
        yield Conflict("budget", frozenset(named[row.pk].key for row in found), words)
