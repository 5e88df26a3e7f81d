"""What orders have of the budgets of discount rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from loyalty.codes_asked import order_holder
from loyalty.models import DiscountBudgetUse, Order


@dataclass(frozen=True, slots=True)
class Borne:
    """What is off an order's prices within budgets, less what came back, and what they bear of
    it."""

    asked: Decimal
    amount: Decimal

    @property
    def uncovered(self) -> Decimal:
        return self.asked - self.amount


def borne_of(orders: Iterable[Order]) -> dict[int, Borne]:
    """By order, of those that have something to do with a budget; in one query."""
    holders = {order_holder(order.source, order.external_id): order.pk for order in orders}
    if not holders:
        return {}
    found = DiscountBudgetUse.objects.filter(holder__in=holders).order_by()
    sums = found.values_list("holder").annotate(Sum("asked"), Sum("amount"))
    return {holders[holder]: Borne(asked, amount) for holder, asked, amount in sums}
