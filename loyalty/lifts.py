"""What a program brings, told by members who were kept aside by chance: pure. Members against
non-members tell nothing of it: who buys much joins sooner."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from loyalty.insight_registry import Compared, Comparison

# Of 100 such intervals 95 hold what is true.
WIDTH = 1.96
# Closer to nothing than that many of its errors, a mean is no divisor whose error is known.
LEAST_ERRORS = 3


@dataclass(frozen=True, slots=True)
class Lift:
    """A figure, and between what it lies; None: not known. Not `is_clear`: chance alone may have
    made it."""

    value: float
    low: float | None
    high: float | None
    is_clear: bool


def frequency_lift(found: Comparison) -> Lift | None:
    """How many times as often those buy who got it."""
    return _times(found.orders)


def order_value_lift(found: Comparison) -> Lift | None:
    """How much more an order comes to, out of 100."""
    times = _times(found.values) if found.values is not None else None
    if times is None:
        return None
    low, high = (None if end is None else _more(end) for end in (times.low, times.high))
    return Lift(_more(times.value), low, high, times.is_clear)


def return_on_cost(found: Comparison) -> Lift | None:
    """How many times what was given came back as revenue that there would not have been. It is
    revenue: what the goods cost is not taken off."""
    if not found.cost or found.cost <= 0:
        return None
    each = found.led / float(found.cost)
    arms = found.revenue
    return Lift(
        (arms.led - arms.aside) * each, arms.low * each, arms.high * each, is_clear=arms.is_clear
    )


def cost_of_purchase(found: Comparison) -> Decimal | None:
    """What an order costs that there would not have been. None where it is not clear that there are
    any, or what was given is not known."""
    more = found.orders.led - found.orders.aside
    if not found.cost or found.orders.low <= 0:
        return None
    return found.cost / Decimal(more * found.led)


def _more(times: float) -> float:
    return (times - 1) * 100


def _times(arms: Compared) -> Lift | None:
    """A ratio of two means, neither of which is known exactly. Its logarithm is nearly normal with
    the sum of both squared relative errors as its variance (delta method: Hedges, Gurevitch and
    Curtis, "The meta-analysis of response ratios in experimental ecology", Ecology 80, 1999), as
    long as each mean is so many errors from nothing; else it has no ends."""
    if not arms.aside:
        return None
    times = arms.led / arms.aside
    means = ((arms.led, arms.led_error), (arms.aside, arms.aside_error))
    if any(mean <= 0 or mean < LEAST_ERRORS * error for mean, error in means):
        return Lift(times, None, None, is_clear=False)
    spread = math.exp(WIDTH * math.hypot(*(error / mean for mean, error in means)))
    low, high = times / spread, times * spread
    return Lift(times, low, high, is_clear=low > 1 or high < 1)
