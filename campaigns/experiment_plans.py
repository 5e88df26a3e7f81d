"""How many members an experiment takes, and how long: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from campaigns.experiment_statistics import (
    Moments,
    end_boundary,
    members_for_means,
    members_for_shares,
)

SHARES = frozenset({"ordered", "redeemed", "clicked"})


@dataclass(frozen=True, slots=True)
class Stretch:
    """What the audience did in the last `weeks`; where words are compared, those of them who were
    told the message in these weeks, from then on."""

    weeks: int
    moments: Moments


@dataclass(frozen=True, slots=True)
class PlanRow:
    """`needed`: in each arm, for an experiment of so many weeks; None: what they did says nothing,
    or the difference is more than there can be. `difference`: what it would see. `have`: members in
    the smallest arm."""

    weeks: int
    have: int
    mean: float
    difference: float
    needed: int | None
    enough: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """`members`: in the audience, at the present number; `share`: of them, in percent, in the
    smallest arm."""

    members: int
    share: int
    rows: tuple[PlanRow, ...]

    @property
    def have(self) -> int:
        """In the smallest arm: of the time that it takes, or of the longest."""
        row = self.first or (self.rows[-1] if self.rows else None)
        return row.have if row else self.members * self.share // 100

    @property
    def first(self) -> PlanRow | None:
        """The shortest that is enough; None: it never is."""
        return next((row for row in self.rows if row.enough), None)

    def row_of(self, weeks: int) -> PlanRow | None:
        """What is known of one that runs so long: the longest stretch within it."""
        within = [row for row in self.rows if row.weeks <= weeks]
        return within[-1] if within else None


def make_plan(
    stretches: Sequence[Stretch], *, members: int, shares: Sequence[int], smallest: int,
    measure: str,
) -> Plan:  # fmt: skip
    """`smallest`: the smallest difference that would matter, in percent of what is measured now."""
    rows = []
    for stretch in stretches:
        mean = stretch.moments.mean
        apart = mean * smallest / 100
        z = end_boundary(len(shares) - 1, stretch.weeks * 7)
        have = stretch.moments.members * min(shares) // 100
        needed = _needed(stretch.moments, apart, z, is_share=measure in SHARES)
        enough = needed is not None and needed <= have
        rows.append(PlanRow(stretch.weeks, have, mean, apart, needed, enough))
    return Plan(members, min(shares), tuple(rows))


def _needed(moments: Moments, apart: float, z: float, *, is_share: bool) -> int | None:
    if apart <= 0:
        return None
    if not is_share:
        return members_for_means(moments.variance, apart, z)
    # As far below where there is no room above.
    other = moments.mean + apart if moments.mean + apart <= 1 else moments.mean - apart
    return members_for_shares(moments.mean, other, z) if other >= 0 else None
