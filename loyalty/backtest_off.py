"""What discounts that are tried take off real orders, added up: parts of it may be found anywhere,
in any order, and are kept as JSON meanwhile. Only with all of them together it shows with which
order a limit for everybody is reached."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from loyalty.backtest_rules import Discounted
from loyalty.rules.facts import ZERO
from loyalty.rules.replayed_prices import Limits, Off


class Taken(NamedTuple):
    """Off one order: when and which, of those of one moment in that order; on which day by the
    program's clocks, whose it is, and how much."""

    at: str
    order: int
    day: str
    customer: int
    amount: str


@dataclass(slots=True)
class TakenOff:
    """Off the orders of a number of customers, by the rule's code."""

    rules: defaultdict[str, list[Taken]] = field(default_factory=lambda: defaultdict(list))

    def add(self, customer: int, found: Iterable[Off], zone: dt.tzinfo) -> None:
        for off in found:
            day = off.at.astimezone(zone).date().isoformat()
            at = off.at.astimezone(dt.UTC).isoformat(timespec="microseconds")
            self.rules[off.version.rule_code].append(
                Taken(at, off.order, day, customer, str(off.amount))
            )

    def merge(self, kept: Mapping[str, Any]) -> None:
        for code, rows in kept.items():
            self.rules[code] += [Taken(*row) for row in rows]

    def as_json(self) -> dict[str, Any]:
        return {code: [list(row) for row in rows] for code, rows in self.rules.items()}

    def results(self, tried: Iterable[Discounted]) -> dict[str, Any]:
        """For each rule: what is taken off within its limits, and what would be without them."""
        return {
            item.rule.code: {"name": item.rule.name, **_result(self.rules[item.rule.code], item)}
            for item in tried
        }


def _result(rows: list[Taken], item: Discounted) -> dict[str, Any]:
    rows = sorted(rows)
    given, used_up = _within(rows, item.limits)
    by_day: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        by_day[row.day] += Decimal(row.amount)
    return {
        "off": str(sum((Decimal(row.amount) for row in given), ZERO)),
        "orders": len(given),
        "members": len({row.customer for row in given}),
        "used_up": used_up,
        "wanted": {day: str(amount) for day, amount in by_day.items()},
        "wanted_orders": dict(Counter(row.day for row in rows)),
    }


def _within(rows: list[Taken], limits: Limits) -> tuple[list[Taken], str | None]:
    """Those that get it, in the order of time: one whose amount is not covered by what is left gets
    none of it, and a smaller one after it may. And the day of the first that gets none."""
    left, used_up = limits.budget, None
    given: list[Taken] = []
    for row in rows:
        amount = Decimal(row.amount)
        if (limits.uses is not None and len(given) >= limits.uses) or (
            left is not None and amount > left
        ):
            used_up = used_up or row.day
            continue
        given.append(row)
        if left is not None:
            left -= amount
    return given, used_up
