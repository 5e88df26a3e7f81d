"""Rule sets replayed side by side, where what comes out alike is judged once, give what each gives
alone."""

import datetime as dt
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.rules.engine import RuleVersion
from loyalty.rules.events import Event, GivenBack, Person, Program, Sale, SharedBudgets, in_order
from loyalty.rules.facts import Line, Return, ReturnedLine
from loyalty.rules.replay import Life
from loyalty.rules.rulesets import InForce, RuleSet, alike
from tests.loyalty.histories import LONG
from tests.loyalty.rules.occasions import ATHENS, SATURDAY, bought, version


def question(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


WEB = question("order.channel", "is", "web")
FOOD = {"categories": ["food"]}
BODIES = (
    {"units": 1},
    {"units": 2, "include": FOOD, "when": WEB},
    {"units": "1.5", "caps": {"per_order": 40}, "rounding": {"per": "line", "mode": "nearest"}},
    {"units": 1, "caps": {"per_member": 90, "period": "month"}},
    {"units": 3, "include": FOOD, "group": "rates"},
    {"kind": "cashback", "percent": 5, "group": "rates"},
    {"kind": "cashback", "brackets": [{"above": 0, "percent": 10}, {"above": 90, "percent": 20}]},
    {"kind": "fixed", "units": 7, "when": question("order.total", "at_least", 60)},
    {"kind": "fixed", "units": 9, "stops": True, "when": WEB},
    {"kind": "fixed", "units": 11, "when": question("behavior.orders", "is", 0)},
    {"kind": "fixed", "units": 5, "when": question("member.balance", "at_least", 40)},
    {"kind": "fixed", "units": 30, "caps": {"budget": 70}},
    {"kind": "multiplier", "factor": 2, "when": WEB},
    {"kind": "multiplier", "factor": 3, "include": FOOD},
    {"kind": "multiplier", "factor": "1.5", "of": ["r1", "r2"], "group": "times"},
    {"kind": "threshold_bonus", "reach": 50, "units": 13},
    {"kind": "threshold_bonus", "reach": 90, "window": "month", "units": 50, "repeats": True},
    {"kind": "nth_purchase", "number": 3, "units": 20, "include": FOOD},
    {"kind": "streak", "length": 2, "of": "week", "units": 9},
    {"kind": "fixed", "units": 17, "when": question("member.orders", "at_most", 1)},
    {"units": 1, "caps": {"per_member": {"day": 40, "week": 70, "lifetime": 150}}},
)
PROGRAM = Program(ATHENS, "EUR")
ENDED = SATURDAY + dt.timedelta(days=20)
ways = st.sampled_from(["best", "add", "multiply"])
numbers = st.integers(0, len(BODIES) - 1)


@st.composite
def versions(draw: st.DrawFn) -> list[RuleVersion]:
    """Each rule once, of one of two kinds of units; some end meanwhile."""
    return [
        replace(
            version(place, BODIES[number], unit=draw(st.sampled_from([1, 1, 2]))),
            rule_id=place,
            ends_at=draw(st.sampled_from([None, None, None, ENDED])),
        )
        for place, number in enumerate(
            draw(st.lists(numbers, min_size=1, max_size=8 if LONG else 6)), start=1
        )
    ]


@st.composite
def drafts(draw: st.DrawFn, live: list[RuleVersion]) -> list[RuleVersion]:
    """Some rules are left out, some say something else, one is new; the others are the same."""
    found = []
    for each in live:
        what = draw(st.sampled_from(["same", "same", "same", "changed", "gone"]))
        if what == "changed":
            other = version(-each.id, BODIES[draw(numbers)], unit=each.wallet_type_id)
            found.append(replace(other, rule_id=each.rule_id, rule_code=each.rule_code))
        elif what == "same":
            found.append(each)
    if draw(st.booleans()):
        found.insert(draw(st.integers(0, len(found))), version(-99, BODIES[draw(numbers)]))
    return found


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """A member's orders, some of which come back in part."""
    found: list[Event] = []
    for number in range(1, draw(st.integers(1, 6 if LONG else 4)) + 1):
        at = SATURDAY + dt.timedelta(
            days=draw(st.sampled_from([0, 1, 8, 19, 25, 40])), hours=number
        )
        amounts = [draw(st.integers(1, 9000)) / Decimal(100) for _line in range(2)]
        order = bought(
            Line(1, amounts[0], "mug", "food"), Line(2, amounts[1], "tea", "tea"),
            at=at, currency="EUR", channel=draw(st.sampled_from(["web", "till"])),
        )  # fmt: skip
        back = draw(st.sampled_from([0, 0, 0, 1, 2]))
        sale = Sale(number, order, returned=back > 0)
        found.append(sale)
        if back:
            part = (amounts[0] / back).quantize(Decimal("0.01"))
            given_back = Return(part, (ReturnedLine(part, "mug", "food", Decimal(0), ZERO, 1),))
            later = at + dt.timedelta(days=draw(st.sampled_from([0, 3, 30])))
            found.append(GivenBack(later, "EUR", given_back, sale, linked=True))
    return in_order(found)


ZERO = Decimal(0)


def given_to(sides: list[RuleSet], events: list[Event]) -> list[Counter[tuple[Any, ...]]]:
    """What each side gives: order, moment, version and units."""
    life = Life(PROGRAM, Person(), [(rules, SharedBudgets()) for rules in sides])
    for event in events:
        life.live(event)
    return [
        Counter(
            (credit.sale and credit.sale.id, credit.at, credit.version.id, credit.units)
            for credit in account.credits
        )
        for account in life.accounts
    ]


@settings(max_examples=400)
@given(st.data(), versions(), histories(), ways, ways)
def test_a_draft_beside_live_rules_gives_what_it_gives_alone(data, live, events, one, other):
    sides = [RuleSet(live, one), RuleSet(data.draw(drafts(live)), other)]
    assert given_to(sides, events) == [*given_to(sides[:1], events), *given_to(sides[1:], events)]


def _alike(*numbers: int, changed: int, way: Any = "best") -> list[int]:
    live = [version(place, BODIES[number]) for place, number in enumerate(numbers, start=1)]
    draft = [version(-1, each.body.model_dump()) if each.id == changed else each for each in live]
    shared, (_own, _drafted) = alike(InForce.of(live, "best"), InForce.of(draft, way))
    return [each.id for each in shared]


def test_what_is_judged_once_is_what_nothing_that_differs_matters_to():
    # A changed bonus keeps nothing else from being shared, multipliers included.
    assert _alike(0, 12, 15, 7, changed=4) == [1, 2, 3]
    # A changed rate is multiplied anew; bonuses beside it are shared.
    assert _alike(0, 12, 15, 7, changed=1) == [3, 4]
    # Several multipliers that work together in another way, too.
    assert _alike(0, 12, 13, 15, changed=0, way="add") == [4]
    # What asks about the member, or is limited for them, is judged on each side.
    assert _alike(0, 9, 3, changed=0) == [1]
    # A rule that stops others ties all of its units together.
    assert _alike(8, 0, 15, changed=3) == []
    assert _alike(8, 0, 15, changed=0) == [1, 2, 3]
