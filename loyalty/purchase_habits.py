"""How a merchant's customers buy: what a program is planned on. Worked out from real orders where
there are any, else estimated by the merchant."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass
from decimal import Decimal

from loyalty.rules.facts import ZERO

YEAR = 365
DAY = dt.timedelta(days=1)
# Below this a year is not read off what was seen.
ENOUGH_DAYS = 90


@dataclass(frozen=True, slots=True)
class Quartiles:
    """A quarter has less than `low`, half less than `middle`, three quarters less than `high`."""

    low: Decimal = ZERO
    middle: Decimal = ZERO
    high: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class CategoryShare:
    """What a category brought in, and which part of what all goods did."""

    name: str
    revenue: Decimal
    share: Decimal


@dataclass(frozen=True, slots=True)
class Period:
    """Orders of one currency placed in [since, until). `zone`: whose days they are counted in.
    `mark` changes when orders or returns come, go or cost otherwise, so that figures can be kept
    until then."""

    currency: str
    since: dt.datetime
    until: dt.datetime
    zone: zoneinfo.ZoneInfo
    mark: str = ""

    @property
    def days(self) -> int:
        return max(round((self.until - self.since) / DAY), 1)

    @property
    def last_day(self) -> dt.datetime:
        """An instant of the last day."""
        return self.until - dt.timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Habits:
    """What a period's orders say about buyers. Guests are no buyers: nobody knows who they are.

    `revenue` is what was sold, returns not taken off; `returned` what came back. `gap`: days from
    one day of buying to the same person's next. `top_share`: what the best fifth of the buyers
    brought in of all that was kept. Shares are between 0 and 1; None: nothing to divide by.
    """

    currency: str
    days: int
    buyers: int = 0
    orders: int = 0
    guest_orders: int = 0
    revenue: Decimal = ZERO
    returned: Decimal = ZERO
    basket: Quartiles = Quartiles()
    orders_each: Quartiles = Quartiles()
    mean_orders: Decimal = ZERO
    gap: Quartiles | None = None
    one_time: Decimal | None = None
    top_share: Decimal | None = None
    categories: tuple[CategoryShare, ...] = ()
    estimated: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.buyers

    @property
    def returns_share(self) -> Decimal | None:
        return self.returned / self.revenue if self.revenue > 0 else None

    @property
    def net(self) -> Decimal:
        return max(self.revenue - self.returned, ZERO)

    @property
    def short(self) -> bool:
        """Too few days to say what happens in a year."""
        return self.days < ENOUGH_DAYS

    def in_a_year(self, number: Decimal) -> Decimal:
        """A number of the period as one of a year."""
        return number if self.estimated else number * YEAR / self.days


@dataclass(frozen=True, slots=True)
class Estimates:
    """What the merchant believes, where there are no orders to ask: of one year."""

    currency: str
    buyers: int
    orders_each: Decimal
    basket: Decimal

    def habits(self) -> Habits:
        """As far as estimates go: nothing about the spread of values, nor about categories."""
        orders = int((self.buyers * self.orders_each).to_integral_value())
        each = Quartiles(self.orders_each, self.orders_each, self.orders_each)
        return Habits(
            currency=self.currency,
            days=YEAR,
            buyers=self.buyers,
            orders=orders,
            revenue=orders * self.basket,
            basket=Quartiles(self.basket, self.basket, self.basket),
            orders_each=each,
            mean_orders=self.orders_each,
            estimated=True,
        )
