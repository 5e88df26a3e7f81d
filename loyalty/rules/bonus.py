"""Rules with a goal: a threshold, the N-th purchase, a full card of stamps, a streak.

An order brings an amount towards the goal (`counted`); all that was brought to a window is judged
together, whatever came when.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from loyalty.rules.amounts import plain_text
from loyalty.rules.bodies import BonusBody, NthPurchaseBody, StampsBody, StreakBody, WindowedBody
from loyalty.rules.calendar import period_start
from loyalty.rules.facts import ZERO
from loyalty.rules.reckoning import Measured, Reckoner, Yardstick, yardstick_of
from loyalty.rules.steps import Raw, Steps, told

ONE = Decimal(1)

# What an order brought and when it was placed, in the program's time zone.
Part = tuple[dt.datetime, Decimal]


# What a basket brings towards a goal, and what is measured for it.
Counter = Callable[[Reckoner], tuple[Decimal, Measured]]


def counted(body: WindowedBody, reckoner: Reckoner) -> tuple[Decimal, Measured]:
    return counter(body)(reckoner)


def counter(body: WindowedBody) -> Counter:
    """A rule with a goal made ready to judge many baskets."""
    yardstick = yardstick_of(body)
    match body:
        case StampsBody(stamp_per="quantity"):
            return _whole(yardstick, body.each, by_money=False)
        case StampsBody(stamp_per="money"):
            return _whole(yardstick, body.each, by_money=True)
        case StampsBody():
            return _visit(yardstick, ZERO)
        case NthPurchaseBody() | StreakBody():
            return _visit(yardstick, body.least or ZERO)
    return _money(yardstick)


def _money(yardstick: Yardstick) -> Counter:
    def count(reckoner: Reckoner) -> tuple[Decimal, Measured]:
        measured = reckoner.money(yardstick)
        return measured.amount, measured

    return count


def _visit(yardstick: Yardstick, least: Decimal) -> Counter:
    above, below = least.as_integer_ratio()

    def count(reckoner: Reckoner) -> tuple[Decimal, Measured]:
        measured = reckoner.money(yardstick)
        total = measured.total
        reached = total > 0 and total * below >= above * measured.per
        return ONE if reached else ZERO, measured

    return count


def _whole(yardstick: Yardstick, each: Decimal, *, by_money: bool) -> Counter:
    above, below = each.as_integer_ratio()

    def count(reckoner: Reckoner) -> tuple[Decimal, Measured]:
        money = reckoner.money(yardstick)
        measured = money if by_money else reckoner.quantities(yardstick.scope)
        number = measured.total * below // (measured.per * above)
        return Decimal(max(number, 0)), money

    return count


# Units at the wallet type's scale for having come so far, and the step that says so.
Awarder = Callable[[Decimal], tuple[int, Raw]]


def award(body: WindowedBody, reached: Decimal, scale: int) -> tuple[int, Steps]:
    """Of a streak, for the number that `reached_by` finds."""
    units, step = awarder(body, scale)(reached)
    return units, told((step,))


def awarder(body: WindowedBody, scale: int) -> Awarder:
    """A rule with a goal made ready to judge how far many came."""
    goal, once, step = body.goal, not body.repeated, _step(body)
    units = int(body.units.scaleb(scale))

    def award(reached: Decimal) -> tuple[int, Raw]:
        number = int(reached // goal)
        if once:
            number = min(number, 1)
        return units * number, step(reached, number)

    return award


def reached_by(body: WindowedBody, parts: Sequence[Part]) -> list[dt.datetime]:
    """When the goal was reached, each time that it counts, in the order of business time."""
    ordered = _in_order(parts)
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
        return Decimal(_streaks(body, _in_order(parts))[1])
    return sum((amount for _at, amount in parts), ZERO)


def window_start(body: WindowedBody, at: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.date:
    """The first day of the window that a moment is in, in the program's time zone."""
    return period_start(body.period, at, zone)


def _in_order(parts: Iterable[Part]) -> list[Part]:
    """By instants: clocks of one zone would put the second 01:10 of an autumn night before the
    first 01:50."""
    return sorted(parts, key=lambda part: part[0].astimezone(dt.UTC))


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


def _step(body: WindowedBody) -> Callable[[Decimal, int], Raw]:
    head: tuple[str, ...]
    match body:
        case BonusBody():
            head = "threshold", plain_text(body.reach), body.window
        case NthPurchaseBody():
            head = "purchases", str(body.number), body.window
        case StampsBody():
            head = "stamps", str(body.full_at)
        case StreakBody():
            said = "streak", str(body.length), body.of
            return lambda _reached, number: [said, number]
        case _:
            raise AssertionError(f"no words for {body.kind}")  # type: ignore[attr-defined]
    return lambda reached, number: [head, reached, number]
