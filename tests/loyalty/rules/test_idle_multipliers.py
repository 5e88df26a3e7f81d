"""Why a multiplier adds nothing, though its condition was met."""

from decimal import Decimal

import pytest

from loyalty.rules.idle_multipliers import with_why_idle
from tests.loyalty.rules.occasions import bought, judged, line

RATE = {"kind": "rate"}
DOUBLE = {"kind": "multiplier", "factor": 2}
THREE_TEA = {"kind": "multiplier", "factor": 3, "include": {"categories": ["Tea"]}}
FIVE = {"kind": "multiplier", "factor": 5}
TEA, BREAD = bought(line("10", "Tea")), bought(line("10", "Bread"))
NEVER = {"field": "order.total", "op": "less_than", "value": 0}


@pytest.mark.parametrize(
    ("rules", "order", "how", "steps"),
    [
        ([RATE, DOUBLE, FIVE], TEA, "best", [("outdone", "Rule 3")]),
        ([RATE, FIVE, FIVE], TEA, "best", [("outdone", "Rule 2")]),
        ([RATE, THREE_TEA, DOUBLE, FIVE], TEA, "best", [("outdone", "Rule 4")] * 2),
        # Bread is doubled: what is for tea has nothing to do there.
        ([RATE, DOUBLE, THREE_TEA], BREAD, "best", [("eligible", "0", "1")]),
        ([RATE, DOUBLE, THREE_TEA], TEA, "best", [("outdone", "Rule 3")]),
        ([RATE, THREE_TEA], BREAD, "add", [("eligible", "0", "1")]),
        ([{"kind": "fixed", "units": 5}, DOUBLE], TEA, "best", [("no_base",)]),
        ([RATE, {"kind": "cashback", "percent": 100}, DOUBLE | {"of": ["r3"]}], TEA, "add",
         [("no_base",)]),
        # Each multiplies another rule, so neither is in the other's way.
        ([RATE, {"units": "0.01"}, DOUBLE | {"of": ["r2"]}, FIVE | {"of": ["r1"]}], TEA, "best",
         [("no_base",)]),
        ([RATE | {"caps": {"per_order": 4}}, DOUBLE], TEA, "best", [("base_full",)]),
        ([{"units": "0.11"}, {"kind": "multiplier", "factor": "1.01"}], TEA, "best", []),
        # What says already why is left alone.
        ([RATE, DOUBLE | {"when": NEVER}], TEA, "best", [("not_met",)]),
        ([RATE | {"stops": True}, DOUBLE], TEA, "best", [("stopped",)]),
        ([RATE, DOUBLE | {"group": "g"}, FIVE | {"group": "g"}], TEA, "best",
         [("given_way", "Rule 3")]),
    ],
)  # fmt: skip
def test_a_multiplier_that_adds_nothing_says_why(rules, order, how, steps):
    awards = judged(*rules, order=order, multiplying=how).awards
    told = with_why_idle(awards, order.basket, how)
    assert [award.units for award in told] == [award.units for award in awards]
    idle = [
        step
        for award in told
        if award.version.body.kind == "multiplier" and not award.units
        for step in award.steps
    ]
    assert idle == steps


def test_awards_that_give_something_stay_as_they_are():
    awards = judged(RATE, DOUBLE, order=TEA).awards
    assert with_why_idle(awards, TEA.basket, "best") == awards


def test_shipping_alone_is_multiplied_by_what_names_no_lines():
    earns = RATE | {"base": {"include_shipping": True}}
    order = bought(shipping_total=Decimal(5))
    awards = judged(earns, DOUBLE, FIVE, order=order).awards
    assert [award.units for award in awards] == [5, 0, 20]
    assert with_why_idle(awards, order.basket, "best")[1].steps == (("outdone", "Rule 3"),)
