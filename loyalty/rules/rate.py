"""What rates, cashback and fixed awards give for a basket, before they are stacked and capped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from loyalty.rules.amounts import ROUNDING, plain_text, ratio_of, rounded
from loyalty.rules.bodies import BaseBody, CashbackBody, FixedBody, RateBody
from loyalty.rules.body_parts import Rounding
from loyalty.rules.facts import ZERO, Line
from loyalty.rules.reckoning import Measured, Reckoner, yardstick_of
from loyalty.rules.steps import Kept, Raw, Step, Steps, told

# Percentages as whole numbers: they have at most so many decimals.
PERCENTS = 10_000


class Terms:
    """How a rate or cashback makes units of what is measured: `rate` for so many `per`, rounded
    once or on each line, and never below zero."""

    __slots__ = ("mode", "per", "rate", "round", "together")

    def __init__(self, rate: int, per: int, rounding: Rounding) -> None:
        self.rate, self.per, self.mode = rate, per, rounding.mode
        self.together, self.round = rounding.per == "order", ROUNDING[rounding.mode]

    def units(self, measured: Measured) -> int:
        if self.together:
            total = measured.total
            return self.round(total * self.rate, measured.per * self.per) if total > 0 else 0
        return self.units_of_each(measured.parts, measured.per)

    def units_of_each(self, parts: Iterable[int], per: int) -> int:
        """Units for such parts: what each comes to, and all of them together."""
        rate, per, mode = self.rate, per * self.per, self.mode
        return max(sum([rounded(part * rate, per, mode) for part in parts if part]), 0)


# What a rate or cashback gives for what it measured.
Earned = tuple[int, Kept, Measured, Terms]


class Earning(NamedTuple):
    """The same by name."""

    units: int
    kept: Kept
    measured: Measured
    terms: Terms

    @property
    def steps(self) -> Steps:
        return told(self.kept)


# Units of what is measured of a basket, for a member who had spent so much in the calendar year
# before.
Earner = Callable[[Reckoner, Measured, Decimal], Earned]
Fixed = Callable[[Reckoner], tuple[int, Kept]]


def earn(body: BaseBody, reckoner: Reckoner, scale: int, spent: Decimal = ZERO) -> Earning:
    """Units at the wallet type's scale, and the steps that led there."""
    yardstick = yardstick_of(body)
    by_quantity = measures_quantity(body)
    measured = reckoner.quantities(yardstick.scope) if by_quantity else reckoner.money(yardstick)
    return Earning(*earner(body, scale)(reckoner, measured, spent))


def measures_quantity(body: BaseBody) -> bool:
    """Instead of money."""
    return isinstance(body, RateBody) and body.measure == "quantity"


def earner(body: BaseBody, scale: int) -> Earner:
    """A rate or cashback made ready to judge many baskets."""
    if isinstance(body, RateBody):
        return _rate(body, scale)
    return _by_brackets(body, scale) if body.brackets else _cashback(body, scale)


def fixed(body: FixedBody, scale: int) -> Fixed:
    """Units for an order with anything eligible in it that costs something."""
    yardstick, units = yardstick_of(body), int(body.units.scaleb(scale))
    said = "fixed", plain_text(body.units)

    def award(reckoner: Reckoner) -> tuple[int, Kept]:
        measured = reckoner.money(yardstick)
        if measured.total <= 0:
            return 0, (measured,)
        return units, (measured, said)

    return award


def _rate(body: RateBody, scale: int) -> Earner:
    terms, one = Terms(*ratio_of(body.units, body.per, scale), body.rounding), 10**scale
    said = ("rate", plain_text(body.units), plain_text(body.per), body.measure)
    made, together = _made(body.rounding), terms.together
    rate, per, rounding = terms.rate, terms.per, terms.round

    def award(_reckoner: Reckoner, measured: Measured, _spent: Decimal) -> Earned:
        total = measured.total
        if together:
            units = rounding(total * rate, measured.per * per) if total > 0 else 0
        else:
            units = terms.units(measured)
        return units, (measured, said, [made, (units, one)]), measured, terms

    return award


def _cashback(body: CashbackBody, scale: int) -> Earner:
    made, one = _made(body.rounding), 10**scale
    usual = int(body.percent * PERCENTS)
    percent_of = _percents_by_line(body, usual)
    terms = Terms(one, PERCENTS * 100, body.rounding)

    def award(reckoner: Reckoner, measured: Measured, _spent: Decimal) -> Earned:
        lines = reckoner.basket.lines
        percents = [usual] * len(measured.parts)
        if percent_of is not None:
            for place in measured.chosen:
                percents[place] = percent_of(lines[place])
        said = _percent_steps(percents, measured)
        weighed = measured.weighed(percents)
        units = terms.units(weighed)
        return units, (measured, *said, [made, (units, one)]), weighed, terms

    return award


def _percents_by_line(body: CashbackBody, usual: int) -> Callable[[Line], int] | None:
    """What an item gives back: as its category says, else as its margin does, else as usual. None:
    all give the same."""
    own = {item.category: int(item.percent * PERCENTS) for item in body.by_category}
    margins = [(item.at_least, int(item.percent * PERCENTS)) for item in reversed(body.by_margin)]
    if not own and not margins:
        return None

    def percent_of(line: Line) -> int:
        if line.category in own:
            return own[line.category]
        if line.margin is None:
            return usual
        return next((percent for least, percent in margins if line.margin >= least), usual)

    return percent_of


def _percent_steps(percents: Sequence[int], measured: Measured) -> Kept:
    """What was given back of which amount, for each percentage."""
    by_percent: dict[int, int] = {}
    for percent, part in zip(percents, measured.parts, strict=True):
        if percent and part:
            by_percent[percent] = by_percent.get(percent, 0) + part
    return tuple(
        [("cashback",), (percent, PERCENTS), (amount, measured.per)]
        for percent, amount in sorted(by_percent.items())
    )


def _by_brackets(body: CashbackBody, scale: int) -> Earner:
    made, one = _made(body.rounding), 10**scale

    def award(_reckoner: Reckoner, measured: Measured, spent: Decimal) -> Earned:
        percent, said = _percent_of_brackets(body, measured, spent)
        rate = percent / 100 * one
        terms = Terms(rate.numerator, rate.denominator, body.rounding)
        units = terms.units(measured)
        return units, (measured, *said, [made, (units, one)]), measured, terms

    return award


def _percent_of_brackets(
    body: CashbackBody, measured: Measured, spent: Decimal
) -> tuple[Fraction, Kept]:
    """The percentage of the amount as a whole, when each part of it has that of the bracket which
    it falls into; what was spent before fills the lower ones."""
    amount = Fraction(measured.total, measured.per)
    if amount <= 0:
        return Fraction(0), ()
    ends = [*(Fraction(bracket.above) for bracket in body.brackets[1:]), None]
    said: list[Raw] = [[("spent_before",), spent]]
    before, earned = Fraction(spent), Fraction(0)
    for bracket, end in zip(body.brackets, ends, strict=True):
        first, last = max(Fraction(bracket.above), before), before + amount
        part = (last if end is None else min(last, end)) - first
        if part > 0:
            earned += part * Fraction(bracket.percent)
            said.append([("cashback",), bracket.percent, (part.numerator, part.denominator)])
    return earned / amount, tuple(said)


def _made(rounding: Rounding) -> Step:
    """How a step begins that says what it is in units."""
    return "rounded", rounding.mode, rounding.per
