"""How rules get on with one another: multipliers, exclusive groups, and rules that stop others.

The order of evaluation: rates, cashback, fixed awards and bonuses of one order, by position; then
what multiplies rates and cashback, by position; then the caps of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import add, itemgetter, mul
from typing import Literal, NamedTuple

from loyalty.rules.amounts import plain_text
from loyalty.rules.bodies import MultiplierBody
from loyalty.rules.rate import Earned
from loyalty.rules.reckoning import Chosen, Measured, Reckoner, yardstick_of
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


class Even:
    """So many times more for some places, the same for each: None for all lines and shipping; `but`
    for some of them not."""

    __slots__ = ("but", "more", "places")

    def __init__(self, more: int, places: Chosen | None, but: Chosen = ()) -> None:
        self.more, self.places, self.but = more, places, but

    def of(self, measured: Measured) -> int:
        """What it adds to the total."""
        if self.places is not None:
            return measured.part(self.places) * self.more
        left = measured.part(self.but) if self.but else 0
        return (measured.total - left) * self.more

    def each(self, size: int) -> list[int]:
        """How many times more each line, and last shipping, counts."""
        found = [self.more if self.places is None else 0] * size
        for place in self.but:
            found[place] = 0
        for place in self.places or ():
            found[place] = self.more
        return found


class Uneven:
    """The same, where it is another number for each place."""

    __slots__ = ("gains",)

    def __init__(self, gains: list[int]) -> None:
        self.gains = gains

    def of(self, measured: Measured) -> int:
        return measured.times(self.gains)

    def each(self, _size: int) -> list[int]:
        return self.gains


# What one of several multipliers does, by its number: how many times more lines and shipping count
# with it than with those before it.
Stretch = tuple[int, Even | Uneven]


class Multiplier:
    """A body made ready to multiply in many baskets."""

    __slots__ = ("factor", "group", "more", "of", "said", "scope")

    def __init__(self, body: MultiplierBody) -> None:
        self.factor, self.said = int(body.factor * FACTORS), plain_text(body.factor)
        self.scope, self.of = yardstick_of(body).scope, frozenset(body.of)
        self.group, self.more = body.group, self.factor - FACTORS

    def gains(self, reckoner: Reckoner) -> Even:
        """The lines that it multiplies; shipping too, unless it names lines."""
        return Even(self.more, None if self.scope.whole else reckoner.eligible(self.scope))


def multiply(
    multipliers: Sequence[Multiplier],
    bases: Iterable[tuple[Base, Earned]],
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
    for (code, most, unit), earned in bases:
        key = code if picky else ""
        if key not in known:
            known[key] = _stretches(multipliers, key, reckoner, how, one)
        before = earned[0] if most is None or earned[0] < most else most
        for number, stacked in _stacked(earned, known[key], one):
            after = stacked if most is None or stacked < most else most
            if after != before:
                head = "multiplied", multipliers[number].said, code
                steps[number].append([head, (after - before, unit)])
                added[number] += after - before
                before = after
    return [(max(units, 0), tuple(said)) for units, said in zip(added, steps, strict=True)]


def _stretches(
    multipliers: Sequence[Multiplier], code: str, reckoner: Reckoner, how: Multiplying, one: int
) -> list[Stretch]:
    """What those that multiply the base with this code do, one after the other."""
    own = [n for n, each in enumerate(multipliers) if not each.of or code in each.of]
    if how == "best" and len(own) > 1:
        return _best(own, multipliers, reckoner)
    if how != "multiply":
        return [(n, multipliers[n].gains(reckoner)) for n in own]
    size, found = len(reckoner.basket.lines) + 1, list[Stretch]()
    factors = [one] * size
    for number in own:
        more = multipliers[number].gains(reckoner).each(size)
        gained = [times * gain // FACTORS for times, gain in zip(factors, more, strict=True)]
        factors = list(map(add, factors, gained))
        found.append((number, Uneven(gained)))
    return found


def _best(
    own: Iterable[int], multipliers: Sequence[Multiplier], reckoner: Reckoner
) -> list[Stretch]:
    """For each line the largest counts, the first of those that are as large."""
    found: list[Stretch] = []
    taken: Chosen = ()
    for number in sorted(own, key=lambda number: multipliers[number].factor, reverse=True):
        gains = multipliers[number].gains(reckoner)
        if gains.places is None:
            # Those that are smaller find nothing that is left.
            found.append((number, Even(gains.more, None, taken)))
            break
        places = gains.places
        if taken:
            places = tuple([place for place in places if place not in taken])
        found.append((number, Even(gains.more, places)))
        taken += places
    found.sort(key=itemgetter(0))
    return found


def _stacked(earned: Earned, stretches: Iterable[Stretch], one: int) -> list[tuple[int, int]]:
    """The base's units after each multiplier that has lines of it."""
    _units, _kept, measured, terms = earned
    found: list[tuple[int, int]] = []
    if terms.together:
        total, per = measured.total * one, measured.per * one * terms.per
        for number, gains in stretches:
            further = gains.of(measured)
            if further:
                total += further
                units = terms.round(total * terms.rate, per) if total > 0 else 0
                found.append((number, units))
        return found
    parts, per = measured.parts, measured.per * one
    factors = [one] * len(parts)
    for number, gains in stretches:
        factors = list(map(add, factors, gains.each(len(parts))))
        found.append((number, terms.units_of_each(map(mul, parts, factors), per)))
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
