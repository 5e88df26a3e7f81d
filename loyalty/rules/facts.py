"""What the engine is told about an order. Plain values: no database, no clock.

Nothing changes them once they are made. Those that there are very many of are not frozen as well:
making them would cost several times as much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from members.conditions.moments import Moment
from members.conditions.once import once

if TYPE_CHECKING:
    from loyalty.rules.exchange import Exchange

ZERO = Decimal(0)


@dataclass(slots=True, unsafe_hash=True)
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
    brand: str = ""
    # What one of it cost the shop, without tax; None: it does not say.
    unit_cost: Decimal | None = None
    # Percent of its price that the shop keeps (`margins.py`), whatever comes back of it.
    margin: Decimal | None = None
    # What the line came to before anything of it was returned; None: nothing was.
    ordered: Decimal | None = None

    @property
    def as_ordered(self) -> Decimal:
        return self.total if self.ordered is None else self.ordered

    @property
    def price(self) -> Decimal:
        """What one of it costs, after the line's discount."""
        return self.total / self.quantity if self.quantity else self.total


@dataclass(unsafe_hash=True)
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

    # Many rules ask for it.
    @once
    def total(self) -> Decimal:
        """What the customer owes for the order."""
        goods = sum([line.total for line in self.lines], ZERO)
        tax = ZERO if self.taxes_included else self.tax_total
        return goods + tax + self.shipping_total - self.discount_total

    @property
    def goods_as_ordered(self) -> Decimal:
        """What bears the order's discount. A gift card is money, which is not discounted."""
        return sum((line.as_ordered for line in self.lines if not line.stored_value), ZERO)


# What is left of an order that came to nothing.
NOTHING = Basket(lines=())


@dataclass(unsafe_hash=True)
class Occasion:
    """An order as rules see it: what was bought, and how, where and when. `moment` is when it was
    placed, in the program's time zone; `paid_with` the kinds of its tenders. `exchange`: by which
    rate its basket was converted, where the order's `currency` is not the program's, and `as_told`
    what it was before."""

    basket: Basket
    moment: Moment
    currency: str = ""
    channel: str = ""
    store: str = ""
    payment_method: str = ""
    coupons: tuple[str, ...] = ()
    paid_with: tuple[str, ...] = ()
    # The short name of the partner at whose it was placed; empty: at none.
    partner: str = ""
    exchange: Exchange | None = None
    as_told: Basket | None = field(default=None, hash=False, compare=False)

    @property
    def bought(self) -> Basket:
        """In the order's own currency."""
        return self.as_told or self.basket

    @once
    def lines(self) -> tuple[Line, ...]:
        """What is left of it: a line that came back as a whole is there no more."""
        return tuple([line for line in self.basket.lines if line.total or line.quantity])


@dataclass(slots=True, unsafe_hash=True)
class Deed(Occasion):
    """An activity as rules see it: what kind of thing was done, about what, and what was told
    about it. Nothing was bought: its basket is `NOTHING`."""

    activity: str = ""
    subject: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    def told(self, name: str) -> Any:
        """A value of its data; a dot leads into what is nested. None: there is none."""
        found: Any = self.data
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found


@dataclass(frozen=True, slots=True)
class Context:
    """What else an order is judged by, as it was when it first was: by rule version.

    `answers`: to the questions of its condition that are not about the order. `spent`: what the
    member had spent in the calendar year before. `tier`: the code of the tier they had; empty:
    there were none. `plan`: of the paid plan they had, where a rule asked for it.
    """

    answers: Mapping[int, str] = field(default_factory=dict)
    spent: Mapping[int, Decimal] = field(default_factory=dict)
    tier: str = ""
    plan: str = ""


NO_CONTEXT = Context()


class When(Protocol):
    """A condition ready to be asked; see `members.conditions.predicate`."""

    @property
    def outer(self) -> Sequence[Any]:
        """Its questions that are not about the order."""
        ...

    @property
    def scopes(self) -> frozenset[str]:
        """Whose facts these ask for."""
        ...

    def answers(self, facts: Mapping[str, Any], moment: Moment) -> str: ...

    def holds(self, order: Any, answers: str) -> bool: ...


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
