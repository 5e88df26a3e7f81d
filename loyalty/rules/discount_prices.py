"""What one discount rule takes off the prices that it finds, line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

from loyalty.rules.amounts import plain_text
from loyalty.rules.body_parts import BasePolicy, LinesBody
from loyalty.rules.bundles import bundled
from loyalty.rules.coins import NONE, Shares, as_text, spread, to_step
from loyalty.rules.discount_bodies import DiscountBody, DiscountBracket
from loyalty.rules.facts import ZERO, Basket
from loyalty.rules.reckoning import Reckoner, yardstick_by
from loyalty.rules.steps import Step

HUNDRED = 100
TAXES = {
    taxed: BasePolicy(include_tax=taxed, paid_with_stored_value=True, paid_with_units=True)
    for taxed in (True, False)
}


@dataclass(frozen=True, slots=True)
class Found:
    """What one rule would take off of prices as they stand."""

    shares: Shares
    steps: tuple[Step, ...]

    @property
    def amount(self) -> Fraction:
        return sum(self.shares.values(), Fraction(0))


class Bill:
    """The prices of an order, and what the discounts until now took off them.

    `in_turn`: the next one takes its part of what those before it left.
    """

    def __init__(self, basket: Basket, coin: Fraction, *, in_turn: bool) -> None:
        self.basket, self.coin, self.in_turn = basket, coin, in_turn
        self.reckoner = Reckoner(basket)
        self.taken: Shares = {}

    def take(self, shares: Shares) -> None:
        for place, share in shares.items():
            self.taken[place] = self.taken.get(place, Fraction(0)) + share

    def price(self, place: int, full: Fraction) -> Fraction:
        """What the next rule takes its part of."""
        return full - self.taken.get(place, Fraction(0)) if self.in_turn else full

    def left(self, place: int, full: Fraction) -> Fraction:
        """What a line costs after the discounts until now: nothing costs less than nothing."""
        return full - self.taken.get(place, Fraction(0))


class Pricing:
    """One rule and the prices that it finds."""

    def __init__(self, body: DiscountBody, bill: Bill, spent: Fraction) -> None:
        self.body, self.bill, self.spent = body, bill, spent
        self.lines = bill.basket.lines
        self.taxed = bill.basket.taxes_included
        self.full = full = self._prices(self.taxed)
        # What it may take at most, and what it takes its part of.
        self.left = {place: bill.left(place, price) for place, price in full.items()}
        self.prices = {
            place: price
            for place, price in ((place, bill.price(place, price)) for place, price in full.items())
            if price > 0 and self.left[place] > 0
        }

    def _prices(self, taxed: bool) -> Shares:
        """Of each eligible line, after what was taken off already when it came."""
        prices = prices_of(self.bill.reckoner, taxed, self.body)
        if self.body.reduced_too:
            return prices
        return {place: price for place, price in prices.items() if not self.lines[place].discount}

    def found(self) -> Found:
        body = self.body
        goods = sum(self.prices.values(), Fraction(0))
        steps: list[Step] = [
            ("eligible", str(len(self.prices)), str(len(self.lines))),
            ("goods", as_text(goods)),
        ]
        if not self.prices:
            return Found(NONE, tuple(steps))
        measured = self._measured()
        if body.least is not None and measured < Fraction(body.least):
            return Found(NONE, (*steps, ("below_least", plain_text(body.least), as_text(measured))))
        if body.off == "bundle":
            return self._bundled(steps)
        percent, amount = body.percent, body.amount
        if body.brackets:
            by, reached = self._reached(measured)
            bracket = bracket_reached(body.brackets, reached)
            if bracket is None:
                first = plain_text(body.brackets[0].above)
                return Found(NONE, (*steps, ("below_brackets", by, as_text(reached), first)))
            steps.append(("bracket", by, as_text(reached), plain_text(bracket.above)))
            percent, amount = bracket.percent, bracket.amount
        exact, said = self._off(percent, amount)
        shares, more = self._rounded(exact)
        return Found(shares, (*steps, *said, *more))

    def _bundled(self, steps: list[Step]) -> Found:
        body = self.body
        assert body.price is not None
        price = Fraction(body.price)
        found = bundled(body.bundle, price, body.times, self.lines, self.prices)
        if not found.count:
            return Found(NONE, (*steps, ("no_bundle", plain_text(body.price))))
        said: Step = (
            "bundles", str(found.count), as_text(found.one_by_one), plain_text(body.price)
        )  # fmt: skip
        shares, more = self._rounded(dict(found.shares))
        return Found(shares, (*steps, said, *more))

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
            said: Step = ("percent_off", plain_text(percent), as_text(base))
        else:
            assert amount is not None
            exact = self._amounts(Fraction(amount), pieces)
            said = ("amount_off", plain_text(amount), self.body.off)
        cheapest = sum((number for _price, number in pieces.values()), Fraction(0))
        steps = (("cheapest", as_text(cheapest)), said) if self.body.off == "cheapest" else (said,)
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
        body, coin = self.body, self.bill.coin
        # No price is finer than a coin.
        step = ceil(Fraction(body.step or coin) / coin) * coin
        limits = self._limits(exact)
        per, mode = body.rounding.per, body.rounding.mode
        if self._is_one_amount:
            per = "order"
        if per == "line":
            shares = {
                place: min(to_step(share, step, mode), limits[place])
                for place, share in exact.items()
            }
            total = sum(shares.values(), Fraction(0))
        else:
            total = to_step(sum(exact.values(), Fraction(0)), step, mode)
            total = min(total, sum(limits.values(), Fraction(0)))
            shares = spread(total, exact, limits, coin)
        steps: list[Step] = []
        if body.most is not None and total > Fraction(body.most):
            total = floor(Fraction(body.most) / coin) * coin
            shares = spread(total, shares, limits, coin)
            steps.append(("at_most", plain_text(body.most)))
        steps.append(("off", mode, per, as_text(total)))
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
        coin = self.bill.coin
        left = {place: self.left[place] for place in exact}
        goods = sum(prices_of(self.bill.reckoner, self.taxed, LinesBody()).values(), Fraction(0))
        rest = goods - sum(self.bill.taken.values(), Fraction(0))
        whole = max(min(sum(left.values(), Fraction(0)), rest), Fraction(0))
        most = {place: ceil(price / coin) * coin for place, price in left.items()}
        return spread(floor(whole / coin) * coin, left, most, coin)


def prices_of(reckoner: Reckoner, taxed: bool, body: LinesBody) -> Shares:
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
