"""What the engine is told about an order. Plain values: no database, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Line:
    """One line as charged. `total` is after the line's own discount; money in the order's
    currency."""

    line_no: int
    total: Decimal
    sku: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()
    quantity: Decimal = Decimal(1)
    discount: Decimal = ZERO
    tax: Decimal = ZERO
    stored_value: bool = False
    # What the line came to before anything of it was returned; None: nothing was.
    ordered: Decimal | None = None

    @property
    def as_ordered(self) -> Decimal:
        return self.total if self.ordered is None else self.ordered


@dataclass(frozen=True, slots=True)
class Basket:
    """What was bought and how it was paid.

    `taxes_included` says whether line totals contain their tax. `discount_total` is what was taken
    off the order as a whole, beyond the discounts in the lines; the goods bear it in proportion to
    what was ordered, gift cards do not. `paid_units` and `paid_stored_value` are money amounts
    covered by points and by gift cards or credit.
    """

    lines: tuple[Line, ...]
    tax_total: Decimal = ZERO
    taxes_included: bool = True
    shipping_total: Decimal = ZERO
    discount_total: Decimal = ZERO
    paid_units: Decimal = ZERO
    paid_stored_value: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """What the customer owes for the order."""
        goods = sum((line.total for line in self.lines), ZERO)
        tax = ZERO if self.taxes_included else self.tax_total
        return goods + tax + self.shipping_total - self.discount_total

    @property
    def goods_as_ordered(self) -> Decimal:
        """What bears the order's discount. A gift card is money, which is not discounted."""
        return sum((line.as_ordered for line in self.lines if not line.stored_value), ZERO)


# What is left of an order that came to nothing.
NOTHING = Basket(lines=())


@dataclass(frozen=True, slots=True)
class ReturnedLine:
    """A line that came back; amounts above zero. Without `order_line_no` it is matched by SKU."""

    total: Decimal
    sku: str = ""
    category: str = ""
    quantity: Decimal = Decimal(1)
    tax: Decimal = ZERO
    order_line_no: int | None = None


@dataclass(frozen=True, slots=True)
class Return:
    """Money given back; amounts above zero. Without lines the amount is spread over the order."""

    total: Decimal
    lines: tuple[ReturnedLine, ...] = ()
    shipping_total: Decimal = ZERO
    tax_total: Decimal = ZERO
