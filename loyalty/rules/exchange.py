"""Orders in another currency than the program's: what they come to in its own.

A basket is converted as a whole, after what was given back of it was taken off. The total is
rounded to the smallest coin, a half up, and its parts share out what that is, so that they add up
to it: each is rounded down, and the coins that are left go to those that lost most.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from typing import Literal

from loyalty.rules.facts import NOTHING, ZERO, Basket, Line, Occasion

# How many digits behind the point a rate has that is worked out.
RATE_STEP = Decimal("0.0000000001")
# Amounts of 18 digits times rates of 20 are exact, and so are their sums.
_EXACT = Context(prec=60)

Source = Literal["order", "table"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """By which rate an order counts in a currency: one of `given` is `rate` of `wanted`, which has
    so many `digits` behind the point. `dated`: the day of the rate in the table. `told_by`: who
    published it, or what told it. `inverse`: it is one through the rate of the other direction."""

    given: str
    wanted: str
    rate: Decimal
    digits: int
    source: Source
    dated: dt.date | None = None
    told_by: str = ""
    inverse: bool = False
    row_id: int | None = None

    @property
    def coin(self) -> Decimal:
        return Decimal(1).scaleb(-self.digits)

    def exactly(self, amount: Decimal) -> Decimal:
        return _EXACT.multiply(amount, self.rate)

    def amount(self, amount: Decimal) -> Decimal:
        """To the smallest coin; a half goes up, as the database rounds."""
        return self.exactly(amount).quantize(self.coin, ROUND_HALF_UP, _EXACT)


def inverse_of(rate: Decimal) -> Decimal:
    """What one of the other currency is: to ten digits, a half to the even one."""
    return (Decimal(1) / rate).quantize(RATE_STEP, ROUND_HALF_EVEN)


def converted(basket: Basket, exchange: Exchange) -> Basket:
    """The basket in the other currency; its parts add up to its total."""
    if basket is NOTHING:
        return basket
    tax_on_top = ZERO if basket.taxes_included else basket.tax_total
    parts = [line.total for line in basket.lines]
    parts += [basket.shipping_total, -basket.discount_total, tax_on_top]
    *totals, shipping, discount, tax = _shared(parts, exchange.amount(basket.total), exchange)
    if basket.taxes_included:
        tax = exchange.amount(basket.tax_total)
    taxes = _taxes(basket, tax, exchange)
    return Basket(
        lines=tuple(
            _line(line, total, own, exchange)
            for line, total, own in zip(basket.lines, totals, taxes, strict=True)
        ),
        tax_total=tax,
        taxes_included=basket.taxes_included,
        shipping_total=shipping,
        discount_total=-discount,
        paid_units=exchange.amount(basket.paid_units),
        paid_stored_value=exchange.amount(basket.paid_stored_value),
    )


def as_counted(occasion: Occasion, exchange: Exchange | None) -> Occasion:
    """An order as a program of another currency sees it; without a rate as it is."""
    if exchange is None:
        return occasion
    told = occasion.basket
    return replace(occasion, basket=converted(told, exchange), exchange=exchange, as_told=told)


def _line(line: Line, total: Decimal, tax: Decimal, exchange: Exchange) -> Line:
    return replace(
        line,
        total=total,
        discount=exchange.amount(line.discount),
        tax=tax,
        unit_cost=None if line.unit_cost is None else exchange.exactly(line.unit_cost),
        # Only what the order's discount is shared out by.
        ordered=None if line.ordered is None else exchange.exactly(line.ordered),
    )


def _taxes(basket: Basket, whole: Decimal, exchange: Exchange) -> list[Decimal]:
    """The taxes of the lines; with what the order has beyond theirs they add up to its tax."""
    own = [line.tax for line in basket.lines]
    if not any(own):
        return own
    *taxes, _beyond = _shared([*own, basket.tax_total - sum(own, ZERO)], whole, exchange)
    return taxes


def _shared(parts: Sequence[Decimal], whole: Decimal, exchange: Exchange) -> list[Decimal]:
    """Amounts in the other currency that add up to `whole`, each less than a coin from exact."""
    coin = exchange.coin
    exact = [exchange.exactly(part) for part in parts]
    found = [amount.quantize(coin, ROUND_FLOOR, _EXACT) for amount in exact]
    left = int((whole - sum(found, ZERO)) / coin)
    lost = sorted(
        (place for place, amount in enumerate(exact) if amount != found[place]),
        key=lambda place: (found[place] - exact[place], place),
    )
    for place in lost[:left]:
        found[place] += coin
    return found
