"""How rules get on with one another: multipliers, exclusive groups, and rules that stop others.

The order of evaluation: rates, cashback, fixed awards and bonuses of one order, by position; then
what multiplies rates and cashback, by position; then the caps of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from operator import add, itemgetter, mul
from typing import Literal, NamedTuple

from loyalty.rules.amounts import plain_text, text_of
from loyalty.rules.bodies import MultiplierBody
from loyalty.rules.rate import Earned, Terms
from loyalty.rules.reckoning import NO_LINES, Chosen, Measured, Reckoner, yardstick_of
from loyalty.rules.steps import Kept, Steps

# Of several multipliers for one line the largest counts, what each adds is added up, or each
# multiplies what those before it made.
Multiplying = Literal["best", "add", "multiply"]
# Factors as whole numbers: they have at most so many decimals.
FACTORS = 10_000


class Base(NamedTuple):
    """A rate or cashback that can be multiplied; `most`: its own limit for one order; `one`: how
    many of the smallest units are one; `name`: what people call it."""

    code: str
    most: int | None
    one: int
    name: str


class Even:
    """So many times more for some places, the same for each: None for all lines and shipping; `but`
    for some of them not."""

    __slots__ = ("but", "more", "places")

    def __init__(self, more: int, places: Chosen | None, but: Chosen = NO_LINES) -> None:
        self.more, self.places, self.but = more, places, but

    def of(self, measured: Measured) -> int:
        """What it adds to the total."""
        if self.places is not None:
            return measured.part(self.places) * self.more if self.places else 0
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


# What a multiplier adds to a base: its name, and number : per.
Gain = tuple[str, int, int]


class Gains:
    """What a multiplier adds to each base."""

    __slots__ = ("factor", "gains")

    def __init__(self, factor: str, gains: Sequence[Gain]) -> None:
        self.factor, self.gains = factor, gains

    @property
    def steps(self) -> Steps:
        factor = self.factor
        return tuple(
            [("multiplied", factor, name, text_of(units, one)) for name, units, one in self.gains]
        )


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

    def alone(self, bases: Iterable[tuple[Base, Earned]], reckoner: Reckoner) -> tuple[int, Kept]:
        """What it adds where no other multiplies the same lines, as `Together.multiply` says."""
        added, steps, of = 0, list[Gain](), self.of
        gains = self.gains(reckoner)
        for (code, most, unit, name), earned in bases:
            if of and code not in of:
                continue
            units, _kept, measured, terms = earned
            if terms.together:
                further = gains.of(measured)
                if not further:
                    continue
                total = measured.total * FACTORS + further
                per = measured.per * FACTORS * terms.per
                after = terms.round(total * terms.rate, per) if total > 0 else 0
            else:
                [(_number, after)] = _stacked_by_line(measured, terms, [(0, gains)], FACTORS)
            if most is not None:
                units, after = min(units, most), min(after, most)
            if after != units:
                steps.append((name, after - units, unit))
                added += after - units
        return max(added, 0), (Gains(self.said, steps),) if steps else ()


class Together:
    """Multipliers that work together, made ready for all baskets in which it is just these."""

    __slots__ = ("_how", "_multipliers", "_one", "_own", "_picky", "grouped")

    def __init__(self, multipliers: Sequence[Multiplier], how: Multiplying) -> None:
        self._multipliers, self._how = multipliers, how
        self._picky = any(each.of for each in multipliers)
        self.grouped = any(each.group for each in multipliers)
        self._one = FACTORS ** len(multipliers) if how == "multiply" else FACTORS
        # Those that multiply a base, by its code, in the order in which lines are given to them.
        self._own: dict[str, list[int]] = {}

    def multiply(
        self, bases: Iterable[tuple[Base, Earned]], reckoner: Reckoner
    ) -> list[tuple[int, Kept]]:
        """What each multiplier adds, in their order, and why. Together with the bases it is what
        the rates would give for each line times its factor, rounded once."""
        multipliers, one, picky = self._multipliers, self._one, self._picky
        added = [0] * len(multipliers)
        steps: list[list[Gain]] = [[] for _multiplier in multipliers]
        known: dict[str, list[Stretch]] = {}
        for (code, most, unit, name), earned in bases:
            key = code if picky else ""
            stretches = known.get(key)
            if stretches is None:
                stretches = known[key] = self._stretches(key, reckoner)
            before = earned[0] if most is None or earned[0] < most else most
            for number, units in _stacked(earned, stretches, one):
                after = units if most is None or units < most else most
                if after != before:
                    steps[number].append((name, after - before, unit))
                    added[number] += after - before
                    before = after
        return [
            (max(units, 0), (Gains(multiplier.said, gains),) if gains else ())
            for units, gains, multiplier in zip(added, steps, multipliers, strict=True)
        ]

    def _numbers(self, code: str) -> list[int]:
        """Those that multiply the base with this code; the largest first where the best counts."""
        own = self._own.get(code)
        if own is None:
            factors = {
                number: each.factor
                for number, each in enumerate(self._multipliers)
                if not each.of or code in each.of
            }
            own = sorted(factors, key=lambda number: -factors[number])
            self._own[code] = own if self._how == "best" else list(factors)
        return self._own[code]

    def _stretches(self, code: str, reckoner: Reckoner) -> list[Stretch]:
        """What each of them does, one after the other."""
        own, multipliers = self._numbers(code), self._multipliers
        if self._how == "best" and len(own) > 1:
            return _best(own, multipliers, reckoner)
        if self._how != "multiply":
            return [(number, multipliers[number].gains(reckoner)) for number in own]
        size, found = len(reckoner.basket.lines) + 1, list[Stretch]()
        factors = [self._one] * size
        for number in own:
            more = multipliers[number].gains(reckoner).each(size)
            gained = [times * gain // FACTORS for times, gain in zip(factors, more, strict=True)]
            factors = list(map(add, factors, gained))
            found.append((number, Uneven(gained)))
        return found


@lru_cache(maxsize=1000)
def together_as(multipliers: tuple[Multiplier, ...], how: Multiplying) -> Together:
    return Together(multipliers, how)


def _stacked(earned: Earned, stretches: Iterable[Stretch], one: int) -> Sequence[tuple[int, int]]:
    """The base's units after each multiplier that has lines of it."""
    _units, _kept, measured, terms = earned
    if not terms.together:
        return _stacked_by_line(measured, terms, stretches, one)
    total, per = measured.total * one, measured.per * one * terms.per
    rate, rounded, found = terms.rate, terms.round, []
    for number, gains in stretches:
        further = gains.of(measured)
        if further:
            total += further
            found.append((number, rounded(total * rate, per) if total > 0 else 0))
    return found


def _stacked_by_line(
    measured: Measured, terms: Terms, stretches: Iterable[Stretch], one: int
) -> Sequence[tuple[int, int]]:
    parts, per, found = measured.parts, measured.per * one, []
    factors = [one] * len(parts)
    for number, gains in stretches:
        factors = list(map(add, factors, gains.each(len(parts))))
        found.append((number, terms.units_of_each(map(mul, parts, factors), per)))
    return found


def _best(
    own: Iterable[int], multipliers: Sequence[Multiplier], reckoner: Reckoner
) -> list[Stretch]:
    """For each line the largest counts, the first of those that are as large."""
    found: list[Stretch] = []
    taken: Chosen = NO_LINES
    for number in own:
        multiplier = multipliers[number]
        if multiplier.scope.whole:
            # Those that are smaller find nothing that is left.
            found.append((number, Even(multiplier.more, None, taken)))
            break
        places = reckoner.eligible(multiplier.scope)
        if taken:
            places = [place for place in places if place not in taken]
        found.append((number, Even(multiplier.more, places)))
        taken = [*taken, *places] if taken else places
    found.sort(key=itemgetter(0))
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
