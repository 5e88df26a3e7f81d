"""When budgets run out. Parts of a backtest are worked on apart, but a budget is one for everybody:
so a first round finds what each rule would give day by day without it, and with that the moment at
which it is used up. Within the day it is taken as given evenly."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from loyalty.backtest_sums import SIDES
from loyalty.rules.calendar import end_of_day, start_of_day
from loyalty.rules.caps import smallest_units
from loyalty.rules.engine import RuleVersion
from loyalty.rules.events import Budgets
from loyalty.services.backtest_setups import Setup


class Unlimited:
    """As if rules had no budgets."""

    def room(self, version: RuleVersion, at: dt.datetime) -> int | None:
        return None

    def take(self, version: RuleVersion, at: dt.datetime, units: int) -> None:
        return None


class UsedUp:
    """Budgets that are there in full until a moment, and then gone."""

    def __init__(self, ends: Mapping[int, dt.datetime]) -> None:
        self.ends = ends

    def room(self, version: RuleVersion, at: dt.datetime) -> int | None:
        end = self.ends.get(version.id)
        return None if end is None or at < end else 0

    def take(self, version: RuleVersion, at: dt.datetime, units: int) -> None:
        return None


def wanted_by_day(setup: Setup, first: int, last: int) -> dict[str, Any]:
    """What rules with budgets would give the customers of a range: by side, rule and day."""
    zone = setup.program.zone
    found: dict[str, dict[str, Counter[str]]] = {side: {} for side in SIDES}
    for _one, life in setup.lives(first, last, dict.fromkeys(SIDES, Unlimited())):
        for side, account in zip(SIDES, life.accounts, strict=True):
            for credit in account.credits:
                if credit.version.body.caps.budget is not None:
                    days = found[side].setdefault(str(credit.version.budget_key), Counter())
                    days[credit.at.astimezone(zone).date().isoformat()] += credit.units
    return found


def budgets_of(setup: Setup, parts: Iterable[Mapping[str, Any]]) -> dict[str, Budgets]:
    """The budgets of both sides, from what all parts want."""
    wanted: dict[str, dict[str, Counter[str]]] = {side: {} for side in SIDES}
    for part in parts:
        for side in SIDES:
            for rule, days in part[side].items():
                wanted[side].setdefault(rule, Counter()).update(days)
    return {
        side: UsedUp(
            {
                version.id: end
                for version in setup.sides[side].everything
                if version.body.caps.budget is not None
                and (end := _end(version, wanted[side].get(str(version.budget_key), {}), setup))
            }
        )
        for side in SIDES
    }


def _end(version: RuleVersion, days: Mapping[str, int], setup: Setup) -> dt.datetime | None:
    assert version.body.caps.budget is not None
    left = smallest_units(version.body.caps.budget, version.scale)
    for day in sorted(days):
        if days[day] > left:
            return _within(dt.date.fromisoformat(day), max(left, 0) / days[day], setup.program.zone)
        left -= days[day]
    return None


def _within(day: dt.date, share: float, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """The moment at which such a share of a day is over, which has 23 hours or 25 where clocks
    change."""
    start, end = (at.astimezone(dt.UTC) for at in (start_of_day(day, zone), end_of_day(day, zone)))
    return start + (end - start) * share
