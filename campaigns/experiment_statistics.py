"""What an experiment needs and what it has shown: pure. Several arms are compared with the first;
all comparisons together are wrong in 5 of 100 cases at most, however often somebody looks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from campaigns.comparisons import LEAST_EACH

_NORMAL = NormalDist()
POWER = 0.8
# Haybittle (1971) and Peto et al. (1976): before its end only a difference of so many of its
# errors counts.
BOUNDARY = 3.0
# Nothing is looked at before a whole week: who buys on a Saturday has not had their turn.
FIRST_LOOK_DAYS = 7
# By comparisons and days: how many of its errors a difference must be from nothing at the end, so
# that daily looks at BOUNDARY from the first week on and the end together err in 5 of 100 cases
# (Armitage, McPherson and Rowe, "Repeated significance tests on accumulating data", 1969, by
# numerical integration; several comparisons by Bonferroni).
_AT_THE_END = {
    1: ((14, 1.973), (28, 2.013), (56, 2.071), (91, 2.125), (182, 2.225)),
    2: ((14, 2.257), (28, 2.300), (56, 2.365), (91, 2.425), (182, 2.545)),
    3: ((14, 2.411), (28, 2.456), (56, 2.524), (91, 2.588), (182, 2.723)),
}
# Arms that would hardly ever be so unequal by chance: something is wrong with who is in them.
UNEQUAL = 0.001


@dataclass(frozen=True, slots=True)
class Moments:
    """Of some members: how many, the mean of a figure, and its variance."""

    members: int
    mean: float
    variance: float

    @property
    def squared_error(self) -> float:
        return self.variance / self.members if self.members else 0.0


@dataclass(frozen=True, slots=True)
class Difference:
    """Of an arm against the first, and between what it lies; `z`: in its errors, None where nobody
    knows how sure it is."""

    value: float
    low: float
    high: float
    z: float | None


@dataclass(frozen=True, slots=True)
class Decision:
    """`kind`: better, worse, none, few, or "" where nothing is said yet. `winner`: the place of the
    arm that is better than all others that are clearly different from the first."""

    kind: str
    winner: int | None = None


def end_boundary(comparisons: int, days: int) -> float:
    """How many errors a difference must be from nothing when all days are over."""
    steps = _AT_THE_END[comparisons]
    return next((z for most, z in steps if days <= most), steps[-1][1])


def early_boundary(comparisons: int) -> float:
    """Before that: as improbable for all comparisons together as BOUNDARY is for one."""
    beyond = 1 - _NORMAL.cdf(BOUNDARY)
    return -_NORMAL.inv_cdf(beyond / comparisons)


def members_for_means(variance: float, difference: float, z: float) -> int:
    """In each of two arms, so that a difference of two means is seen in 80 of 100 cases:
    2 (z + z')² σ² / δ² (Chow, Shao, Wang and Lokhnygina, "Sample Size Calculations in Clinical
    Research", 3.2.1)."""
    needed = 2 * (z + _NORMAL.inv_cdf(POWER)) ** 2 * variance / difference**2
    return max(math.ceil(needed), LEAST_EACH)


def members_for_shares(share: float, other: float, z: float) -> int:
    """The same for two shares (Fleiss, Levin and Paik, "Statistical Methods for Rates and
    Proportions", 4.14, without a correction for continuity)."""
    middle = (share + other) / 2
    both = z * math.sqrt(2 * middle * (1 - middle))
    each = _NORMAL.inv_cdf(POWER) * math.sqrt(share * (1 - share) + other * (1 - other))
    return max(math.ceil((both + each) ** 2 / (share - other) ** 2), LEAST_EACH)


def difference(first: Moments, other: Moments, z: float) -> Difference:
    """Welch's: each arm has its own variance."""
    value = other.mean - first.mean
    error = math.sqrt(first.squared_error + other.squared_error)
    return Difference(value, value - z * error, value + z * error, value / error if error else None)


def decide(arms: Sequence[Moments], days: int, *, ended: bool) -> Decision:
    """Before the end only a difference beyond the early boundary says anything."""
    if min(arm.members for arm in arms) < LEAST_EACH:
        return Decision("few" if ended else "")
    comparisons = len(arms) - 1
    z = end_boundary(comparisons, days) if ended else early_boundary(comparisons)
    clear = {
        place: found.value
        for place, arm in enumerate(arms[1:], start=1)
        if (found := difference(arms[0], arm, z)).z is not None and abs(found.z) >= z
    }
    better = {place: value for place, value in clear.items() if value > 0}
    if better:
        return Decision("better", max(better, key=lambda place: better[place]))
    # What is declared stays: before the end an arm that says nothing yet may still be better.
    if clear and (ended or len(clear) == comparisons):
        return Decision("worse", 0)
    return Decision("none" if ended else "")


def chance_of_sizes(members: Sequence[int], shares: Sequence[int]) -> float:
    """How probable arms at least so unequal are, drawn by these shares: Pearson's chi-square, with
    at most three degrees of freedom."""
    total = sum(members)
    if not total:
        return 1.0
    expected = [total * share / sum(shares) for share in shares]
    chi = sum((had - due) ** 2 / due for had, due in zip(members, expected, strict=True))
    half = math.exp(-chi / 2)
    match len(members) - 1:
        case 1:
            return math.erfc(math.sqrt(chi / 2))
        case 2:
            return half
        case _:
            return math.erfc(math.sqrt(chi / 2)) + math.sqrt(2 * chi / math.pi) * half
