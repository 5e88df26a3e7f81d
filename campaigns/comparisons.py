"""Comparing two groups of members: what one has more for each head, and between what that lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Fewer than that say nothing, however large the difference looks.
LEAST_EACH = 50
# Of 100 such intervals 95 hold what is true.
WIDTH = 1.96


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure for each head, led and kept aside, the standard error of each, and between what the
    difference lies."""

    led: float
    aside: float
    low: float
    high: float
    led_error: float
    aside_error: float

    @property
    def is_clear(self) -> bool:
        """Whether chance alone would hardly make such a difference."""
        return self.low > 0 or self.high < 0

    @property
    def difference(self) -> float:
        return self.led - self.aside


def compare(led: Sequence[float], aside: Sequence[float], which: int) -> Compared:
    """Of each group: its size, two means and their variances; `which` of the means (Welch)."""
    errors = [math.sqrt(arm[which + 2] / arm[0]) for arm in (led, aside)]
    difference, within = led[which] - aside[which], WIDTH * math.hypot(*errors)
    return Compared(led[which], aside[which], difference - within, difference + within, *errors)
