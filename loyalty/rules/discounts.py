"""`discount(versions, occasion)`: what is taken off the price of an order, line by line.

Pure, beside `engine.evaluate`: discounts come first, and what is left is what earns. Everything is
an exact fraction until it is rounded to coins, and what the lines bear adds up to the discount.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Literal

from loyalty.rules.amounts import plain_text
from loyalty.rules.bodies import DiscountBody, DiscountBracket
from loyalty.rules.body_parts import BasePolicy, LinesBody
from loyalty.rules.bundles import bundled
from loyalty.rules.facts import NO_CONTEXT, ZERO, Basket, Context, Line, Occasion, When
from loyalty.rules.reckoning import Reckoner, yardstick_by
from loyalty.rules.steps import Step

# Of several discounts on one order the largest counts, each is off the price as it was, or each is
# off what those before it left.
Discounting = Literal["best", "add", "in_turn"]
# By place of the line in the basket.
Shares = dict[int, Fraction]
NONE: Shares = {}
HUNDRED = 100
# Brackets for those alone who buy for a company.
OF_COMPANIES = ("company_year", "company_lifetime")
TAXES = {
    taxed: BasePolicy(include_tax=taxed, paid_with_stored_value=True, paid_with_units=True)
    for taxed in (True, False)
}


@dataclass(frozen=True, slots=True)
class DiscountVersion:
    """A published wording of a discount rule, in force for orders placed in [starts_at, ends_at).
    `wallet_type_id` and `scale`: the units whose balance its condition asks about."""

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


@dataclass(frozen=True, slots=True)
class _Found:
    """What one rule would take off of prices as they stand."""

    shares: Shares
    steps: tuple[Step, ...]

    @property
    def amount(self) -> Fraction:
        return sum(self.shares.values(), Fraction(0))


def discount(
    versions: Iterable[DiscountVersion],
    occasion: Occasion,
    *,
    coin: Decimal,
    context: Context = NO_CONTEXT,
    discounting: Discounting = "best",
) -> Discounted:
    """What these rules take off an order. Every version answers, also with nothing.

    `coin`: the smallest amount of the currency. `discounting`: how several get on together.
    """
    versions = tuple(versions)
    till = _Till(versions, occasion, coin, context, discounting)
    for version in versions:
        if version.id not in till.found:
            till.ask(version)
    if discounting == "best":
        till.keep_the_largest()
    given = tuple(
        Discount(version, *_as_money(till.found[version.id].shares), till.found[version.id].steps)
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
    ) -> None:
        self.versions, self.occasion, self.coin = versions, occasion, Fraction(coin)
        self.context, self.discounting = context, discounting
        self.reckoner = Reckoner(occasion.basket)
        self.found: dict[int, _Found] = {}
        self.taken: Shares = {}
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
            for place, share in found.shares.items():
                self.taken[place] = self.taken.get(place, Fraction(0)) + share
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
                self.found[version.id] = _Found(NONE, steps)
        return best

    def _of(self, version: DiscountVersion) -> _Found:
        if version.when is not None and not version.when.holds(
            self.occasion, self.context.answers.get(version.id, "")
        ):
            return _Found(NONE, (("not_met",),))
        if self.stopped:
            return _Found(NONE, (("stopped",),))
        spent = self.context.spent.get(version.id)
        if spent is None:
            if version.body.brackets_by in OF_COMPANIES:
                return _Found(NONE, (("no_company",),))
            spent = ZERO
        return _Pricing(version.body, self, Fraction(spent)).found()

    def price(self, place: int, full: Fraction) -> Fraction:
        """What the next rule takes its part of."""
        return full - self.taken.get(place, Fraction(0)) if self.discounting == "in_turn" else full

    def left(self, place: int, full: Fraction) -> Fraction:
        """What a line costs after the discounts until now: nothing costs less than nothing."""
        return full - self.taken.get(place, Fraction(0))


class _Pricing:
    """One rule and the prices that it finds."""

    def __init__(self, body: DiscountBody, till: _Till, spent: Fraction) -> None:
        self.body, self.till, self.spent = body, till, spent
        self.lines = till.occasion.basket.lines
        self.taxed = till.occasion.basket.taxes_included
        self.full = full = self._prices(self.taxed)
        # What it may take at most, and what it takes its part of.
        self.left = {place: till.left(place, price) for place, price in full.items()}
        self.prices = {
            place: price
            for place, price in ((place, till.price(place, price)) for place, price in full.items())
            if price > 0 and self.left[place] > 0
        }

    def _prices(self, taxed: bool) -> Shares:
        """Of each eligible line, after what was taken off already when it came."""
        prices = _prices(self.till.reckoner, taxed, self.body)
        if self.body.reduced_too:
            return prices
        return {place: price for place, price in prices.items() if not self.lines[place].discount}

    def found(self) -> _Found:
        body = self.body
        goods = sum(self.prices.values(), Fraction(0))
        steps: list[Step] = [
            ("eligible", str(len(self.prices)), str(len(self.lines))),
            ("goods", _text(goods)),
        ]
        if not self.prices:
            return _Found(NONE, tuple(steps))
        measured = self._measured()
        if body.least is not None and measured < Fraction(body.least):
            return _Found(NONE, (*steps, ("below_least", plain_text(body.least), _text(measured))))
        if body.off == "bundle":
            return self._bundled(steps)
        percent, amount = body.percent, body.amount
        if body.brackets:
            by, reached = self._reached(measured)
            bracket = bracket_reached(body.brackets, reached)
            if bracket is None:
                first = plain_text(body.brackets[0].above)
                return _Found(NONE, (*steps, ("below_brackets", by, _text(reached), first)))
            steps.append(("bracket", by, _text(reached), plain_text(bracket.above)))
            percent, amount = bracket.percent, bracket.amount
        exact, said = self._off(percent, amount)
        shares, more = self._rounded(exact)
        return _Found(shares, (*steps, *said, *more))

    def _bundled(self, steps: list[Step]) -> _Found:
        body = self.body
        assert body.price is not None
        price = Fraction(body.price)
        found = bundled(body.bundle, price, body.times, self.lines, self.prices)
        if not found.count:
            return _Found(NONE, (*steps, ("no_bundle", plain_text(body.price))))
        said: Step = (
            "bundles", str(found.count), _text(found.one_by_one), plain_text(body.price)
        )  # fmt: skip
        shares, more = self._rounded(dict(found.shares))
        return _Found(shares, (*steps, said, *more))

    def _measured(self) -> Fraction:
        """What the eligible items cost, compared as the rule wants it."""
        if self.body.with_tax == self.taxed:
            return sum(self.prices.values(), Fraction(0))
        # Less in proportion to what was taken off before.
        other = self._prices(self.body.with_tax)
        parts = (other[place] * price / self.full[place] for place, price in self.prices.items())
        return sum(parts, Fraction(0))

    def _reached(self, measured: Fraction) -> tuple[str, Fraction]:
        match self.body.brackets_by:
            case "quantity":
                pieces = sum((self.lines[place].quantity for place in self.prices), ZERO)
                return "quantity", Fraction(pieces)
            case "spent_year" | "spent_lifetime" | "company_year" | "company_lifetime":
                return self.body.brackets_by, self.spent
        return "order", measured

    def _off(
        self, percent: Decimal | None, amount: Decimal | None
    ) -> tuple[Shares, tuple[Step, ...]]:
        """Of each line, not yet rounded."""
        pieces = self._pieces()
        if percent is not None:
            part = Fraction(percent) / HUNDRED
            exact = {place: price * part for place, (price, _number) in pieces.items()}
            base = sum((price for price, _number in pieces.values()), Fraction(0))
            said: Step = ("percent_off", plain_text(percent), _text(base))
        else:
            assert amount is not None
            exact = self._amounts(Fraction(amount), pieces)
            said = ("amount_off", plain_text(amount), self.body.off)
        cheapest = sum((number for _price, number in pieces.values()), Fraction(0))
        steps = (("cheapest", _text(cheapest)), said) if self.body.off == "cheapest" else (said,)
        return exact, steps

    def _amounts(self, amount: Fraction, pieces: Mapping[int, tuple[Fraction, Fraction]]) -> Shares:
        if self.body.off == "order":
            whole = sum((price for price, _number in pieces.values()), Fraction(0))
            part = min(amount / whole, Fraction(1))
            return {place: price * part for place, (price, _number) in pieces.items()}
        return {
            place: min(amount * max(number, Fraction(0)), price)
            for place, (price, number) in pieces.items()
        }

    def _pieces(self) -> dict[int, tuple[Fraction, Fraction]]:
        """What it takes its part of: the price of the lines, or of some pieces of them, and how
        many pieces those are."""
        quantities = {place: Fraction(self.lines[place].quantity) for place in self.prices}
        if self.body.off != "cheapest":
            return {place: (price, quantities[place]) for place, price in self.prices.items()}
        # What is measured or weighed has no pieces.
        whole = {place: q for place, q in quantities.items() if q > 0 and q.denominator == 1}
        number = sum(whole.values(), Fraction(0))
        wanted = Fraction(self.body.pieces)
        if self.body.every is not None:
            wanted *= floor(number / self.body.every)
        chosen: dict[int, tuple[Fraction, Fraction]] = {}
        for place in sorted(whole, key=lambda place: (self.prices[place] / whole[place], place)):
            count = min(wanted, whole[place])
            if count:
                chosen[place] = self.prices[place] / whole[place] * count, count
            wanted -= count
        return chosen

    def _rounded(self, exact: Shares) -> tuple[Shares, tuple[Step, ...]]:
        """In coins, and never more than what there is."""
        body, coin = self.body, self.till.coin
        # No price is finer than a coin.
        step = ceil(Fraction(body.step or coin) / coin) * coin
        limits = self._limits(exact)
        per, mode = body.rounding.per, body.rounding.mode
        if self._is_one_amount:
            per = "order"
        if per == "line":
            shares = {
                place: min(_rounded(share, step, mode), limits[place])
                for place, share in exact.items()
            }
            total = sum(shares.values(), Fraction(0))
        else:
            total = _rounded(sum(exact.values(), Fraction(0)), step, mode)
            total = min(total, sum(limits.values(), Fraction(0)))
            shares = _spread(total, exact, limits, coin)
        steps: list[Step] = []
        if body.most is not None and total > Fraction(body.most):
            total = floor(Fraction(body.most) / coin) * coin
            shares = _spread(total, shares, limits, coin)
            steps.append(("at_most", plain_text(body.most)))
        steps.append(("off", mode, per, _text(total)))
        return {place: share for place, share in shares.items() if share}, tuple(steps)

    @property
    def _is_one_amount(self) -> bool:
        """Ten off the order are ten, however many lines share them; so is what a bundle costs."""
        body = self.body
        if body.off == "bundle":
            return True
        by_amount = body.amount is not None or any(item.amount for item in body.brackets)
        return body.off == "order" and by_amount

    def _limits(self, exact: Shares) -> Shares:
        """In coins, what each line can bear: all that is left of them together, and no more than
        the order comes to where others of its lines are below nothing."""
        coin = self.till.coin
        left = {place: self.left[place] for place in exact}
        goods = sum(_prices(self.till.reckoner, self.taxed, LinesBody()).values(), Fraction(0))
        rest = goods - sum(self.till.taken.values(), Fraction(0))
        whole = max(min(sum(left.values(), Fraction(0)), rest), Fraction(0))
        most = {place: ceil(price / coin) * coin for place, price in left.items()}
        return _spread(floor(whole / coin) * coin, left, most, coin)


def _prices(reckoner: Reckoner, taxed: bool, body: LinesBody) -> Shares:
    """Of the lines that a rule is for, after what was taken off already when they came."""
    measured = reckoner.money(yardstick_by(TAXES[taxed], body))
    parts = measured.parts
    return {place: Fraction(parts[place], measured.per) for place in measured.chosen}


def bracket_reached(
    brackets: Sequence[DiscountBracket], reached: Fraction
) -> DiscountBracket | None:
    """The highest that is passed; nothing is enough for one above nothing."""
    passed = [
        bracket for bracket in brackets if reached > Fraction(bracket.above) or not bracket.above
    ]
    return passed[-1] if passed else None


def _rounded(amount: Fraction, step: Fraction, mode: str) -> Fraction:
    """To a multiple of a step; half goes up."""
    number, rest = divmod(amount, step)
    up = {"down": False, "nearest": 2 * rest >= step, "up": rest > 0}[mode]
    return (number + up) * step


def _spread(total: Fraction, weights: Shares, limits: Shares, coin: Fraction) -> Shares:
    """A total in coins over lines in proportion; what is left over goes to those that lost most by
    rounding down, the first of equals first."""
    whole = sum(weights.values(), Fraction(0))
    if whole <= 0:
        return {}
    exact = {place: total * weight / whole for place, weight in weights.items()}
    shares = {
        place: min(floor(share / coin) * coin, limits[place]) for place, share in exact.items()
    }
    over = total - sum(shares.values(), Fraction(0))
    while over >= coin:
        # More than one round only where a line is full.
        open_lines = [place for place in shares if shares[place] + coin <= limits[place]]
        if not open_lines:
            break
        for place in sorted(open_lines, key=lambda p: (shares[p] - exact[p], p)):
            if over < coin:
                break
            shares[place] += coin
            over -= coin
    return shares


def _as_money(shares: Shares) -> tuple[Decimal, dict[int, Decimal]]:
    own = {place: _decimal(share) for place, share in shares.items()}
    return sum(own.values(), ZERO), own


def _without(basket: Basket, given: Sequence[Discount], coin: Decimal) -> Basket:
    """The basket at what it costs then. A line's tax falls as its price does, to the coin."""
    off: dict[int, Decimal] = {}
    for item in given:
        for place, share in item.shares.items():
            off[place] = off.get(place, ZERO) + share
    if not off:
        return basket
    prices = _prices(Reckoner(basket), basket.taxes_included, LinesBody())
    lines = tuple(
        _reduced(line, off[place], prices[place], coin) if place in off else line
        for place, line in enumerate(basket.lines)
    )
    own = sum((line.tax for line in basket.lines), ZERO)
    goods = Fraction(sum((line.total for line in basket.lines), ZERO) - basket.discount_total)
    left = goods - Fraction(sum(off.values(), ZERO))
    beyond = _part(basket.tax_total - own, left, goods, coin)
    taxes = sum((line.tax for line in lines), ZERO) + beyond
    return replace(basket, lines=lines, tax_total=taxes)


def _reduced(line: Line, off: Decimal, price: Fraction, coin: Decimal) -> Line:
    tax = _part(line.tax, price - Fraction(off), price, coin)
    return replace(line, total=line.total - off, discount=line.discount + off, tax=tax)


def _part(amount: Decimal, part: Fraction, whole: Fraction, coin: Decimal) -> Decimal:
    """As much of an amount as there is of a whole, to the coin."""
    if not amount or whole <= 0:
        return amount
    exact = Fraction(amount) * max(part, Fraction(0)) / whole
    return _decimal(_rounded(exact, Fraction(coin), "nearest"))


def _decimal(exact: Fraction) -> Decimal:
    """A number of coins as money; exact, since coins are decimals."""
    return Decimal(exact.numerator) / Decimal(exact.denominator)


def _text(exact: Fraction) -> str:
    """As people read it: a price in thirds to four places."""
    value = Decimal(exact.numerator) / Decimal(exact.denominator)
    return plain_text(value.quantize(Decimal("0.0001"), ROUND_HALF_UP))
