"""What so many units of one kind are in another. Pure, in units at their scales."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor


@dataclass(frozen=True, slots=True)
class Converted:
    """`taken` units become `given`; `rest` are too few for another one, and lapse."""

    taken: int
    given: int
    rest: int


@dataclass(frozen=True, slots=True)
class ConversionRate:
    """For each `take` main units there are `give`; `scale` and `to_scale`: their decimals."""

    take: Decimal
    give: Decimal
    scale: int
    to_scale: int

    @property
    def ratio(self) -> Fraction:
        """The smallest units that one smallest unit becomes."""
        give, take = Fraction(self.give), Fraction(self.take)
        return give * Fraction(10**self.to_scale) / (take * Fraction(10**self.scale))

    def convert(self, units: int) -> Converted:
        """Rounded down to a unit that there is. Only what that took is taken."""
        given = floor(units * self.ratio)
        taken = ceil(given / self.ratio)
        return Converted(taken, given, units - taken)
