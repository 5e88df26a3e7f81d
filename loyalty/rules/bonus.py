"""The threshold bonus: so many units when what was bought, in one order or over a window, reaches
so much."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from decimal import Decimal

from loyalty.rules.basket import SMALLEST
from loyalty.rules.bodies import BonusBody
from loyalty.rules.calendar import period_start
from loyalty.rules.caps import smallest_units
from loyalty.rules.facts import Basket
from loyalty.rules.rate import Step, eligible_amount, plain_text


def counted_amount(body: BonusBody, basket: Basket) -> tuple[Decimal, tuple[Step, ...]]:
    """The money that a basket brings towards the threshold, and the steps that led there."""
    amount, steps = eligible_amount(body, basket)
    if not isinstance(amount, Decimal):
        amount = Decimal(amount.numerator) / Decimal(amount.denominator)
    return max(amount, Decimal(0)).quantize(SMALLEST), steps


def bonus(body: BonusBody, amount: Decimal, scale: int) -> tuple[int, tuple[Step, ...]]:
    """Units at the wallet type's scale for having come so far."""
    times = int(amount // body.reach)
    if not body.repeats:
        times = min(times, 1)
    units = smallest_units(body.units, scale) * times
    step = ("threshold", plain_text(body.reach), body.window, plain_text(amount), str(times))
    return units, (step,)


def window_start(body: BonusBody, at: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.date:
    """The first day of the window that a moment is in, in the program's time zone."""
    return period_start(body.window, at, zone)
