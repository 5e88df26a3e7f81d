"""How many units can be used at once: the fewest, the step, and how much of an order they pay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from loyalty.rules.facts import ZERO

FULL = Decimal(100)
Refusal = Literal["below_least", "not_in_steps", "above_share"]


def by_tier(values: Mapping[str, str]) -> tuple[tuple[str, Decimal], ...]:
    """What a unit pays in tiers, as it is stored."""
    return tuple((tier, Decimal(value)) for tier, value in values.items())


@dataclass(frozen=True, slots=True)
class SpendingTerms:
    """Of one kind of units. `least` and `step` are units at its scale, `unit_value` the worth of a
    whole one, `share` a percentage."""

    scale: int = 0
    unit_value: Decimal = ZERO
    least: int = 1
    step: int = 1
    share: Decimal = FULL
    # What a whole one pays of whoever has one of these tiers.
    by_tier: tuple[tuple[str, Decimal], ...] = ()

    def in_tier(self, code: str) -> SpendingTerms:
        """As they are for who has this tier; "" is none."""
        own = dict(self.by_tier).get(code, self.unit_value)
        return self if own == self.unit_value else replace(self, unit_value=own)

    @property
    def shared(self) -> bool:
        """Whether they may pay a part of an order only."""
        return self.share < FULL

    @property
    def said(self) -> bool:
        """Whether there is anything to mind."""
        return self.least > 1 or self.step > 1 or self.shared

    def worth(self, units: int) -> Decimal:
        return Decimal(units).scaleb(-self.scale) * self.unit_value

    def room(self, total: Decimal, paid: Decimal = ZERO) -> int | None:
        """How many units pay for an order of so much, of which so much was paid with units before;
        None: as many as there are."""
        if not self.shared or not self.unit_value:
            return None
        left = max(total * self.share / FULL - paid, ZERO)
        return int((left / self.unit_value).scaleb(self.scale))

    def most(self, spendable: int, room: int | None = None) -> int:
        """The most that can be used at once of so many; 0: none yet."""
        reach = spendable if room is None else min(spendable, room)
        whole = reach - reach % self.step
        return whole if whole >= self.least else 0

    def refusal(self, units: int, room: int | None = None) -> Refusal | None:
        """What stands against so many, if anything does."""
        if units < self.least:
            return "below_least"
        if units % self.step:
            return "not_in_steps"
        if room is not None and units > room:
            return "above_share"
        return None
