"""Rules with a goal: a threshold, the N-th purchase, a full card of stamps, a streak.

An order brings an amount towards the goal (`counted`); all that was brought to a window is judged
together, whatever came when.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction

from loyalty.rules.basket import SMALLEST
from loyalty.rules.bodies import (
    BonusBody,
    NthPurchaseBody,
    StampsBody,
    StreakBody,
    WindowedBody,
)
from loyalty.rules.calendar import period_start
from loyalty.rules.facts import ZERO
from loyalty.rules.reckoning import Amount, Reckoner, Step, plain_text, total_of

# What an order brought and when it was placed, in the program's time zone.
Part = tuple[dt.datetime, Decimal]


def counted(body: WindowedBody, reckoner: Reckoner) -> tuple[Decimal, tuple[Step, ...]]:
    """What a basket brings towards the goal, and the steps that led there."""
    chosen = reckoner.eligible(body)
    amount, steps = reckoner.money(body, chosen)
    match body:
        case StampsBody(stamp_per="quantity"):
            found = _whole(total_of(reckoner.quantities(chosen).values()), body.each)
        case StampsBody(stamp_per="money"):
            found = _whole(amount, body.each)
        case StampsBody():
            found = Decimal(int(amount > 0))
        case NthPurchaseBody() | StreakBody():
            found = Decimal(int(amount > 0 and amount >= (body.least or 0)))
        case _:
            found = max(_decimal(amount), ZERO).quantize(SMALLEST)
    return found, steps


def award(body: WindowedBody, reached: Decimal, scale: int) -> tuple[int, tuple[Step, ...]]:
    """Units at the wallet type's scale for having come so far; of a streak, for the number that
    `reached_by` finds."""
    number = int(reached // body.goal)
    if not body.repeated:
        number = min(number, 1)
    units = int(body.units.scaleb(scale)) * number
    return units, (_step(body, reached, number),)


def reached_by(body: WindowedBody, parts: Sequence[Part]) -> list[dt.datetime]:
    """When the goal was reached, each time that it counts, in the order of business time."""
    ordered = sorted(parts)
    if isinstance(body, StreakBody):
        found, _length = _streaks(body, ordered)
    else:
        found, reached, number = [], ZERO, 0
        for at, amount in ordered:
            reached += amount
            more = int(reached // body.goal) - number
            found += [at] * more
            number += more
    return found if body.repeated else found[:1]


def progress(body: WindowedBody, parts: Sequence[Part]) -> Decimal:
    """What the window comes to: for `award`. A streak counts the periods of whole streaks."""
    if isinstance(body, StreakBody):
        return len(reached_by(body, parts)) * body.goal
    return sum((amount for _at, amount in parts), ZERO)


def standing(body: WindowedBody, parts: Sequence[Part]) -> Decimal:
    """What counts towards the next time; of a streak the periods in a row so far."""
    if isinstance(body, StreakBody):
        return Decimal(_streaks(body, sorted(parts))[1])
    return sum((amount for _at, amount in parts), ZERO)


def window_start(body: WindowedBody, at: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.date:
    """The first day of the window that a moment is in, in the program's time zone."""
    return period_start(body.period, at, zone)


def _streaks(body: StreakBody, ordered: Iterable[Part]) -> tuple[list[dt.datetime], int]:
    """When each streak was full, and how long the last one, which is not, is."""
    found: list[dt.datetime] = []
    length, last = 0, None
    for at, amount in ordered:
        if amount <= 0:
            continue
        period = _period(body.of, at)
        if period == last:
            continue
        length = length + 1 if last is not None and period == last + 1 else 1
        last = period
        if length == body.length:
            found.append(at)
            length = 0
    return found, length


def _period(of: str, at: dt.datetime) -> int:
    """A number for a day, week (from Monday) or month; the next one's is one higher."""
    day = at.date()
    match of:
        case "day":
            return day.toordinal()
        case "week":
            return (day.toordinal() - 1) // 7
    return day.year * 12 + day.month


def _step(body: WindowedBody, reached: Decimal, number: int) -> Step:
    match body:
        case BonusBody():
            values = (plain_text(body.reach), body.window, plain_text(reached))
            return ("threshold", *values, str(number))
        case NthPurchaseBody():
            return ("purchases", str(body.number), body.window, plain_text(reached), str(number))
        case StampsBody():
            return ("stamps", str(body.full_at), plain_text(reached), str(number))
        case StreakBody():
            return ("streak", str(body.length), body.of, str(number))
    raise AssertionError(f"no words for {body.kind}")  # type: ignore[attr-defined]


def _whole(amount: Amount, each: Decimal) -> Decimal:
    return Decimal(max(int(Fraction(amount) // Fraction(each)), 0))


def _decimal(amount: Amount) -> Decimal:
    if isinstance(amount, Decimal):
        return amount
    return Decimal(amount.numerator) / Decimal(amount.denominator)
