"""Buyers as the merchant estimates them, where there are no orders yet: made up evenly, so that the
same estimate is always the same buyers."""

from __future__ import annotations

import datetime as dt
import math
import zoneinfo
from decimal import Decimal

from loyalty.purchase_habits import Estimates
from loyalty.rules.events import Event, Person, Sale
from loyalty.rules.facts import Basket, Line, Occasion
from members.conditions.moments import Moment

BUYERS = 200
YEAR_MINUTES = 365 * 24 * 60
MOST_ORDERS = 400
COIN = Decimal("0.01")
# Baskets around the typical one; their mean is the typical one.
SIZES = tuple(map(Decimal, ("0.5", "0.8", "1", "1.1", "1.6")))


def estimated_buyers(
    estimates: Estimates, since: dt.datetime, zone: zoneinfo.ZoneInfo
) -> tuple[tuple[Person, list[Event]], ...]:
    """Most buy seldom and few buy often, as it is nearly everywhere; their mean is the estimate.
    Everybody bought once at least."""
    return tuple(
        (Person(), _events(number, count, estimates, since, zone))
        for number, count in enumerate(order_counts(float(estimates.orders_each)))
    )


def order_counts(mean: float, buyers: int = BUYERS) -> list[int]:
    """One plus what is spread like a chance that goes on or does not, at even steps."""
    more = max(mean - 1, 0)
    going_on = more / (1 + more)
    counts = []
    for number in range(buyers):
        place = (number + 0.5) / buyers
        extra = math.log(1 - place) / math.log(going_on) if going_on else 0
        counts.append(1 + min(int(extra), MOST_ORDERS))
    return counts


def _events(
    number: int, count: int, estimates: Estimates, since: dt.datetime, zone: zoneinfo.ZoneInfo
) -> list[Event]:
    every = YEAR_MINUTES // (count + 1)
    return [
        _sale(number * 1000 + place, since + dt.timedelta(minutes=every * (place + 1)),
              estimates.basket * SIZES[(number + place) % len(SIZES)], estimates.currency, zone)
        for place in range(count)
    ]  # fmt: skip


def _sale(pk: int, at: dt.datetime, total: Decimal, currency: str, zone: zoneinfo.ZoneInfo) -> Sale:
    basket = Basket((Line(1, total.quantize(COIN)),))
    return Sale(pk, Occasion(basket, Moment(at, zone), currency))
