"""What a tier set says: its tiers, what counts towards them, for how long, and how they are lost.

A tier set is a line of wordings. Each applies from its date; what was before stays as it was.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

Metric = Literal["spend", "units", "orders", "score"]
Window = Literal["calendar_year", "rolling_12_months", "membership_year", "lifetime"]
Downgrade = Literal["none", "soft_landing", "recompute", "to_base", "immediate"]


@dataclass(frozen=True, slots=True)
class Level:
    """A tier: reached with so much of what counts; the first one with nothing."""

    code: str
    threshold: Decimal


@dataclass(frozen=True, slots=True)
class Ladder:
    """One wording of a tier set, in force from `starts_at`; the first may be from ever.

    `metric` with `unit`: what counts; the unit is a wallet type's code. `score`: what an activity
    of a type counts. `counts_from`: orders count when they are placed, or once they are confirmed.
    """

    levels: tuple[Level, ...]
    metric: Metric = "spend"
    unit: str = ""
    score: Mapping[str, Decimal] = field(default_factory=dict)
    window: Window = "calendar_year"
    counts_from: Literal["placed", "confirmed"] = "placed"
    refunds_count_on: Literal["sale", "refund_date"] = "sale"
    return_days: int = 30
    downgrade: Downgrade = "recompute"
    grace_days: int = 0
    priced_by: Literal["before", "after"] = "before"
    starts_at: dt.datetime | None = None
    id: int = 0

    @property
    def measure(self) -> str:
        """What counts, told apart from what counts in other wordings."""
        return {"units": f"units:{self.unit}", "score": f"score:{self.id}"}.get(
            self.metric, self.metric
        )

    @property
    def periodic(self) -> bool:
        """Whether what counts begins anew at a turn of the year."""
        return self.window in ("calendar_year", "membership_year")

    def rank_of(self, total: Decimal) -> int:
        """The highest tier that so much reaches."""
        found = 0
        for rank, level in enumerate(self.levels):
            if level.threshold <= total:
                found = rank
        return found

    def rank_of_code(self, code: str) -> int | None:
        for rank, level in enumerate(self.levels):
            if level.code == code:
                return rank
        return None


def in_force(ladders: tuple[Ladder, ...], at: dt.datetime) -> int | None:
    """Which of the wordings applies at an instant; None: there were no tiers yet."""
    found = None
    for place, ladder in enumerate(ladders):
        if ladder.starts_at is None or ladder.starts_at <= at:
            found = place
    return found
