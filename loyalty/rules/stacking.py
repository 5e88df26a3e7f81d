"""How rules get on with one another: multipliers, exclusive groups, and rules that stop others.

The order of evaluation: rates, cashback, fixed awards and bonuses of one order, by position; then
what multiplies rates and cashback, by position; then the caps of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import add, mul
from typing import Literal, NamedTuple

from loyalty.rules.amounts import plain_text
from loyalty.rules.bodies import MultiplierBody
from loyalty.rules.rate import Earning
from loyalty.rules.reckoning import SHIPPING, Reckoner, yardstick_of
from loyalty.rules.steps import Kept, Value

# Of several multipliers for one line the largest counts, what each adds is added up, or each
# multiplies what those before it made.
Multiplying = Literal["best", "add", "multiply"]
# Factors as whole numbers: they have at most so many decimals.
FACTORS = 10_000


class Base(NamedTuple):
    """A rate or cashback that can be multiplied; `most`: its own limit for one order; `one`: how
    many of the smallest units are one."""

    code: str
    most: int | None
    one: int


class Multiplier:
    """A body made ready to multiply in many baskets."""

    __slots__ = ("factor", "group", "of", "said", "scope")

    def __init__(self, body: MultiplierBody) -> None:
        self.factor, self.said = int(body.factor * FACTORS), plain_text(body.factor)
        self.scope, self.of = yardstick_of(body).scope, frozenset(body.of)
        self.group = body.group

    def places(self, reckoner: Reckoner) -> Sequence[int]:
        """The lines that it multiplies; shipping too, unless it names lines."""
        if self.scope.whole:
            return range(SHIPPING, len(reckoner.basket.lines))
        return reckoner.eligible(self.scope)


# What one of several multipliers does, by its number: how many times more each line, and last
# shipping, counts with it than with those before it.
Stretch = tuple[int, list[int]]


def multiply(
    multipliers: Sequence[Multiplier],
    bases: Iterable[tuple[Base, Earning]],
    reckoner: Reckoner,
    how: Multiplying,
) -> list[tuple[int, Kept]]:
    """What each multiplier adds, in their order, and why. Together with the bases it is what the
    rates would give for each line times its factor, rounded once."""
    added = [0] * len(multipliers)
    steps: list[list[tuple[Value, ...]]] = [[] for _multiplier in multipliers]
    one = FACTORS ** len(multipliers) if how == "multiply" else FACTORS
    known: dict[str, list[Stretch]] = {}
    picky = any(each.of for each in multipliers)
    for (code, most, unit), earning in bases:
        key = code if picky else ""
        if key not in known:
            known[key] = _stretches(multipliers, key, reckoner, how, one)
        before = earning.units if most is None else min(earning.units, most)
        for number, stacked in _stacked(earning, known[key], one):
            after = stacked if most is None or stacked < most else most
            if after != before:
                more = (after - before, unit)
                steps[number].append(("multiplied", multipliers[number].said, code, more))
                added[number] += after - before
                before = after
    return [(max(units, 0), tuple(said)) for units, said in zip(added, steps, strict=True)]


def _stretches(
    multipliers: Sequence[Multiplier], code: str, reckoner: Reckoner, how: Multiplying, one: int
) -> list[Stretch]:
    """What those that multiply the base with this code do, one after the other."""
    places = {
        number: each.places(reckoner)
        for number, each in enumerate(multipliers)
        if not each.of or code in each.of
    }
    size = len(reckoner.basket.lines) + 1
    found = {number: [0] * size for number in places}
    if how == "best":
        for place, number in _best(places, multipliers).items():
            found[number][place] = multipliers[number].factor - one
        return list(found.items())
    factors = [one] * size
    for number, more in found.items():
        factor = multipliers[number].factor
        for place in places[number]:
            if how == "multiply":
                more[place] = factors[place] * factor // FACTORS - factors[place]
                factors[place] += more[place]
            else:
                more[place] = factor - one
    return list(found.items())


def _best(places: Mapping[int, Sequence[int]], multipliers: Sequence[Multiplier]) -> dict[int, int]:
    """Which multiplier counts at each place: the largest, the first of those that are as large."""
    best: dict[int, int] = {}
    for number in sorted(places, key=lambda number: (multipliers[number].factor, -number)):
        best.update(dict.fromkeys(places[number], number))
    return best


def _stacked(earning: Earning, stretches: Sequence[Stretch], one: int) -> list[tuple[int, int]]:
    """The base's units after each multiplier that has lines of it."""
    measured, terms, found = earning.measured, earning.terms, []
    total, per = measured.total * one, measured.per * one
    if terms.together:
        for number, more in stretches:
            further = measured.times(more)
            if further:
                total += further
                found.append((number, terms.units_of(total, per)))
        return found
    factors = [one] * len(measured.parts)
    for number, more in stretches:
        factors = list(map(add, factors, more))
        found.append((number, terms.units_of_each(map(mul, measured.parts, factors), per)))
    return found


def best_of_groups(
    groups: Mapping[int, tuple[int, str]], units: Mapping[int, int]
) -> dict[int, int]:
    """Which versions give way to which: in each group (of one wallet type) all but the one that
    awards most, the first of those that award the same."""
    best: dict[tuple[int, str], int] = {}
    for version, group in groups.items():
        if group not in best or units[version] > units[best[group]]:
            best[group] = version
    return {version: best[group] for version, group in groups.items() if best[group] != version}
