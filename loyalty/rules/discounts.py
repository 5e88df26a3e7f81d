"""`discount(versions, occasion)`: what is taken off the price of an order, line by line.

Pure, beside `engine.evaluate`: discounts come first, and what is left is what earns. Everything is
an exact fraction until it is rounded to coins, and what the lines bear adds up to the discount.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from loyalty.rules.body_parts import LinesBody
from loyalty.rules.coins import NONE, as_money, in_proportion
from loyalty.rules.discount_bodies import DiscountBody
from loyalty.rules.discount_prices import Bill, Found, Pricing, prices_of
from loyalty.rules.facts import NO_CONTEXT, ZERO, Basket, Context, Line, Occasion, When
from loyalty.rules.margins import with_margins
from loyalty.rules.reckoning import Reckoner
from loyalty.rules.steps import Step

# Of several discounts on one order the largest counts, each is off the price as it was, or each is
# off what those before it left.
Discounting = Literal["best", "add", "in_turn"]
NO_BUDGETS: Mapping[int, Decimal] = {}
# Brackets for those alone who buy for a company.
OF_COMPANIES = ("company_year", "company_lifetime")


@dataclass(frozen=True, slots=True)
class DiscountVersion:
    """A published wording of a discount rule, in force for orders placed in [starts_at, ends_at).
    `wallet_type_id` and `scale`: the units whose balance its condition asks about; `budget_id`: the
    budget that all it takes off comes out of, 0: none."""

    id: int
    rule_id: int
    rule_code: str
    rule_name: str
    number: int
    body: DiscountBody
    wallet_type_id: int
    scale: int
    when: When | None = None
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    budget_id: int = 0

    def in_force(self, at: dt.datetime) -> bool:
        return (self.starts_at is None or self.starts_at <= at) and (
            self.ends_at is None or at < self.ends_at
        )


@dataclass(frozen=True, slots=True)
class Discount:
    """What one rule takes off, also nothing, and why. `shares`: of it by place of the line; they
    add up to `amount`."""

    version: DiscountVersion
    amount: Decimal
    shares: Mapping[int, Decimal]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Discounted:
    """An order's discounts, in their order of evaluation, and what is left of its basket."""

    discounts: tuple[Discount, ...]
    basket: Basket

    @property
    def amount(self) -> Decimal:
        return sum((item.amount for item in self.discounts), ZERO)


def discount(
    versions: Iterable[DiscountVersion],
    occasion: Occasion,
    *,
    coin: Decimal,
    context: Context = NO_CONTEXT,
    discounting: Discounting = "best",
    rooms: Mapping[int, Decimal] = NO_BUDGETS,
) -> Discounted:
    """What these rules take off an order. Every version answers, also with nothing.

    `coin`: the smallest amount of the currency. `discounting`: how several get on together.
    `rooms`: what is left of budgets; where that is not enough for all that a rule takes off, it
    takes off nothing.
    """
    versions = tuple(versions)
    till = _Till(versions, occasion, coin, context, discounting, rooms)
    for version in versions:
        if version.id not in till.found:
            till.ask(version)
    if discounting == "best":
        till.keep_the_largest()
    given = tuple(
        Discount(version, *as_money(till.found[version.id].shares), till.found[version.id].steps)
        for version in versions
    )
    return Discounted(given, _without(occasion.basket, given, coin))


class _Till:
    """One order before one program's discount rules."""

    def __init__(
        self,
        versions: Sequence[DiscountVersion],
        occasion: Occasion,
        coin: Decimal,
        context: Context,
        discounting: Discounting,
        rooms: Mapping[int, Decimal],
    ) -> None:
        self.versions, self.occasion = versions, occasion
        self.context, self.discounting = context, discounting
        self.bill = Bill(occasion.basket, Fraction(coin), in_turn=discounting == "in_turn")
        self.found: dict[int, Found] = {}
        self.rooms = {budget: Fraction(room) for budget, room in rooms.items()}
        self.stopped = False

    def ask(self, version: DiscountVersion) -> None:
        """What a rule takes off, as its turn comes; of a group all when it is the first's."""
        group = version.body.group
        rivals = [item for item in self.versions if group and item.body.group == group]
        for rival in rivals or [version]:
            self.found[rival.id] = self._of(rival)
        winner = self._keep_largest_of(rivals) if rivals else version
        found = self.found[winner.id]
        if self.discounting != "best":
            self.bill.take(found.shares)
            if winner.budget_id in self.rooms:
                self.rooms[winner.budget_id] -= found.amount
            self.stopped = self.stopped or (winner.body.stops and bool(found.shares))

    def keep_the_largest(self) -> None:
        """One discount alone."""
        if self.versions:
            self._keep_largest_of(self.versions)

    def _keep_largest_of(self, versions: Sequence[DiscountVersion]) -> DiscountVersion:
        """The first of those that take most off; what others would have taken is not."""
        best = max(versions, key=lambda version: self.found[version.id].amount)
        for version in versions:
            found = self.found[version.id]
            if version.id != best.id and found.shares:
                steps = (*found.steps, ("given_way", best.rule_name))
                self.found[version.id] = Found(NONE, steps)
        return best

    def _of(self, version: DiscountVersion) -> Found:
        if version.when is not None and not version.when.holds(
            self.occasion, self.context.answers.get(version.id, "")
        ):
            return Found(NONE, (("not_met",),))
        if self.stopped:
            return Found(NONE, (("stopped",),))
        spent = self.context.spent.get(version.id)
        if spent is None:
            if version.body.brackets_by in OF_COMPANIES:
                return Found(NONE, (("no_company",),))
            spent = ZERO
        found = Pricing(version.body, self.bill, Fraction(spent)).found()
        room = self.rooms.get(version.budget_id)
        if room is not None and found.amount > room:
            return Found(NONE, (*found.steps, ("over_budget",)))
        return found


def _without(basket: Basket, given: Sequence[Discount], coin: Decimal) -> Basket:
    """The basket at what it costs then. A line's tax falls as its price does, to the coin."""
    off: dict[int, Decimal] = {}
    for item in given:
        for place, share in item.shares.items():
            off[place] = off.get(place, ZERO) + share
    if not off:
        return basket
    prices = prices_of(Reckoner(basket), basket.taxes_included, LinesBody())
    lines = tuple(
        _reduced(line, off[place], prices[place], coin) if place in off else line
        for place, line in enumerate(basket.lines)
    )
    own = sum((line.tax for line in basket.lines), ZERO)
    goods = Fraction(sum((line.total for line in basket.lines), ZERO) - basket.discount_total)
    left = goods - Fraction(sum(off.values(), ZERO))
    beyond = in_proportion(basket.tax_total - own, left, goods, coin)
    taxes = sum((line.tax for line in lines), ZERO) + beyond
    return with_margins(replace(basket, lines=lines, tax_total=taxes))


def _reduced(line: Line, off: Decimal, price: Fraction, coin: Decimal) -> Line:
    tax = in_proportion(line.tax, price - Fraction(off), price, coin)
    return replace(line, total=line.total - off, discount=line.discount + off, tax=tax)
