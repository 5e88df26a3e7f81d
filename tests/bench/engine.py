"""The rules alone: how many orders a second one core judges, with all the reasons.

No database. The mix of twenty rules has every kind that judges single orders, and multipliers,
conditions about the order and its items, and goals over several orders.
"""

from __future__ import annotations

import random
import statistics
import time
from argparse import Namespace
from decimal import Decimal
from typing import Any

from loyalty.rules.engine import RuleVersion, evaluate
from loyalty.rules.facts import Line, Occasion
from tests.bench.figures import Figures, Goal
from tests.loyalty.rules.occasions import bought, version

GOALS = {
    "usual": Goal("orders/s and core, 10 items, 20 rules, reasons read", 10_000, 30_000),
    "unread": Goal("the same, reasons kept and not read / read"),
    "few rules": Goal("the same orders, 5 rules / 20 rules"),
    "many rules": Goal("the same orders, 20 rules / 80 rules"),
    "items": Goal("the same rules, 1 item / 10 items"),
    "many items": Goal("the same rules, 10 items / 40 items"),
}
CATEGORIES = tuple(f"Category {number}" for number in range(12))
ORDERS, SLICE = 600, 30


def _question(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


RULES: tuple[dict[str, Any], ...] = (
    {"units": 1, "caps": {"per_order": 500}},
    {"kind": "multiplier", "factor": 5, "include": {"categories": [CATEGORIES[0]]}},
    {"kind": "multiplier", "factor": 2,
     "when": _question("order.weekday", "one_of", ["saturday", "sunday"])},
    {"kind": "threshold_bonus", "reach": 100, "units": 50},
    {"kind": "fixed", "units": 10, "when": {"all": [
        _question("order.channel", "is", "web"), _question("order.total", "at_least", 20)]}},
    *({"units": number, "include": {"categories": [CATEGORIES[number]]},
       "when": _question("order.total", "at_least", 50 * number)} for number in range(1, 6)),
    *({"kind": "multiplier", "factor": "1.5", "include": {"categories": [CATEGORIES[number]]},
       "when": _question("order.store", "is", f"Store {number}")} for number in range(6, 9)),
    {"kind": "threshold_bonus", "reach": 500, "units": 50, "window": "month"},
    {"kind": "nth_purchase", "number": 5, "units": 50},
    {"kind": "stamps", "full_at": 10, "units": 100},
    {"kind": "streak", "of": "week", "length": 4, "units": 20},
    {"kind": "fixed", "units": 5, "when": {
        "lines": "any", "where": _question("line.category", "is", CATEGORIES[3])}},
    {"kind": "fixed", "units": 5, "when": {
        "lines": "total", "where": _question("line.category", "is", CATEGORIES[4]),
        "op": "at_least", "value": 100}},
    {"kind": "fixed", "units": 7, "when": _question("order.time", "between", ["18:00", "20:00"])},
)  # fmt: skip


def rounds(options: Namespace) -> list[Figures]:
    """Every round judges each kind of order under each set of rules."""
    versions = _versions(1)
    assert len(versions) == 20
    return [_round(versions, _versions(4)) for _round_number in range(options.rounds)]


def _round(versions: list[RuleVersion], many: list[RuleVersion]) -> Figures:
    usual, fastest = _speeds(10, versions)
    unread, _fastest = _speeds(10, versions, read=False)
    few_rules, many_rules = _speeds(10, versions[:5])[0], _speeds(10, many)[0]
    one, many_items = _speeds(1, versions)[0], _speeds(40, versions)[0]
    return {
        "usual": usual, "unread": unread / usual,
        "few rules": few_rules / usual, "many rules": usual / many_rules,
        "items": one / usual, "many items": usual / many_items,
        "orders/s, 10 items, 20 rules, reasons read, fastest slice": fastest,
        "orders/s, 10 items, 20 rules, reasons not read": unread,
        "orders/s, 10 items, 5 rules": few_rules,
        "orders/s, 10 items, 80 rules": many_rules,
        "orders/s, 1 item, 20 rules": one,
        "orders/s, 40 items, 20 rules": many_items,
    }  # fmt: skip


def _versions(times: int) -> list[RuleVersion]:
    """The rules, so many times."""
    return [version(number, body) for number, body in enumerate(RULES * times, start=1)]


def _speeds(items: int, versions: list[RuleVersion], *, read: bool = True) -> tuple[float, float]:
    """Orders for each second of this process on a core: the median of slices, because other work
    comes in between, and the fastest. Orders are new each time, so that nothing about them is known
    yet. What gave units is explained, as it would be stored."""
    speeds = []
    orders = _orders(items)
    for first in range(0, len(orders), SLICE):
        own = orders[first : first + SLICE]
        started = time.process_time()
        for order in own:
            decision = evaluate(versions, order)
            if read:
                for award in decision.awards:
                    if award.units:
                        award.steps  # noqa: B018  (reading puts them into text)
        speeds.append(len(own) / (time.process_time() - started))
    return statistics.median(speeds), max(speeds)


def _orders(items: int) -> list[Occasion]:
    """The same in every run."""
    chance = random.Random(items)
    return [_order(items, chance) for _number in range(ORDERS)]


def _order(items: int, chance: random.Random) -> Occasion:
    lines = [
        Line(
            number, Decimal(chance.randrange(100, 9900)) / 100, f"S{chance.randrange(500)}",
            chance.choice(CATEGORIES), quantity=Decimal(chance.randrange(1, 4)),
        )
        for number in range(items)
    ]  # fmt: skip
    return bought(
        *lines, channel=chance.choice(["web", "till"]), store=f"Store {chance.randrange(12)}"
    )
