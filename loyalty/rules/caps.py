"""Caps: how much a rule awards at most, for an order, for a member in a period, and in all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from decimal import Decimal
from typing import Any

from loyalty.rules.body_parts import Caps
from loyalty.rules.steps import Step, Steps


@dataclass(frozen=True, slots=True)
class Room:
    """What is left under a rule's caps, in units at the wallet type's scale; None: no such cap.
    `member`: of the period that leaves least, which is `period`; `money`: so many units are worth
    what is left of the budget in money."""

    member: int | None = None
    budget: int | None = None
    money: int | None = None
    period: str = ""

    def at_most(self, other: Room) -> Room:
        """The smaller of the two, cap by cap."""
        member = _smaller(self.member, other.member)
        return Room(
            member,
            _smaller(self.budget, other.budget),
            _smaller(self.money, other.money),
            self.period if member == self.member else other.period,
        )

    def with_units(self, units: int) -> Room:
        """As if so many units had not been taken from it."""
        return Room(
            None if self.member is None else self.member + units,
            None if self.budget is None else self.budget + units,
            None if self.money is None else self.money + units,
            self.period,
        )

    def with_less(self, units: int) -> Room:
        """As if others who share the caps had taken so many units of them."""
        return Room(
            None if self.member is None else max(self.member - units, 0),
            None if self.budget is None else max(self.budget - units, 0),
            None if self.money is None else max(self.money - units, 0),
            self.period,
        )

    def of_member(self) -> Room:
        """Without what is left of budgets."""
        return Room(self.member, period=self.period)

    @property
    def in_all(self) -> int | None:
        """What both budgets leave."""
        return _smaller(self.budget, self.money)


NO_LIMIT = Room()


def of_periods(left: Iterable[tuple[str, int]]) -> tuple[int | None, str]:
    """The period that leaves a member least, of the shortest first, and how much."""
    units, _place, period = min(
        ((units, place, period) for place, (period, units) in enumerate(left)),
        default=(None, 0, ""),
    )
    return units, period


def cap(units: int, caps: Caps, room: Room, scale: int) -> tuple[int, Steps]:
    """The units that the caps leave, and a step for the one that decided, if any did."""
    limits: list[tuple[int, Step]] = []
    if caps.per_order is not None:
        limits.append((smallest_units(caps.per_order, scale), ("capped_order",)))
    if room.member is not None:
        # What was kept of an order's room before rules had several periods names none.
        period = room.period or caps.per_member.said[0][0]
        limits.append((max(room.member, 0), ("capped_member", period)))
    budget = budget_that_decides(room)
    if budget is not None:
        limits.append(budget)
    limit, (code, *details) = min(limits, default=(units, ("",)))
    if limit >= units:
        return units, ()
    return limit, ((code, f"{Decimal(limit).scaleb(-scale):f}", *details),)


def budget_that_decides(room: Room) -> tuple[int, Step] | None:
    """The budget that leaves less, in units or in money, and the step that names it."""
    found: list[tuple[int, Step]] = []
    if room.budget is not None:
        found.append((max(room.budget, 0), ("capped_budget",)))
    if room.money is not None:
        found.append((max(room.money, 0), ("capped_money",)))
    return min(found, default=None)


def rooms_as_json(rooms: Mapping[int, Room]) -> dict[str, Any]:
    """What an order's evaluation keeps of the room it had; nothing where nothing is counted."""
    if not rooms:
        return {}
    return {"rooms": {str(pk): list(astuple(room)) for pk, room in rooms.items()}}


def rooms_from_json(context: Mapping[str, Any]) -> dict[int, Room]:
    return {int(pk): Room(*values) for pk, values in context.get("rooms", {}).items()}


def smallest_units(amount: Decimal, scale: int) -> int:
    """Whole units as integers at a scale, rounded down."""
    return int(amount.scaleb(scale))


def _smaller(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
