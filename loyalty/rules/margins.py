"""What the shop keeps of each item of an order, where it has said what they cost."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from loyalty.rules.facts import ZERO, Basket, Line

HUNDRED = Decimal(100)


def with_margins(basket: Basket) -> Basket:
    """The basket with the margin of every line whose cost is known, as it is before anything comes
    back. The order's own discount is nobody's in particular, and is left out."""
    if all(line.unit_cost is None for line in basket.lines):
        return basket
    taxed = _share_of_tax(basket)
    lines = (
        replace(line, margin=_margin(line, basket.taxes_included, taxed)) for line in basket.lines
    )
    return replace(basket, lines=tuple(lines))


def _share_of_tax(basket: Basket) -> Fraction:
    """How much of each price is tax, where only the order says how much there is in it."""
    goods = sum((line.total for line in basket.lines), ZERO)
    if not basket.taxes_included or goods <= 0 or any(line.tax for line in basket.lines):
        return Fraction(0)
    return Fraction(basket.tax_total) / Fraction(goods)


def _margin(line: Line, taxes_included: bool, taxed: Fraction) -> Decimal | None:
    """Percent of the price without tax that is left of it without the cost, to a hundredth; halves
    go up."""
    own_tax = line.tax if taxes_included else ZERO
    price = Fraction(line.total) * (1 - taxed) - Fraction(own_tax)
    if line.unit_cost is None or price <= 0 or line.quantity <= 0:
        return None
    kept = 1 - Fraction(line.unit_cost) * Fraction(line.quantity) / price
    return Decimal(math.floor(kept * 10_000 + Fraction(1, 2))) / HUNDRED
