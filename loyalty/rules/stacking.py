"""How rules get on with one another: multipliers, exclusive groups, and rules that stop others.

The order of evaluation: rates, cashback, fixed awards and bonuses of one order, by position; then
what multiplies rates and cashback, by position; then the caps of each.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import add, mul
from typing import Literal, NamedTuple

from loyalty.rules.amounts import plain_text
from loyalty.rules.bodies import MultiplierBody
from loyalty.rules.rate import Earning
from loyalty.rules.reckoning import Reckoner, yardstick_of
from loyalty.rules.steps import Kept, Raw

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

    def gains(self, reckoner: Reckoner, more: int, but: Collection[int] = ()) -> list[int]:
        """So many times more for the lines that it multiplies, and for shipping, unless it names
        lines; for some places it is not."""
        size = len(reckoner.basket.lines) + 1
        if self.scope.whole:
            gains = [more] * size
            for place in but:
                gains[place] = 0
            return gains
        gains = [0] * size
        for place in reckoner.eligible(self.scope):
            if place not in but:
                gains[place] = more
        return gains


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
    steps: list[list[Raw]] = [[] for _multiplier in multipliers]
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
                steps[number].append(["multiplied", multipliers[number].said, code, more])
                added[number] += after - before
                before = after
    return [(max(units, 0), tuple(said)) for units, said in zip(added, steps, strict=True)]


def _stretches(
    multipliers: Sequence[Multiplier], code: str, reckoner: Reckoner, how: Multiplying, one: int
) -> list[Stretch]:
    """What those that multiply the base with this code do, one after the other."""
    own = [n for n, each in enumerate(multipliers) if not each.of or code in each.of]
    if how == "best":
        return _best(own, multipliers, reckoner)
    if how == "add":
        return [(n, multipliers[n].gains(reckoner, multipliers[n].factor - one)) for n in own]
    found, factors = [], [one] * (len(reckoner.basket.lines) + 1)
    for number in own:
        more = multipliers[number].gains(reckoner, multipliers[number].factor - FACTORS)
        gained = [times * gain // FACTORS for times, gain in zip(factors, more, strict=True)]
        factors = list(map(add, factors, gained))
        found.append((number, gained))
    return found


def _best(
    own: Sequence[int], multipliers: Sequence[Multiplier], reckoner: Reckoner
) -> list[Stretch]:
    """For each line the largest counts, the first of those that are as large."""
    found: list[Stretch] = []
    taken: set[int] = set()
    for number in sorted(own, key=lambda number: multipliers[number].factor, reverse=True):
        gains = multipliers[number].gains(reckoner, multipliers[number].factor - FACTORS, taken)
        taken.update([place for place, gain in enumerate(gains) if gain])
        found.append((number, gains))
    found.sort()
    return found


def _stacked(earning: Earning, stretches: Sequence[Stretch], one: int) -> list[tuple[int, int]]:
    """The base's units after each multiplier that has lines of it."""
    measured, terms, found = earning.measured, earning.terms, []
    total, per = measured.total * one, measured.per * one
    if terms.together:
        rate, per, rounding = terms.rate, per * terms.per, terms.round
        for number, more in stretches:
            further = measured.times(more)
            if further:
                total += further
                found.append((number, rounding(total * rate, per) if total > 0 else 0))
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
