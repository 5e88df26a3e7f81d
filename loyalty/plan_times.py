"""When periods of a paid plan begin and end, what is left of one, and when its units come."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import get_currency_precision

from loyalty.rules.calendar import add_months, start_of_day


def period_end(anchor: dt.date, months: int, number: int, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """The end of the n-th period from the anchor (1: the first). Always counted from the anchor:
    31 January, 28 February, 31 March."""
    return start_of_day(add_months(anchor, months * number), zone)


def credit_time(period_start: dt.datetime, number: int, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """When the n-th units of a payment come (0: with it, 1: a month later)."""
    if number == 0:
        return period_start
    return start_of_day(add_months(period_start.astimezone(zone).date(), number), zone)


def unused_part(
    amount: Decimal,
    currency: str,
    *,
    start: dt.datetime,
    end: dt.datetime,
    at: dt.datetime,
    zone: zoneinfo.ZoneInfo,
) -> Decimal:
    """What the days from the next one on cost, to the smallest coin."""
    first, last, today = (moment.astimezone(zone).date() for moment in (start, end, at))
    days = max((last - first).days, 1)
    left = min(max((last - today).days - 1, 0), days)
    coin = Decimal(1).scaleb(-get_currency_precision(currency))
    return (amount * left / days).quantize(coin, ROUND_HALF_UP)
