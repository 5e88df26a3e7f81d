"""Caps: how much a rule awards at most, for an order, for a member in a period, and in all."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from loyalty.rules.body_parts import Caps
from loyalty.rules.steps import Step, Steps


@dataclass(frozen=True, slots=True)
class Room:
    """What is left under a rule's caps, in units at the wallet type's scale; None: no such cap."""

    member: int | None = None
    budget: int | None = None

    def at_most(self, other: Room) -> Room:
        """The smaller of the two, cap by cap."""
        return Room(_smaller(self.member, other.member), _smaller(self.budget, other.budget))

    def with_units(self, units: int) -> Room:
        """As if so many units had not been taken from it."""
        return Room(
            None if self.member is None else self.member + units,
            None if self.budget is None else self.budget + units,
        )

    def with_less(self, units: int) -> Room:
        """As if others who share the caps had taken so many units of them."""
        return Room(
            None if self.member is None else max(self.member - units, 0),
            None if self.budget is None else max(self.budget - units, 0),
        )


NO_LIMIT = Room()


def cap(units: int, caps: Caps, room: Room, scale: int) -> tuple[int, Steps]:
    """The units that the caps leave, and a step for the one that decided, if any did."""
    limits: list[tuple[int, Step]] = []
    if caps.per_order is not None:
        limits.append((smallest_units(caps.per_order, scale), ("capped_order",)))
    if room.member is not None:
        limits.append((max(room.member, 0), ("capped_member", caps.period)))
    if room.budget is not None:
        limits.append((max(room.budget, 0), ("capped_budget",)))
    limit, (code, *details) = min(limits, default=(units, ("",)))
    if limit >= units:
        return units, ()
    return limit, ((code, f"{Decimal(limit).scaleb(-scale):f}", *details),)


def smallest_units(amount: Decimal, scale: int) -> int:
    """Whole units as integers at a scale, rounded down."""
    return int(amount.scaleb(scale))


def _smaller(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
