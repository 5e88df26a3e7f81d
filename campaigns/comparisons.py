"""Comparing two groups of members: what one has more for each head, and between what that lies."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from loyalty.insight_registry import Compared

# Fewer than that say nothing, however large the difference looks.
LEAST_EACH = 50
# Of 100 such intervals 95 hold what is true.
WIDTH = 1.96


@dataclass(frozen=True, slots=True)
class Arm:
    """Of a group of members: how many they are, what each ordered and spent on average, how much
    that varies, and how both go together."""

    size: int = 0
    orders: float = 0.0
    revenue: float = 0.0
    orders_varied: float = 0.0
    revenue_varied: float = 0.0
    together: float = 0.0


def led_and_aside(rows: Iterable[tuple[Any, ...]]) -> tuple[Arm, Arm]:
    """From rows that say whether somebody is kept aside, and then what an arm is made of."""
    arms = {held_out: Arm(size, *map(float, sums)) for held_out, size, *sums in rows}
    return arms.get(False, Arm()), arms.get(True, Arm())


def compare(led: Arm, aside: Arm) -> tuple[Compared | None, Compared | None, Compared | None]:
    """Orders and money of each, and what an order comes to; None where there are too few."""
    if min(led.size, aside.size) < LEAST_EACH:
        return None, None, None
    return compare_orders(led, aside), compare_revenue(led, aside), compare_values(led, aside)


def compare_orders(led: Arm, aside: Arm) -> Compared:
    return _compared(*((arm.orders, _error(arm.orders_varied, arm)) for arm in (led, aside)))


def compare_revenue(led: Arm, aside: Arm) -> Compared:
    return _compared(*((arm.revenue, _error(arm.revenue_varied, arm)) for arm in (led, aside)))


def compare_values(led: Arm, aside: Arm) -> Compared | None:
    """What an order comes to: a ratio of two means of the same members, whose error is that of what
    each spends beyond the average order's worth for each of theirs (delta method: Cochran,
    Sampling Techniques, 1977, 2.11). None where nobody ordered on one side."""
    if not led.orders or not aside.orders:
        return None
    found = []
    for arm in (led, aside):
        value = arm.revenue / arm.orders
        varied = arm.revenue_varied - 2 * value * arm.together + value**2 * arm.orders_varied
        # What cancels out to nothing may come out a little below it.
        found.append((value, _error(max(varied, 0.0), arm) / arm.orders))
    return _compared(*found)


def _error(varied: float, arm: Arm) -> float:
    return math.sqrt(varied / arm.size)


def _compared(led: tuple[float, float], aside: tuple[float, float]) -> Compared:
    """Of a mean and its error, on either side (Welch)."""
    difference, within = led[0] - aside[0], WIDTH * math.hypot(led[1], aside[1])
    return Compared(led[0], aside[0], difference - within, difference + within, led[1], aside[1])
