"""What a customer did before a moment: the numbers that conditions ask about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal

from loyalty.rules.facts import ZERO, Basket

CENT = Decimal("0.01")
MICROSECOND = dt.timedelta(microseconds=1)
DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Behavior:
    """Orders that came to nothing are left out. Money in the shop's currency; `discounts` are those
    of the lines and of the orders, `goods` what the lines cost before them."""

    orders: int = 0
    ordered: Decimal = ZERO
    returned: Decimal = ZERO
    goods: Decimal = ZERO
    discounts: Decimal = ZERO
    first_order_at: dt.datetime | None = None
    last_order_at: dt.datetime | None = None
    categories: frozenset[str] = frozenset()
    activities: Mapping[str, int] = field(default_factory=dict)
    # Percent of those who ever ordered who spent less, as of last night.
    spend_percentile: Decimal | None = None

    @property
    def spend(self) -> Decimal:
        """What they bought and kept."""
        return self.ordered - self.returned

    @property
    def average_order(self) -> Decimal | None:
        return _rounded(self.spend / self.orders) if self.orders else None

    @property
    def purchase_cycle(self) -> Decimal | None:
        """Days from one order to the next, on average; known from the second order on."""
        if self.orders < 2 or self.first_order_at is None or self.last_order_at is None:
            return None
        days = Decimal((self.last_order_at - self.first_order_at) // MICROSECOND) / DAY
        return _rounded(days / (self.orders - 1))

    def overdue(self, now: dt.datetime) -> Decimal | None:
        """How many of their own purchase cycles have passed since the last order."""
        if not self.purchase_cycle or self.last_order_at is None:
            return None
        days = Decimal((now - self.last_order_at) // MICROSECOND) / DAY
        return _rounded(days / self.purchase_cycle)

    @property
    def discount_share(self) -> Decimal | None:
        """Percent of the goods' prices that discounts took off."""
        return _rounded(100 * self.discounts / self.goods) if self.goods > 0 else None

    @property
    def returns_share(self) -> Decimal | None:
        """Percent of what was ordered that came back."""
        return _rounded(100 * self.returned / self.ordered) if self.ordered > 0 else None

    def after(self, basket: Basket, placed_at: dt.datetime) -> Behavior:
        """As it is once an order was placed."""
        first, last = self.first_order_at, self.last_order_at
        discounts = sum((line.discount for line in basket.lines), ZERO) + basket.discount_total
        prices = sum((line.total + line.discount for line in basket.lines), ZERO)
        return replace(
            self,
            orders=self.orders + 1,
            ordered=self.ordered + basket.total,
            goods=self.goods + prices,
            discounts=self.discounts + discounts,
            first_order_at=placed_at if first is None else min(first, placed_at),
            last_order_at=placed_at if last is None else max(last, placed_at),
            categories=self.categories | {line.category for line in basket.lines if line.category},
        )


def _rounded(number: Decimal) -> Decimal:
    return number.quantize(CENT, ROUND_HALF_UP)
