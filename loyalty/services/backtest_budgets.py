"""When budgets run out. Parts of a backtest are worked on apart, but a budget is one for everybody,
and for all rules that share it: so a first round finds what they would give without it, and with
that the order with which it is used up."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from loyalty.backtest_sums import SIDES
from loyalty.rules.caps import smallest_units
from loyalty.rules.engine import RuleVersion
from loyalty.rules.events import Budgets, Credit, Unlimited
from loyalty.services.backtest_setups import Setup

# By day, then by moment and order: units.
Wanted = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class End:
    """The order with which a budget is used up, and what it finds left; 0: no order."""

    at: dt.datetime
    order: int
    left: int


class UsedUp:
    """Budgets that are there in full until an order, which gets what is left, and then gone."""

    def __init__(self, ends: Mapping[int, End]) -> None:
        self.ends = ends

    def room(self, version: RuleVersion, at: dt.datetime, order: int = 0) -> int | None:
        end = self.ends.get(version.id)
        if end is None or (at, order) < (end.at, end.order):
            return None
        return end.left if (at, order) == (end.at, end.order) else 0

    def take(self, version: RuleVersion, at: dt.datetime, units: int) -> None:
        return None


def wanted_by_order(setup: Setup, first: int, last: int) -> dict[str, Any]:
    """What rules with budgets would give the customers of a range: by side, budget, day and
    order."""
    zone = setup.program.zone
    found: dict[str, dict[str, dict[str, Counter[str]]]] = {side: {} for side in SIDES}
    for _one, life in setup.lives(first, last, dict.fromkeys(SIDES, Unlimited())):
        for side, account in zip(SIDES, life.accounts, strict=True):
            for credit in account.credits:
                if credit.version.body.caps.budget is not None:
                    days = found[side].setdefault(str(credit.version.budget_key), {})
                    day = credit.at.astimezone(zone).date().isoformat()
                    days.setdefault(day, Counter())[_key(credit)] += credit.units
    return found


def budgets_of(setup: Setup, parts: Iterable[Mapping[str, Any]]) -> dict[str, Budgets]:
    """The budgets of both sides, from what all parts want."""
    wanted: dict[str, dict[str, list[Wanted]]] = {side: {} for side in SIDES}
    for part in parts:
        for side in SIDES:
            for rule, days in part[side].items():
                wanted[side].setdefault(rule, []).append(days)
    return {
        side: UsedUp(
            {
                version.id: end
                for version in _limited(setup, side)
                if (end := _end(version, wanted[side].get(str(version.budget_key), [])))
            }
        )
        for side in SIDES
    }


def wanted_by_day(setup: Setup, parts: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """What the draft's rules would give on each day of the period without their budgets, by the
    code of the first of those that share one."""
    codes: dict[str, str] = {}
    for version in _limited(setup, "draft"):
        codes.setdefault(str(version.budget_key), version.rule_code)
    first = setup.backtest.since.isoformat()
    found: dict[str, Counter[str]] = {code: Counter() for code in codes.values()}
    for part in parts:
        for rule, days in part["draft"].items():
            for day, orders in days.items():
                if day >= first:
                    found[codes[rule]][day] += sum(orders.values())
    return {code: dict(days) for code, days in found.items()}


def _limited(setup: Setup, side: str) -> Iterator[RuleVersion]:
    for version in setup.sides[side].everything:
        if version.body.caps.budget is not None:
            yield version


def _end(version: RuleVersion, parts: Iterable[Wanted]) -> End | None:
    assert version.body.caps.budget is not None
    parts = list(parts)
    sums: Counter[str] = Counter()
    for days in parts:
        for day, orders in days.items():
            sums[day] += sum(orders.values())
    left = smallest_units(version.body.caps.budget, version.scale)
    for day in sorted(sums):
        if sums[day] > left:
            return _within([days[day] for days in parts if day in days], max(left, 0))
        left -= sums[day]
    return None


def _within(parts: Iterable[Mapping[str, int]], left: int) -> End | None:
    """The order of a day with which so much is used up. What stands for no order is everybody's at
    that moment, so none of them gets what is left then."""
    wanted: Counter[tuple[dt.datetime, int]] = Counter()
    for part in parts:
        for key, units in part.items():
            moment, _space, number = key.partition(" ")
            wanted[dt.datetime.fromisoformat(moment), int(number)] += units
    for at, order in sorted(wanted):
        if wanted[at, order] > left:
            return End(at, order, left if order else 0)
        left -= wanted[at, order]
    return None


def _key(credit: Credit) -> str:
    order = credit.sale.id if credit.sale is not None else 0
    return f"{credit.at.astimezone(dt.UTC).isoformat()} {order}"
