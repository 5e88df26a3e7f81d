"""What a backtest adds up: members with what both sides gave them, and the kinds of units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from loyalty.rules.events import Credit, Event


@dataclass(frozen=True, slots=True)
class Unit:
    """A wallet type as sums need it. `weight`: what the smallest unit counts where members are
    compared, in money, or in whole units where no units are worth anything."""

    code: str
    weight: Decimal


@dataclass(frozen=True, slots=True)
class Member:
    """One member's period: their orders (and returns), and what each side gave, as credits that
    belong to the period; `shared`: what both gave alike."""

    customer: int
    segments: frozenset[str]
    events: Sequence[Event]
    shared: Sequence[Credit]
    credits: Mapping[str, Sequence[Credit]]
    # By side their tier after the last day, where the draft has other tiers.
    tiers: Mapping[str, str] = field(default_factory=dict)
