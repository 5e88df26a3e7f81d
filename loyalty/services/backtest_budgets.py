"""When budgets run out. Parts of a backtest are worked on apart, but a budget is one for everybody,
and for all rules that share it: so a first round finds what they would give without it, and with
that the order with which it is used up."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from loyalty.backtest_sums import SIDES
from loyalty.rules.caps import NO_LIMIT, Room, smallest_units
from loyalty.rules.engine import RuleVersion
from loyalty.rules.events import Budgets, Credit, Unlimited
from loyalty.services.backtest_setups import Setup

# By day, then by moment and order: units, or what they are worth.
Wanted = Mapping[str, Mapping[str, int]]
# What units are worth is added up in whole numbers of this, which no worth is finer than.
GRAIN = 10


@dataclass(frozen=True, slots=True)
class End:
    """The order with which a budget is used up, and what it finds left; 0: no order."""

    at: dt.datetime
    order: int
    left: int

    def room(self, at: dt.datetime, order: int) -> int | None:
        if (at, order) < (self.at, self.order):
            return None
        return self.left if (at, order) == (self.at, self.order) else 0


class UsedUp:
    """Budgets that are there in full until an order, which gets what is left, and then gone. By
    version: of the budget in units, and of that in money."""

    def __init__(self, ends: Mapping[int, End], worth_ends: Mapping[int, End]) -> None:
        self.ends, self.worth_ends = ends, worth_ends

    def room(self, version: RuleVersion, at: dt.datetime, order: int = 0) -> Room:
        end, worth_end = self.ends.get(version.id), self.worth_ends.get(version.id)
        if end is None and worth_end is None:
            return NO_LIMIT
        money = None if worth_end is None else worth_end.room(at, order)
        if money is not None:
            left = Decimal(money).scaleb(-GRAIN)
            money = version.worth.units_for(left, version.scale, at)
        return Room(budget=None if end is None else end.room(at, order), money=money)

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
                day = credit.at.astimezone(zone).date().isoformat()
                for key, amount in _wanted(credit):
                    days = found[side].setdefault(key, {})
                    days.setdefault(day, Counter())[_key(credit)] += amount
    return found


def _wanted(credit: Credit) -> Iterator[tuple[str, int]]:
    """What it takes of the budget in units, and of that in money."""
    version, caps = credit.version, credit.version.body.caps
    if caps.budget is not None:
        yield str(version.budget_key), credit.units
    if caps.budget_money is not None:
        worth = version.worth_of(credit.units, credit.at)
        yield _of_money(version), int(worth.scaleb(GRAIN))


def _of_money(version: RuleVersion) -> str:
    return f"{version.budget_key} money"


def budgets_of(setup: Setup, parts: Iterable[Mapping[str, Any]]) -> dict[str, Budgets]:
    """The budgets of both sides, from what all parts want."""
    wanted: dict[str, dict[str, list[Wanted]]] = {side: {} for side in SIDES}
    for part in parts:
        for side in SIDES:
            for rule, days in part[side].items():
                wanted[side].setdefault(rule, []).append(days)
    return {side: _used_up(_limited(setup, side), wanted[side]) for side in SIDES}


def _used_up(versions: Iterable[RuleVersion], wanted: Mapping[str, list[Wanted]]) -> UsedUp:
    ends, worth_ends = {}, {}
    for version in versions:
        caps = version.body.caps
        if caps.budget is not None:
            most = smallest_units(caps.budget, version.scale)
            ends[version.id] = _end(most, wanted.get(str(version.budget_key), []))
        if caps.budget_money is not None:
            most = smallest_units(caps.budget_money, GRAIN)
            worth_ends[version.id] = _end(most, wanted.get(_of_money(version), []))
    return UsedUp(
        {pk: end for pk, end in ends.items() if end},
        {pk: end for pk, end in worth_ends.items() if end},
    )


def wanted_by_day(setup: Setup, parts: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """What the draft's rules would give on each day of the period without their budgets, by the
    code of the first of those that share one."""
    codes: dict[str, str] = {}
    for version in _limited(setup, "draft"):
        if version.body.caps.budget is None:
            continue
        codes.setdefault(str(version.budget_key), version.rule_code)
    first = setup.backtest.since.isoformat()
    found: dict[str, Counter[str]] = {code: Counter() for code in codes.values()}
    for part in parts:
        for rule, days in part["draft"].items():
            if rule not in codes:
                continue
            for day, orders in days.items():
                if day >= first:
                    found[codes[rule]][day] += sum(orders.values())
    return {code: dict(days) for code, days in found.items()}


def _limited(setup: Setup, side: str) -> Iterator[RuleVersion]:
    for version in setup.sides[side].everything:
        if version.body.caps.has_budget:
            yield version


def _end(left: int, parts: Sequence[Wanted]) -> End | None:
    """When so much is used up."""
    sums: Counter[str] = Counter()
    for days in parts:
        for day, orders in days.items():
            sums[day] += sum(orders.values())
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
