"""What rates, cashback and fixed awards give for a basket, before they are stacked and capped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction

from loyalty.rules.bodies import BaseBody, CashbackBody, FixedBody, RateBody, Rounding
from loyalty.rules.facts import ZERO
from loyalty.rules.reckoning import (
    Amount,
    Chosen,
    Parts,
    Reckoner,
    Step,
    plain_text,
    times,
    total_of,
)

ROUNDING = {"down": ROUND_DOWN, "nearest": ROUND_HALF_UP, "up": ROUND_UP}
ONE, HUNDRED = Decimal(1), Decimal(100)


@dataclass(frozen=True, slots=True)
class Earning:
    """What a rate or cashback gives. `bases`: what each chosen line counts, and shipping; `rate`
    and `rates` (of lines with another one): units for so many `per`."""

    units: int
    steps: tuple[Step, ...]
    bases: Parts
    rate: Amount
    rates: Mapping[int, Amount]
    per: Decimal
    rounding: Rounding
    scale: int

    def parts(self) -> Parts:
        """The exact units × `per` of each line and of shipping, so that another factor for some of
        them rounds as the rule itself does."""
        if self.rate == ONE and not self.rates:
            return self.bases
        rate, rates = self.rate, self.rates
        return {place: times(base, rates.get(place, rate)) for place, base in self.bases.items()}

    def rounded(self, parts: Iterable[Amount]) -> int:
        """Units for such parts: of each line, or all together."""
        return _units(parts, self.per, self.rounding, self.scale)


def earn(body: BaseBody, reckoner: Reckoner, scale: int, spent: Decimal = ZERO) -> Earning:
    """Units at the wallet type's scale, and the steps that led there. `spent`: what the member had
    spent in the calendar year before, for cashback by brackets."""
    if isinstance(body, CashbackBody):
        return _cashback(body, reckoner, scale, spent)
    return _rate(body, reckoner, scale)


def fixed(body: FixedBody, reckoner: Reckoner, scale: int) -> tuple[int, tuple[Step, ...]]:
    """Units for an order with anything eligible in it that costs something."""
    amount, steps = reckoner.money(body, reckoner.eligible(body))
    if amount <= 0:
        return 0, steps
    return int(body.units.scaleb(scale)), (*steps, ("fixed", plain_text(body.units)))


def _rate(body: RateBody, reckoner: Reckoner, scale: int) -> Earning:
    chosen = reckoner.eligible(body)
    if body.measure == "quantity":
        bases = reckoner.quantities(chosen)
        total = total_of(bases.values())
        steps: tuple[Step, ...] = (
            ("eligible", str(len(chosen)), str(len(reckoner.basket.lines))),
            ("quantity", plain_text(total)),
        )
    else:
        bases = reckoner.parts(body, chosen)
        total, steps = reckoner.money(body, chosen)
    if body.rounding.per == "order":
        units = max(_rounded(times(total, body.units), body.per, body.rounding, scale), 0)
    else:
        parts = (times(base, body.units) for base in bases.values())
        units = _units(parts, body.per, body.rounding, scale)
    rate = ("rate", plain_text(body.units), plain_text(body.per), body.measure)
    steps = (*steps, rate, _made(body.rounding, units, scale))
    return Earning(units, steps, bases, body.units, {}, body.per, body.rounding, scale)


def _cashback(body: CashbackBody, reckoner: Reckoner, scale: int, spent: Decimal) -> Earning:
    chosen = reckoner.eligible(body)
    amount, steps = reckoner.money(body, chosen)
    bases = reckoner.parts(body, chosen)
    if body.brackets:
        rate, said = _by_brackets(body, amount, spent)
        rates: Mapping[int, Amount] = {}
    else:
        rate = body.percent
        rates = _own_percents(body, reckoner, chosen)
        said = _percent_steps(body.percent, rates, bases)
    earning = Earning(0, (), bases, rate, rates, HUNDRED, body.rounding, scale)
    units = earning.rounded(earning.parts().values())
    return replace(earning, units=units, steps=(*steps, *said, _made(body.rounding, units, scale)))


def _own_percents(body: CashbackBody, reckoner: Reckoner, chosen: Chosen) -> dict[int, Amount]:
    """The percentages of lines whose category has its own."""
    own = {item.category: item.percent for item in body.by_category}
    lines = reckoner.basket.lines
    return {place: own[lines[place].category] for place in chosen if lines[place].category in own}


def _percent_steps(usual: Decimal, rates: Mapping[int, Amount], bases: Parts) -> list[Step]:
    """What was given back of which amount, for each percentage."""
    by_percent: dict[Amount, list[Amount]] = {}
    for place, base in bases.items():
        percent = rates.get(place, usual)
        if percent and base:
            by_percent.setdefault(percent, []).append(base)
    return [
        ("cashback", plain_text(percent), plain_text(total_of(amounts)))
        for percent, amounts in sorted(by_percent.items())
    ]


def _by_brackets(body: CashbackBody, amount: Amount, spent: Decimal) -> tuple[Amount, list[Step]]:
    """The percentage of the amount as a whole, when each part of it has that of the bracket which
    it falls into; what was spent before fills the lower ones."""
    if amount <= 0:
        return ZERO, []
    ends = [*(bracket.above for bracket in body.brackets[1:]), None]
    steps: list[Step] = [("spent_before", plain_text(spent))]
    earned: Amount = ZERO
    for bracket, end in zip(body.brackets, ends, strict=True):
        first = max(bracket.above, spent)
        reached = total_of((spent, amount))
        last: Amount = reached if end is None or reached < end else end
        part = total_of((last, -first)) if last > first else ZERO
        if part:
            earned = total_of((earned, times(part, bracket.percent)))
            steps.append(("cashback", plain_text(bracket.percent), plain_text(part)))
    return Fraction(earned) / Fraction(amount), steps


def _units(parts: Iterable[Amount], per: Decimal, rounding: Rounding, scale: int) -> int:
    """Rounded line by line, or all together; never below zero."""
    if rounding.per == "order":
        parts = (total_of(parts),)
    return max(sum(_rounded(part, per, rounding, scale) for part in parts), 0)


def _rounded(part: Amount, per: Decimal, rounding: Rounding, scale: int) -> int:
    if isinstance(part, Decimal):
        made = part if per == ONE else part / per
        if scale:
            made = made.scaleb(scale)
        return int(made.to_integral_value(ROUNDING[rounding.mode]))
    exact = part / Fraction(per) * 10**scale
    whole, rest = divmod(abs(exact), 1)
    up = {"down": False, "nearest": 2 * rest >= 1, "up": rest > 0}[rounding.mode]
    return int(whole + up) * (-1 if exact < 0 else 1)


def _made(rounding: Rounding, units: int, scale: int) -> Step:
    return ("rounded", rounding.mode, rounding.per, plain_text(Decimal(units).scaleb(-scale)))
