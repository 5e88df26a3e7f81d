"""The company that somebody buys for, as it was before a moment: what conditions and brackets ask
about."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal

from loyalty.rules.facts import ZERO


@dataclass(frozen=True, slots=True)
class CompanyFacts:
    """Money in the program's currency: what its buyers ordered for it and kept, ever, in the
    calendar year and in the twelve months before. `year_since` and `months_since`: where those
    begin."""

    pool_id: int
    role: str
    year_since: dt.datetime
    months_since: dt.datetime
    external_id: str = ""
    tags: frozenset[str] = frozenset()
    employees: int | None = None
    buyers: int = 0
    orders: int = 0
    spend: Decimal = ZERO
    spend_year: Decimal = ZERO
    spend_12_months: Decimal = ZERO

    def after(self, total: Decimal, placed_at: dt.datetime) -> CompanyFacts:
        """As it is once another order was placed for it."""
        in_year = total if placed_at >= self.year_since else ZERO
        in_months = total if placed_at >= self.months_since else ZERO
        return replace(
            self,
            orders=self.orders + 1,
            spend=self.spend + total,
            spend_year=self.spend_year + in_year,
            spend_12_months=self.spend_12_months + in_months,
        )
