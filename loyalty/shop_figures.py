"""A shop as advice on programs looks at it: how often people buy, what is left of the price,
how much the customers differ, and how simple it should be."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from loyalty.purchase_habits import Habits
from members.formatting import format_number, format_percent

Simplicity = Literal["simple", "balanced", "rich"]
Customers = Literal["people", "both", "companies"]
Frequency = Literal["seldom", "sometimes", "often", "always"]
Margin = Literal["thin", "usual", "fat"]
Differences = Literal["even", "usual", "steep", "unknown"]
Baskets = Literal["alike", "mixed"]


@dataclass(frozen=True, slots=True)
class Shop:
    """What the advice is given on. `orders`: of a buyer in a year, on average; `margin`: of the
    price, between 0 and 1; `top_share`: of what the best fifth of the buyers brings in;
    `basket_ratio`: how many times a large basket is a small one; `categories`: that were
    bought of; `customers`: whom it sells to. None: not known."""

    orders: Decimal
    margin: Decimal
    simplicity: Simplicity = "balanced"
    top_share: Decimal | None = None
    basket_ratio: Decimal | None = None
    categories: int = 0
    customers: Customers = "people"

    @classmethod
    def of(
        cls, habits: Habits, margin: Decimal, simplicity: Simplicity,
        customers: Customers = "people",
    ) -> Shop:  # fmt: skip
        low, high = habits.basket.low, habits.basket.high
        return cls(
            orders=habits.in_a_year(habits.mean_orders),
            margin=margin,
            simplicity=simplicity,
            top_share=habits.top_share,
            basket_ratio=high / low if low > 0 and not habits.estimated else None,
            categories=len(habits.categories),
            customers=customers,
        )

    @property
    def frequency(self) -> Frequency:
        if self.orders < Decimal("2.5"):
            return "seldom"
        if self.orders < 6:
            return "sometimes"
        return "often" if self.orders < 24 else "always"

    @property
    def profit(self) -> Margin:
        if self.margin < Decimal("0.15"):
            return "thin"
        return "usual" if self.margin < Decimal("0.5") else "fat"

    @property
    def differences(self) -> Differences:
        if self.top_share is None:
            return "unknown"
        if self.top_share < Decimal("0.45"):
            return "even"
        return "usual" if self.top_share < Decimal("0.65") else "steep"

    @property
    def baskets(self) -> Baskets:
        alike = self.basket_ratio is not None and self.basket_ratio <= Decimal("2.5")
        return "alike" if alike else "mixed"


# Figures of the shop as reasons say them.


def orders_words(shop: Shop) -> str:
    return format_number(shop.orders.quantize(Decimal("0.1")).normalize())


def top_words(shop: Shop) -> str:
    return format_percent(shop.top_share or 0, digits=0)


def margin_words(shop: Shop) -> str:
    return format_percent(shop.margin, digits=0)
