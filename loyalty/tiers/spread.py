"""How members spread over amounts, and so over tiers: counts for thresholds, and thresholds for
the shares that one would like.

The members stand in parts, by rising amounts: single members where they are few, else a thousandth
of them in each.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import accumulate, pairwise

# Percent of the members that each tier should have, by how many tiers there are. Four are the usual
# aim; fewer and more are the same pyramid with steps left out or put on top.
TARGETS = {
    2: (85, 15),
    3: (60, 30, 10),
    4: (60, 25, 12, 3),
    5: (55, 25, 12, 6, 2),
    6: (50, 25, 13, 7, 4, 1),
}
# Thresholds that people can keep in mind.
_STEPS = "1 1.2 1.5 1.8 2 2.5 3 3.5 4 4.5 5 6 7 7.5 8 9"
NICE = tuple(map(Decimal, _STEPS.split()))


@dataclass(frozen=True, slots=True)
class Part:
    """Members next to each other: the lowest and highest amount of them, how many they are, and
    what they earned in all, in whole units."""

    lowest: Decimal
    highest: Decimal
    members: int
    units: Decimal = Decimal(0)

    def share_from(self, threshold: Decimal) -> float:
        """Which part of them has at least so much; within a part they stand evenly."""
        if threshold <= self.lowest:
            return 1.0
        if threshold > self.highest:
            return 0.0
        return float((self.highest - threshold) / (self.highest - self.lowest))


@dataclass(frozen=True)
class Spread:
    """All parts, by rising amounts."""

    parts: tuple[Part, ...]

    @cached_property
    def members(self) -> int:
        return sum(part.members for part in self.parts)

    @cached_property
    def highest(self) -> Decimal:
        return self.parts[-1].highest if self.parts else Decimal(0)

    @cached_property
    def _highs(self) -> list[Decimal]:
        return [part.highest for part in self.parts]

    @cached_property
    def _above(self) -> list[tuple[int, Decimal]]:
        """Members and units of the parts from each place on."""
        members = [*accumulate(part.members for part in reversed(self.parts))]
        units = [*accumulate(part.units for part in reversed(self.parts))]
        return [*zip(reversed(members), reversed(units), strict=True), (0, Decimal(0))]

    def reaching(self, threshold: Decimal) -> tuple[int, Decimal]:
        """How many members have at least so much, and what these earned."""
        place = bisect_left(self._highs, threshold)
        if place == len(self.parts):
            return 0, Decimal(0)
        part, (members, units) = self.parts[place], self._above[place + 1]
        share = part.share_from(threshold)
        return members + round(part.members * share), units + part.units * Decimal(share)

    def over(self, thresholds: Sequence[Decimal]) -> list[tuple[int, Decimal]]:
        """Members of each tier and what they earned, for rising thresholds that begin with 0."""
        reached = [*map(self.reaching, thresholds), (0, Decimal(0))]
        reached[0] = self._above[0]
        return [(own[0] - above[0], own[1] - above[1]) for own, above in pairwise(reached)]

    def amount_at(self, share: float) -> Decimal:
        """The amount below which this share of the members is."""
        wanted, passed = share * self.members, 0
        for part in self.parts:
            if passed + part.members >= wanted:
                within = Decimal((wanted - passed) / part.members)
                return part.lowest + (part.highest - part.lowest) * within
            passed += part.members
        return self.highest

    def suggested(self, targets: Sequence[int]) -> list[Decimal]:
        """Thresholds that come close to these percentages, in numbers that one can keep in mind;
        each more than the one before."""
        found, passed = [Decimal(0)], 0
        for percent in targets[:-1]:
            passed += percent
            threshold = nice(self.amount_at(passed / 100))
            if threshold <= found[-1]:
                threshold = next_nice(found[-1])
            found.append(threshold)
        return found


def nice(amount: Decimal) -> Decimal:
    """The closest number that one can keep in mind; 1 at least."""
    if amount <= 1:
        return Decimal(1)
    power = Decimal(10) ** math.floor(amount.log10())
    steps = [step * power for step in (*NICE, Decimal(10))]
    return _plain(min(steps, key=lambda step: abs(step - amount)))


def next_nice(amount: Decimal) -> Decimal:
    """The next one above."""
    if amount < 1:
        return Decimal(1)
    power = Decimal(10) ** math.floor(amount.log10())
    return _plain(next(step * power for step in (*NICE, Decimal(10)) if step * power > amount))


def _plain(step: Decimal) -> Decimal:
    """Whole: 1.2 is no number of orders."""
    return Decimal(math.ceil(step))
