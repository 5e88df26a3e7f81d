"""What is used of budgets of money off prices: what carts hold, what orders have, and what orders
took off beyond it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from decimal import Decimal

from django.db.models import F, Q, Sum

from campaigns.campaign_rules import budget_off_prices
from campaigns.models import Campaign
from campaigns.selectors.campaigns import Budget, units_budgets
from loyalty.models import DiscountBudget

ZERO = Decimal(0)


def budget_of(campaign: Campaign) -> Budget | None:
    """In units, or in money for what is taken off prices."""
    return budgets_of([campaign]).get(campaign.pk)


def budgets_of(found: Collection[Campaign]) -> dict[int, Budget]:
    """The same of several, by key."""
    return units_budgets(found) | money_budgets(found)


def money_budgets(found: Iterable[Campaign]) -> dict[int, Budget]:
    """Of those that take something off prices within a budget, by key; in one query."""
    limited = {item.source: item for item in found if budget_off_prices(item) is not None}
    if not limited:
        return {}
    rows = DiscountBudget.objects.filter(source__in=limited).annotate(
        held=Sum("uses__amount", filter=Q(uses__held_until__isnull=False), default=ZERO),
        beyond=Sum(F("uses__asked") - F("uses__amount"), default=ZERO),
    )
    kept = {
        row.source: Budget(row.used, row.amount, held=row.held, uncovered=row.beyond)
        for row in rows
    }
    return {
        item.pk: kept.get(source) or Budget(ZERO, budget_off_prices(item) or ZERO)
        for source, item in limited.items()
    }
