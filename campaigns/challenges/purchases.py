"""What somebody bought and kept, as challenges count it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from loyalty.rules.amounts import as_decimal
from loyalty.rules.basket import SMALLEST, net_basket
from loyalty.rules.body_parts import BasePolicy, LineFilter
from loyalty.rules.facts import ZERO, Basket, Return
from loyalty.rules.reckoning import Reckoner, whole_yardstick

# Prices after discounts, without tax and shipping; what points paid for does not count.
_ALL = whole_yardstick(BasePolicy())


@dataclass(frozen=True, slots=True)
class Item:
    """A line of what was kept; `amount` is what counts of its price."""

    amount: Decimal
    quantity: Decimal = Decimal(1)
    sku: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()

    @property
    def was_kept(self) -> bool:
        return self.quantity > 0 or self.amount > 0


@dataclass(frozen=True, slots=True)
class Purchase:
    """An order without what came back. `key` tells orders of the same instant apart."""

    at: dt.datetime
    key: int
    items: tuple[Item, ...]

    def of(self, only: LineFilter) -> tuple[Item, ...]:
        """The items that a step is about."""
        if not only.names_lines:
            return self.items
        return tuple(
            item
            for item in self.items
            if item.category in only.categories
            or item.sku in only.skus
            or not set(only.tags).isdisjoint(item.tags)
        )

    def kept(self, only: LineFilter) -> tuple[Item, ...]:
        return tuple(item for item in self.of(only) if item.was_kept)

    def amount(self, only: LineFilter) -> Decimal:
        """What these items come to; never below zero."""
        return max(sum((item.amount for item in self.of(only)), ZERO), ZERO)


def purchase_of(key: int, at: dt.datetime, basket: Basket, returns: Sequence[Return]) -> Purchase:
    """What is left of an order after what came back of it."""
    kept = net_basket(basket, returns)
    measured = Reckoner(kept).money(_ALL)
    parts = zip(kept.lines, measured.parts, strict=False)
    items = tuple(
        Item(
            as_decimal(part, measured.per).quantize(SMALLEST), line.quantity, line.sku,
            line.category, line.tags,
        )
        for line, part in parts
        if not line.stored_value
    )  # fmt: skip
    return Purchase(at, key, items)
