"""When the units of a lot can be spent and when they are gone."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass

from loyalty.instants import NEVER
from loyalty.rules.calendar import (
    add_days,
    add_months,
    end_of_day,
    end_of_period,
    next_month_day,
    start_of_day,
)

PERIODS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
# The states of an order in the order in which it goes through them.
LADDER = ("placed", "paid", "fulfilled", "completed")


@dataclass(frozen=True, slots=True)
class LotTerms:
    """A lot policy: `kind` and its details say when units expire, `pending_…` when they mature.

    `length` counts days, months, years or periods, for inactivity months. `month_day` is "MM-DD".
    `warned_days`: units do not expire before a warning went out, so many days earlier.
    """

    policy_id: int = 0
    pending_from: str = "placed"
    pending_days: int = 0
    kind: str = "never"
    length: int | None = None
    period: str = ""
    month_day: str = ""
    counted_from: str = "earning"
    last_day: str = "end_of_day"
    renewed_by: tuple[str, ...] = ()
    restored_days: int = 0
    warned_days: int | None = None

    @property
    def renewable(self) -> bool:
        return self.kind == "inactivity"


@dataclass(frozen=True, slots=True)
class LotTimes:
    """`spendable_at` is NEVER while it is not known. `expires_at` (exclusive) is None: never, or
    not known yet; with `planned_expires_at` it waits for a warning, and `renewable` units expire
    with the inactivity of their wallet."""

    spendable_at: dt.datetime
    expires_at: dt.datetime | None = None
    planned_expires_at: dt.datetime | None = None
    renewable: bool = False


@dataclass(frozen=True, slots=True)
class OrderTimes:
    """When an order reached its states; None: not yet. `held`: nothing of it matures.
    `confirmed_at`: it matured then at the latest, whatever else was to be waited for."""

    placed_at: dt.datetime
    paid_at: dt.datetime | None = None
    fulfilled_at: dt.datetime | None = None
    completed_at: dt.datetime | None = None
    held: bool = False
    confirmed_at: dt.datetime | None = None

    def reached(self, state: str) -> dt.datetime | None:
        """When the order reached a state of `LADDER`."""
        found: dt.datetime | None = getattr(self, f"{state}_at")
        return found


def matures_at(terms: LotTerms, times: OrderTimes, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """When the units of an order can be spent; NEVER while what they wait for has not happened."""
    if times.held:
        return NEVER
    begin = times.reached(terms.pending_from)
    waited = NEVER if begin is None else add_days(begin, terms.pending_days, zone)
    # Who confirms what has matured already takes no time from it.
    return waited if times.confirmed_at is None else min(waited, times.confirmed_at)


def lot_times(
    terms: LotTerms, earned_at: dt.datetime, spendable_at: dt.datetime, zone: zoneinfo.ZoneInfo
) -> LotTimes:
    """Maturity and expiry of units earned at `earned_at` that can be spent from `spendable_at`."""
    begin = spendable_at if terms.counted_from == "maturity" else earned_at
    gone = None if begin >= NEVER else expires_at(terms, begin, zone)
    if terms.renewable:
        return LotTimes(spendable_at, renewable=True)
    if terms.warned_days is not None:
        return LotTimes(spendable_at, planned_expires_at=gone)
    return LotTimes(spendable_at, gone)


def within(times: LotTimes, end: dt.datetime | None) -> LotTimes:
    """The same units in a program that ends then: none lasts longer, and none waits for a warning
    or for inactivity beyond it."""
    if end is None or (times.expires_at is not None and times.expires_at <= end):
        return times
    return LotTimes(times.spendable_at, end, times.planned_expires_at)


def expires_at(terms: LotTerms, begin: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.datetime | None:
    """The first instant at which units are gone, counted from `begin`; None: never.

    For inactivity: until when an activity at `begin` keeps the units of its wallet.
    """
    last = _last_day(terms, begin.astimezone(zone).date())
    if last is None:
        return None
    return end_of_day(last, zone) if terms.last_day == "end_of_day" else start_of_day(last, zone)


def warned_expiry(
    planned: dt.datetime, warned_at: dt.datetime, warned_days: int, zone: zoneinfo.ZoneInfo
) -> dt.datetime:
    """When units expire whose warning went out: as planned, but so many days after it at least."""
    last = add_days(warned_at, warned_days, zone).astimezone(zone).date()
    return max(planned, end_of_day(last, zone))


def _last_day(terms: LotTerms, day: dt.date) -> dt.date | None:
    length = terms.length or 0
    match terms.kind:
        case "days":
            return day + dt.timedelta(days=length)
        case "months" | "inactivity":
            return add_months(day, length)
        case "years":
            return add_months(day, 12 * length)
        case "end_of_period":
            return end_of_period(day, PERIODS[terms.period], length)
        case "fixed_date":
            month, number = map(int, terms.month_day.split("-"))
            return next_month_day(day, month, number)
    return None
