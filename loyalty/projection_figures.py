"""What a projection comes to: the outcomes of some buyers, said of all of them."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from loyalty.projected_lives import Outcome
from loyalty.projected_plans import PlanYear
from loyalty.rules.facts import ZERO

# So many purchases get a bar of their own.
BARS = 12
# Of twenty such estimates, nineteen come as close as that.
NINETEEN_OF_TWENTY = 1.96
LEAST_SAMPLE = 30


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share, and how far it may be off either way, both between 0 and 1. `off` is 0 where
    everybody was looked at, and None where too few were to say."""

    value: Decimal
    off: Decimal | None = ZERO


@dataclass(frozen=True)
class Projection:
    """A year of a program that was not there. `revenue`: of all buyers, returns taken off;
    `yearly`: what birthdays and anniversaries cost at most; `tiers`: names and how many of all
    buyers would end the year there; `plan`: what a paid
    plan brings in and gives besides. Money in the program's currency."""

    outcomes: Sequence[Outcome]
    buyers: int
    revenue: Decimal
    yearly: Decimal = ZERO
    tiers: Sequence[tuple[str, int]] = ()
    rule_names: Mapping[str, str] | None = None
    plan: PlanYear | None = None
    estimated: bool = False

    @property
    def looked_at(self) -> int:
        return len(self.outcomes)

    @property
    def whole(self) -> bool:
        """Everybody was looked at."""
        return self.looked_at >= self.buyers

    @cached_property
    def own_revenue(self) -> Decimal:
        """Of those who were looked at."""
        return sum((one.revenue for one in self.outcomes), ZERO)

    @cached_property
    def cost_share(self) -> Estimate:
        """Of revenue, if all that is earned is spent; birthdays are not in it."""
        return self._share_of([one.cost for one in self.outcomes])

    @property
    def cost(self) -> Decimal:
        return self.cost_share.value * self.revenue + self.yearly + self.credits

    @property
    def credits(self) -> Decimal:
        """What the units cost that come with a paid plan."""
        return self.plan.credits if self.plan else ZERO

    @property
    def fees(self) -> Decimal:
        return self.plan.fees if self.plan else ZERO

    @property
    def net_cost(self) -> Decimal:
        """Less what members pay for their plan."""
        return self.cost - self.fees

    @property
    def cost_off(self) -> Decimal | None:
        """How far the cost may be off either way."""
        off = self.cost_share.off
        return None if off is None else off * self.revenue

    @property
    def whole_share(self) -> Decimal:
        """The cost as a part of revenue, birthdays included."""
        return self.cost / self.revenue if self.revenue > 0 else ZERO

    def cost_if_used(self, used: Decimal) -> Decimal:
        """What it costs if only a part of the units is ever used; discounts are used at once."""
        off = self._ratio([one.discounts for one in self.outcomes]) * self.revenue
        return off + (self.cost - off) * used

    def by_rule(self) -> list[tuple[str, Decimal]]:
        """What each rule costs, the dearest first; names as people know them."""
        names = self.rule_names or {}
        totals: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
        for one in self.outcomes:
            for code, worth in one.earned.items():
                totals[names.get(code, code)] += worth
        scale = self.revenue / self.own_revenue if self.own_revenue > 0 else ZERO
        found = [(name, worth * scale) for name, worth in totals.items() if worth]
        return sorted(found, key=lambda item: -item[1])

    @property
    def from_tiers(self) -> Decimal:
        return self._ratio([one.tiered for one in self.outcomes]) * self.revenue

    @property
    def from_plan(self) -> Decimal:
        """What a plan's factor adds beyond that of tiers."""
        return self._ratio([one.planned for one in self.outcomes]) * self.revenue

    @property
    def discounts(self) -> Decimal:
        return self._ratio([one.discounts for one in self.outcomes]) * self.revenue

    # --- The first reward -----------------------------------------------------------------------

    @cached_property
    def reached(self) -> Counter[int]:
        """By number of purchases, how many of those looked at had their first reward with it."""
        return Counter(one.reached for one in self.outcomes if one.reached is not None)

    @cached_property
    def reached_share(self) -> Estimate:
        """Of the buyers, who had it within the year."""
        number = sum(self.reached.values())
        if not self.looked_at:
            return Estimate(ZERO, None)
        share = Decimal(number) / self.looked_at
        if self.whole:
            return Estimate(share)
        if self.looked_at < LEAST_SAMPLE:
            return Estimate(share, None)
        spread = math.sqrt(float(share * (1 - share)) / self.looked_at) * self._correction
        return Estimate(share, Decimal(str(round(NINETEEN_OF_TWENTY * spread, 6))))

    @property
    def purchases_needed(self) -> int | None:
        """Of those who had it, half needed so many at most; None: nobody had it."""
        return middle(self.reached)

    def bars(self) -> list[tuple[int, Decimal]]:
        """Share of the buyers by the purchase that brought it, the last bar for all later ones."""
        if not self.looked_at:
            return []
        last = min(max(self.reached, default=1), BARS)
        counts = [self.reached[number] for number in range(1, last + 1)]
        if last == BARS:
            counts[-1] = sum(count for number, count in self.reached.items() if number >= BARS)
        return [(n, Decimal(count) / self.looked_at) for n, count in enumerate(counts, start=1)]

    # --- What is owed ---------------------------------------------------------------------------

    @property
    def owed_at_most(self) -> Decimal:
        """At the end of the year, if nobody spent anything; what a few owe the shop is not counted
        against it, but never more than was given."""
        left = self._ratio([one.left for one in self.outcomes]) * self.revenue
        left = min(left, max(self.cost - self.credits - self.discounts, ZERO))
        return left + (self.plan.lasting if self.plan else ZERO)

    @property
    def owed_at_least(self) -> Decimal:
        """If everybody took every reward as soon as it was there."""
        return self._ratio([one.rest for one in self.outcomes]) * self.revenue

    # --- Margin ---------------------------------------------------------------------------------

    def margin_after(self, margin: Decimal) -> Decimal:
        """Both as parts of revenue; nobody buys more or less, and fees come in besides."""
        return margin - self._net_share

    @property
    def _net_share(self) -> Decimal:
        return self.net_cost / self.revenue if self.revenue > 0 else ZERO

    def needed_growth(self, margin: Decimal) -> Decimal | None:
        """How much more has to be sold, as a part of revenue, until as much is left as without the
        program; None: no growth makes up for it."""
        after = self.margin_after(margin)
        return None if after <= 0 else max(self._net_share, ZERO) / after

    # --- From some to all -----------------------------------------------------------------------

    def _ratio(self, amounts: Sequence[Decimal]) -> Decimal:
        """Of revenue: what these come to, by what the same people brought in."""
        return sum(amounts, ZERO) / self.own_revenue if self.own_revenue > 0 else ZERO

    def _share_of(self, amounts: Sequence[Decimal]) -> Estimate:
        """With the error of a ratio of two sums over a random part of the buyers."""
        ratio, count = self._ratio(amounts), self.looked_at
        if self.whole or not count or self.own_revenue <= 0:
            return Estimate(ratio)
        if count < LEAST_SAMPLE:
            return Estimate(ratio, None)
        rest = (
            float(amount - ratio * one.revenue) ** 2
            for amount, one in zip(amounts, self.outcomes, strict=True)
        )
        deviation = math.sqrt(sum(rest) / (count - 1))
        error = deviation / math.sqrt(count) / float(self.own_revenue / count) * self._correction
        return Estimate(ratio, Decimal(str(round(NINETEEN_OF_TWENTY * error, 8))))

    @property
    def _correction(self) -> float:
        """A sample of nearly all is nearly exact."""
        return math.sqrt(1 - self.looked_at / self.buyers)


def middle(counts: Mapping[int, int]) -> int | None:
    """The number below which half of what was counted is."""
    half, passed = sum(counts.values()) / 2, 0
    for number in sorted(counts):
        passed += counts[number]
        if passed >= half:
            return number
    return None
