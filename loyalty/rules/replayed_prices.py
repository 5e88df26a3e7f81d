"""What discount rules would have taken off real orders: a member's orders lived through again, and
each priced as its basket would have been in life. What they earn is as it was charged."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import NamedTuple

from loyalty.rules.discounts import Discounting, DiscountVersion, discount
from loyalty.rules.events import Budgets, Event, Person, Pricing, Program, Sale
from loyalty.rules.facts import NO_CONTEXT, ZERO, Context
from loyalty.rules.prices_before import without_discounts
from loyalty.rules.replay import Life
from loyalty.rules.rulesets import RuleSet


@dataclass(frozen=True, slots=True)
class Limits:
    """What a discount that is tried may come to. `budget`: taken off in all; `uses`: orders that
    have it, in all; `per_member`: orders of one member in each stretch of `days` days."""

    budget: Decimal | None = None
    uses: int | None = None
    per_member: int | None = None
    days: int = 0


NO_LIMITS = Limits()


@dataclass(frozen=True)
class PriceRules:
    """Discount rules in their order of evaluation; `tried`: which of them are, by their key, and
    within which limits. Orders placed from `since` on are priced."""

    versions: tuple[DiscountVersion, ...]
    tried: Mapping[int, Limits]
    coin: Decimal
    discounting: Discounting
    since: dt.datetime

    def in_force(self, at: dt.datetime) -> list[DiscountVersion]:
        return [version for version in self.versions if version.in_force(at)]


class Off(NamedTuple):
    """What a tried rule takes off an order."""

    at: dt.datetime
    order: int
    version: DiscountVersion
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Charged:
    """What is known of how a member's orders were priced, by order. `taken`: what the program's own
    discounts took off; `spent`: what the buyer had spent before it, by the rule that asks."""

    taken: Mapping[int, Decimal] = field(default_factory=dict)
    spent: Mapping[int, Mapping[int, Decimal]] = field(default_factory=dict)


class PricedLife(Life):
    """The same life, and what the rules that are tried take off its orders in `off`."""

    def __init__(
        self,
        program: Program,
        person: Person,
        sides: Sequence[tuple[RuleSet, Budgets]],
        drafted: Pricing | None,
        prices: PriceRules,
        charged: Charged,
    ) -> None:
        super().__init__(program, person, sides, drafted)
        self.prices, self.charged = prices, charged
        self.off: list[Off] = []
        # By rule and stretch of days: how many of the member's orders have it.
        self._uses: Counter[tuple[int, int]] = Counter()

    def live(self, event: Event) -> None:
        if isinstance(event, Sale) and event.judged and event.at >= self.prices.since:
            if self.history.noted:
                self.history.reach(event.at)
            self._price(event)
        super().live(event)

    def _price(self, sale: Sale) -> None:
        prices = self.prices
        versions = [item for item in prices.in_force(sale.at) if not self._is_used_up(item, sale)]
        if not any(item.id in prices.tried for item in versions):
            return
        basket = without_discounts(
            sale.occasion.basket, self.charged.taken.get(sale.id, ZERO), prices.coin
        )
        found = discount(
            versions, replace(sale.occasion, basket=basket), coin=prices.coin,
            context=self._context_of(versions, sale), discounting=prices.discounting,
        )  # fmt: skip
        for item in found.discounts:
            if item.amount and item.version.id in prices.tried:
                self._uses[self._use(item.version, sale)] += 1
                self.off.append(Off(sale.at, sale.id, item.version, item.amount))

    def _is_used_up(self, version: DiscountVersion, sale: Sale) -> bool:
        limits = self.prices.tried.get(version.id, NO_LIMITS)
        if limits.per_member is None:
            return False
        return self._uses[self._use(version, sale)] >= limits.per_member

    def _use(self, version: DiscountVersion, sale: Sale) -> tuple[int, int]:
        days = self.prices.tried[version.id].days
        number = (sale.at - self.prices.since) // dt.timedelta(days=days) if days else 0
        return version.id, number

    def _context_of(self, versions: Sequence[DiscountVersion], sale: Sale) -> Context:
        """What they ask about the buyer, by what the draft's side knows of them."""
        account, answers = self.accounts[-1], {}
        for version in versions:
            if version.when is not None and version.when.outer:
                facts = account.facts(version, sale.at, leading=True)
                answers[version.id] = version.when.answers(facts, sale.occasion.moment)
        spent = self.charged.spent.get(sale.id, {})
        return Context(answers, spent) if answers or spent else NO_CONTEXT
