"""How rules get on with one another."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.rules.facts import Context
from tests.loyalty.rules.occasions import bought, judged, line, units

RATE = {"kind": "rate"}
DOUBLE = {"kind": "multiplier", "factor": 2}
FIVE_TEA = {"kind": "multiplier", "factor": 5, "include": {"categories": ["Tea"]}}
MIXED = bought(line("10.60", "Tea"), line("100.70"))


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        # Of each line the larger: 10.60 × 5 + 100.70 × 2 = 254.40.
        ("best", [111, 101, 42]),
        # Tea six times, the rest twice: 63.60 + 201.40 = 265.00.
        ("add", [111, 111, 43]),
        # Tea ten times: 106.00 + 201.40 = 307.40.
        ("multiply", [111, 111, 85]),
    ],
)
def test_several_multipliers_work_together_as_the_program_says(how, expected):
    found = units(RATE, DOUBLE, FIVE_TEA, order=MIXED, multiplying=how)
    assert sum(found) == {"best": 254, "add": 265, "multiply": 307}[how]
    assert found == expected


def test_a_multiplier_alone_rounds_the_sum_as_the_rate_does():
    assert units(RATE, DOUBLE, order=bought("0.60")) == [0, 1]
    assert sum(units(RATE, {"kind": "multiplier", "factor": "1.5"}, order=bought("1.50"))) == 2
    line_by_line = RATE | {"rounding": {"per": "line"}}
    assert sum(units(line_by_line, DOUBLE, order=bought("1.60", "1.60"))) == 6


def test_a_multiplier_multiplies_only_the_rules_it_names():
    named = DOUBLE | {"of": ["r2"]}
    assert units(RATE, {"units": 3}, named, order=bought("10")) == [10, 30, 30]


def test_a_multiplier_leaves_fixed_awards_and_other_units_alone():
    assert units({"kind": "fixed", "units": 50}, DOUBLE, order=bought("10")) == [50, 0]


def test_shipping_is_multiplied_only_by_what_names_no_lines():
    with_shipping = RATE | {"base": {"include_shipping": True}}
    order = bought(line("10", "Tea"), shipping_total=Decimal(5))
    assert units(with_shipping, DOUBLE, order=order) == [15, 15]
    assert units(with_shipping, FIVE_TEA, order=order) == [15, 40]


def test_the_rates_own_limit_for_an_order_holds_with_what_multiplies_it():
    limited = RATE | {"caps": {"per_order": 15}}
    assert units(limited, DOUBLE, order=bought("10")) == [10, 5]
    assert units(limited, DOUBLE, order=bought("20")) == [15, 0]


def test_a_multiplier_has_a_limit_of_its_own():
    assert units(RATE, DOUBLE | {"caps": {"per_order": 3}}, order=bought("10")) == [10, 3]


def test_cashback_is_multiplied_by_category():
    cashback = {
        "kind": "cashback", "percent": 1, "by_category": [{"category": "Tea", "percent": 5}],
    }  # fmt: skip
    order = bought(line("10", "Tea"), line("100"))
    assert units(cashback, DOUBLE, order=order, scale=2) == [150, 150]


def test_of_an_exclusive_group_only_the_best_gives():
    first, second = RATE | {"group": "g"}, {"kind": "fixed", "units": 30, "group": "g"}
    assert units(first, second, order=bought("20")) == [0, 30]
    assert units(first, second, order=bought("40")) == [40, 0]
    decision = judged(first, second, order=bought("20"))
    assert decision.awards[0].steps[-1] == ("given_way", "Rule 2")


def test_of_equal_rules_in_a_group_the_first_gives():
    twice = [RATE | {"group": "g"}] * 2
    assert units(*twice, order=bought("20")) == [20, 0]


def test_what_gave_way_is_not_multiplied():
    first, second = RATE | {"group": "g"}, {"units": 2, "group": "g"}
    assert units(first, second, DOUBLE, order=bought("10")) == [0, 20, 20]


def test_of_multipliers_in_a_group_only_the_best_counts():
    grouped = [DOUBLE | {"group": "g"}, FIVE_TEA | {"group": "g"}]
    assert units(RATE, *grouped, order=bought(line("10", "Tea")), multiplying="multiply") == [
        10, 0, 40,
    ]  # fmt: skip
    assert units(RATE, *grouped, order=bought(line("10")), multiplying="multiply") == [10, 10, 0]


def test_a_rule_that_stops_ends_the_list_where_it_gives_something():
    tea = {"units": 5, "include": {"categories": ["Tea"]}, "stops": True}
    assert units(tea, RATE, order=bought(line("10", "Tea"))) == [50, 0]
    assert units(tea, RATE, order=bought(line("10"))) == [0, 10]


def test_a_multiplier_that_stops_keeps_later_ones_out():
    first = FIVE_TEA | {"stops": True}
    order = bought(line("10", "Tea"))
    assert units(RATE, first, DOUBLE, order=order, multiplying="add") == [10, 40, 0]


def test_a_condition_that_is_not_met_gives_nothing():
    from_fifty = RATE | {"when": {"field": "order.total", "op": "at_least", "value": 50}}
    assert units(from_fifty, order=bought("50")) == [50]
    assert units(from_fifty, order=bought("49.99")) == [0]
    assert judged(from_fifty, order=bought("9")).awards[0].steps == (("not_met",),)


def test_answers_about_the_buyer_are_those_recorded():
    regulars = RATE | {
        "when": {
            "all": [
                {"field": "behavior.orders", "op": "at_least", "value": 3},
                {"field": "order.total", "op": "at_least", "value": 5},
            ]
        }
    }
    assert units(regulars, order=bought("10"), context=Context({1: "1"})) == [10]
    assert units(regulars, order=bought("10"), context=Context({1: "0"})) == [0]
    assert units(regulars, order=bought("4"), context=Context({1: "1"})) == [0]


money = st.integers(1, 100_00).map(lambda cents: Decimal(cents) / 100)
lines = st.builds(line, money.map(str), st.sampled_from(["Tea", "Hat", ""]))


@given(
    st.lists(lines, min_size=1, max_size=5),
    st.lists(st.sampled_from([DOUBLE, FIVE_TEA, DOUBLE | {"factor": "1.1"}]), max_size=3),
    st.sampled_from(["best", "add", "multiply"]),
    st.sampled_from(["down", "nearest", "up"]),
    st.sampled_from(["1", "0.3"]),
)
def test_rate_and_multipliers_together_are_each_line_times_its_factor_rounded_once(
    bought_lines, multipliers, how, mode, rate
):
    base = {"units": rate, "rounding": {"mode": mode}}
    order = bought(*bought_lines)
    exact = sum(each.total * Decimal(rate) * _factor(each, multipliers, how)
                for each in bought_lines)  # fmt: skip
    rounded = {"down": "ROUND_DOWN", "nearest": "ROUND_HALF_UP", "up": "ROUND_UP"}[mode]
    expected = int(exact.to_integral_value(rounded))
    assert sum(units(base, *multipliers, order=order, multiplying=how)) == expected


def _factor(each, multipliers, how) -> Decimal:
    factors = [
        Decimal(body["factor"])
        for body in multipliers
        if "include" not in body or each.category == "Tea"
    ]
    match how:
        case "best":
            return max(factors, default=Decimal(1))
        case "add":
            return 1 + sum((factor - 1 for factor in factors), Decimal(0))
    product = Decimal(1)
    for factor in factors:
        product *= factor
    return product
