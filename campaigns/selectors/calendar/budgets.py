"""What campaigns of a quarter may cost together, beside what the quarter has for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal

from django.db.models import Q
from django.utils.translation import gettext as _

from campaigns.calendar_entries import Conflict, Entry
from campaigns.campaign_rules import template_of, unit_of
from campaigns.models import Campaign, QuarterPlan
from campaigns.selectors.seasons import quarter_of, quarter_span
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
    by_quarter = _by_quarter(program, named, {quarter_of(item.first) for item in named.values()})
    for (year, number), plan in plans.items():
        costs = {row: most_cost(row) for row in by_quarter[year, number]}
        found = [row for row, cost in costs.items() if cost and row.pk in named]
        whole = sum((cost or Decimal(0) for cost in costs.values()), Decimal(0))
        if plan.budget is None or whole <= plan.budget or not found:
            continue
        said = {
            "quarter": f"{year}/{number}", "whole": format_money(whole, program.currency),
            "budget": format_money(plan.budget, program.currency),
        }  # fmt: skip
        words = _("Budgets of quarter %(quarter)s: %(whole)s in all, of %(budget)s") % said
        yield Conflict("budget", frozenset(named[row.pk].key for row in found), words)


def _by_quarter(
    program: Program, named: Mapping[object, Entry], wanted: Collection[tuple[int, int]]
) -> Mapping[tuple[int, int], list[Campaign]]:
    """What begins in these quarters and is not over, whether or not the calendar shows it; what it
    shows as it shows it, since that may be looked at as if it were moved."""
    spans = [quarter_span(*quarter) for quarter in wanted]
    rows = Campaign.objects.filter(
        Q(starts_at__gte=min(span.since for span in spans),
          starts_at__lt=max(span.until for span in spans)) | Q(pk__in=list(named)),
        program=program,
    ).exclude(status=Campaign.Status.ENDED)  # fmt: skip
    found: defaultdict[tuple[int, int], list[Campaign]] = defaultdict(list)
    for row in rows.select_related("program").prefetch_related("program__wallet_types"):
        assert row.starts_at is not None
        there = named[row.pk].first if row.pk in named else None
        first = there or row.starts_at.astimezone(program.zone).date()
        found[quarter_of(first)].append(row)
    return found
