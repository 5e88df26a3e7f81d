"""The rules alone: how many orders a second one core judges, with all the reasons.

No database. The mix of twenty rules has every kind that judges single orders, and multipliers,
conditions about the order and its items, and goals over several orders.
"""

from __future__ import annotations

import random
import time
from argparse import Namespace
from decimal import Decimal
from typing import Any

from loyalty.rules.engine import RuleVersion, evaluate
from loyalty.rules.facts import Line, Occasion
from tests.bench.figures import Figures, Goal
from tests.loyalty.rules.occasions import bought, version

GOALS = {
    "usual": Goal("orders/s and core, 10 items, 20 rules", 10_000, 30_000),
    "rules": Goal("the same orders, 5 rules / 20 rules"),
    "items": Goal("the same rules, 1 item / 10 items"),
    "many items": Goal("the same rules, 10 items / 40 items"),
}
CATEGORIES = tuple(f"Category {number}" for number in range(12))
ORDERS = 300


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
    versions = [version(number, body) for number, body in enumerate(RULES, start=1)]
    assert len(versions) == 20
    orders = {items: _orders(items) for items in (1, 10, 40)}
    found = []
    for _round in range(options.rounds):
        usual, few_rules = _speed(orders[10], versions), _speed(orders[10], versions[:5])
        one, many = _speed(orders[1], versions), _speed(orders[40], versions)
        found.append(
            {
                "usual": usual, "rules": few_rules / usual, "items": one / usual,
                "many items": usual / many,
            }
        )  # fmt: skip
    return found


def _speed(orders: list[Occasion], versions: list[RuleVersion]) -> float:
    """Orders for each second of this process on a core."""
    started = time.process_time()
    for order in orders:
        evaluate(versions, order)
    return len(orders) / (time.process_time() - started)


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
