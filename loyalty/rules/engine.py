"""`evaluate(versions, basket)`: the one place where an order becomes units.

Pure: the same call prices a live order, an import, a correction years later and a quote.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from loyalty.rules.bodies import BonusBody, RuleBody
from loyalty.rules.bonus import bonus, counted_amount
from loyalty.rules.caps import NO_LIMIT, Room, cap
from loyalty.rules.facts import Basket
from loyalty.rules.lots import LotTerms
from loyalty.rules.rate import Step, price

__all__ = ["Award", "Decision", "RuleVersion", "Rulebook", "Step", "evaluate"]


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """A published wording of an earning rule, in force for orders placed in [starts_at,
    ends_at)."""

    id: int
    rule_name: str
    number: int
    wallet_type_id: int
    scale: int
    body: RuleBody
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    rule_id: int = 0
    lot_terms: LotTerms | None = None

    def in_force(self, at: dt.datetime) -> bool:
        return (self.starts_at is None or self.starts_at <= at) and (
            self.ends_at is None or at < self.ends_at
        )


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Every published rule version of one program, in order of evaluation."""

    program_id: int
    versions: tuple[RuleVersion, ...]

    def in_force(self, at: dt.datetime) -> tuple[RuleVersion, ...]:
        return tuple(version for version in self.versions if version.in_force(at))

    def named(self, ids: Iterable[int]) -> tuple[RuleVersion, ...]:
        """The versions recorded when an order was first priced."""
        wanted = set(ids)
        return tuple(version for version in self.versions if version.id in wanted)


@dataclass(frozen=True, slots=True)
class Award:
    """One rule's result for one event. `units` are integers at the wallet type's scale, ≥ 0."""

    version: RuleVersion
    units: int
    steps: tuple[Step, ...]
    # Of a rule that belongs to a window: what this event brings towards it. Its units are those of
    # the window, so the event itself has none.
    counted: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    awards: tuple[Award, ...]

    def units(self) -> dict[int, int]:
        """Units by rule version id."""
        return {award.version.id: award.units for award in self.awards}


def evaluate(
    versions: Iterable[RuleVersion], basket: Basket, rooms: Mapping[int, Room] | None = None
) -> Decision:
    """What a basket deserves under these rule versions. Every version answers, also with zero.

    `rooms`: what is left under the caps of a version, by its id.
    """
    rooms = rooms or {}
    return Decision(
        tuple(_award(version, basket, rooms.get(version.id, NO_LIMIT)) for version in versions)
    )


def _award(version: RuleVersion, basket: Basket, room: Room) -> Award:
    body = version.body
    if isinstance(body, BonusBody):
        amount, steps = counted_amount(body, basket)
        if body.windowed:
            return Award(version, 0, steps, amount)
        units, step = bonus(body, amount, version.scale)
        steps = (*steps, *step)
    else:
        units, steps = price(body, basket, version.scale)
    units, capped = cap(units, body.caps, room, version.scale)
    return Award(version, units, (*steps, *capped))
