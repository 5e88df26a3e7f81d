"""What each kind of rule gives for an order, as tables."""

import datetime as dt
from decimal import Decimal

import pytest
from pydantic import ValidationError

from loyalty.rules.bodies import parse_body
from loyalty.rules.bonus import award, counted, reached_by
from loyalty.rules.facts import Context
from loyalty.rules.reckoning import Reckoner
from tests.loyalty.rules.occasions import ATHENS, bought, judged, line, units

FLAT = {"kind": "cashback", "percent": 5}
BY_CATEGORY = {
    "kind": "cashback", "percent": 1,
    "by_category": [{"category": "Tea", "percent": 5}, {"category": "Books", "percent": 0}],
}  # fmt: skip
BY_MARGIN = {
    "kind": "cashback", "percent": 1, "by_category": [{"category": "Tea", "percent": 5}],
    "by_margin": [{"at_least": 20, "percent": 2}, {"at_least": "40.5", "percent": 8}],
}  # fmt: skip
BRACKETS = {
    "kind": "cashback",
    "brackets": [{"above": 0, "percent": 1}, {"above": 1000, "percent": 2},
                 {"above": 5000, "percent": 5}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("body", "order", "scale", "expected"),
    [
        (FLAT, bought("12.50"), 2, 62),
        (FLAT, bought("12.50"), 0, 0),
        (FLAT | {"rounding": {"mode": "up"}}, bought("12.50"), 2, 63),
        (FLAT | {"rounding": {"mode": "nearest"}}, bought("12.50"), 2, 63),
        (FLAT, bought("0.19", "0.19"), 2, 1),
        (FLAT | {"rounding": {"per": "line"}}, bought("0.19", "0.19"), 2, 0),
        # A currency with three decimals, and one with none.
        (FLAT, bought("1.234"), 3, 61),
        (FLAT, bought("1980"), 0, 99),
        (BY_CATEGORY, bought(line("10", "Tea"), line("10", "Books"), line("10")), 2, 60),
        (BY_CATEGORY | {"exclude": {"categories": ["Tea"]}}, bought(line("10", "Tea"), "10"), 2,
         10),
        *((BY_MARGIN, bought(line("10", category, margin=margin and Decimal(margin))), 2, units)
          for margin, category, units in [
              (None, "", 10), ("-5", "", 10), ("19.99", "", 10), ("20", "", 20), ("40.49", "", 20),
              ("40.5", "", 80), ("100", "", 80), ("100", "Tea", 50),
          ]),
        (FLAT, bought("-3"), 2, 0),
        (FLAT, bought(), 2, 0),
    ],
)  # fmt: skip
def test_cashback_is_a_percentage_of_what_counts(body, order, scale, expected):
    assert units(body, order=order, scale=scale) == [expected]


@pytest.mark.parametrize(
    ("spent", "amount", "expected"),
    [
        ("0", "1000", 1000),
        ("0", "1000.01", 1000),
        ("0", "1001", 1002),
        ("999", "2", 3),
        ("1000", "100", 200),
        ("4900", "200", 200 + 500),
        ("0", "6000", 1000 + 8000 + 5000),
        ("9000", "100", 500),
    ],
)
def test_each_part_of_an_order_has_the_percentage_of_its_bracket(spent, amount, expected):
    context = Context(spent={1: Decimal(spent)})
    assert units(BRACKETS, order=bought(amount), scale=2, context=context) == [expected]


def test_cashback_says_which_percentages_it_gave():
    (award,) = judged(BY_CATEGORY, order=bought(line("10", "Tea"), line("4")), scale=2).awards
    assert ("cashback", "1", "4") in award.steps
    assert ("cashback", "5", "10") in award.steps


@pytest.mark.parametrize(
    ("order", "expected"),
    [(bought("0.01"), 50), (bought("999"), 50), (bought("0"), 0), (bought(), 0)],
)
def test_a_fixed_award_is_for_any_order_that_costs_something(order, expected):
    assert units({"kind": "fixed", "units": 50}, order=order) == [expected]


def test_a_fixed_award_can_ask_for_certain_lines():
    body = {"kind": "fixed", "units": 50, "include": {"categories": ["Tea"]}}
    assert units(body, order=bought(line("3", "Tea"))) == [50]
    assert units(body, order=bought(line("3", "Coffee"))) == [0]


STAMPS = {"kind": "stamps", "full_at": 10, "units": 100}


@pytest.mark.parametrize(
    ("body", "order", "brought"),
    [
        ({"kind": "nth_purchase", "number": 5}, bought("1"), 1),
        ({"kind": "nth_purchase", "number": 5}, bought("0"), 0),
        ({"kind": "nth_purchase", "number": 5, "least": 10}, bought("9.99"), 0),
        ({"kind": "nth_purchase", "number": 5, "least": 10}, bought("10"), 1),
        ({"kind": "streak", "length": 2, "least": 10}, bought("9.99"), 0),
        (STAMPS, bought("100"), 1),
        (STAMPS | {"stamp_per": "quantity"},
         bought(line("9", "Tea", quantity=Decimal(3)), "1"), 4),
        (STAMPS | {"stamp_per": "quantity", "include": {"categories": ["Tea"]}, "each": 2},
         bought(line("9", "Tea", quantity=Decimal(5)), "1"), 2),
        (STAMPS | {"stamp_per": "money", "each": 5}, bought("14.99"), 2),
        (STAMPS | {"stamp_per": "money", "each": 5}, bought("-14.99"), 0),
        ({"kind": "threshold_bonus", "reach": 100, "window": "month"}, bought("14.99"), "14.99"),
    ],
)  # fmt: skip
def test_an_order_brings_so_much_towards_a_goal(body, order, brought):
    assert counted(parse_body(body), Reckoner(order.basket))[0] == Decimal(brought)


@pytest.mark.parametrize(
    ("body", "reached", "expected"),
    [
        ({"kind": "nth_purchase", "number": 1, "units": 20}, 0, 0),
        ({"kind": "nth_purchase", "number": 1, "units": 20}, 7, 20),
        ({"kind": "nth_purchase", "number": 5, "units": 20}, 4, 0),
        ({"kind": "nth_purchase", "number": 5, "units": 20}, 11, 20),
        ({"kind": "nth_purchase", "number": 5, "units": 20, "repeats": True}, 11, 40),
        (STAMPS, 9, 0),
        (STAMPS, 10, 100),
        (STAMPS, 29, 200),
        ({"kind": "threshold_bonus", "reach": "10.5", "window": "day", "units": "1.5"}, "10.5", 1),
    ],
)
def test_a_goal_brings_units_when_it_is_reached(body, reached, expected):
    assert award(parse_body(body), Decimal(reached), 0)[0] == expected


def days(*numbers: int) -> list[tuple[dt.datetime, Decimal]]:
    """An order on each of these days of March 2025; the 30th has 23 hours in Athens."""
    return [(dt.datetime(2025, 3, number, 23, 30, tzinfo=ATHENS), Decimal(1)) for number in numbers]


@pytest.mark.parametrize(
    ("of", "length", "on", "reached_on"),
    [
        ("day", 3, (1, 2, 3), [3]),
        ("day", 3, (1, 2, 4, 5), []),
        ("day", 2, (29, 30, 31), [30]),
        ("day", 2, (1, 2, 3, 4, 5), [2, 4]),
        ("day", 2, (2, 1), [2]),
        ("day", 3, (1, 1, 1), []),
        # 3, 10 and 17 March 2025 are Mondays.
        ("week", 2, (9, 10), [10]),
        ("week", 2, (3, 9), []),
        ("week", 3, (5, 12, 19), [19]),
    ],
)
def test_a_streak_is_so_many_periods_in_a_row(of, length, on, reached_on):
    body = parse_body({"kind": "streak", "of": of, "length": length})
    assert [at.day for at in reached_by(body, days(*on))] == reached_on


def test_a_streak_that_does_not_repeat_counts_once():
    body = parse_body({"kind": "streak", "of": "day", "length": 2, "repeats": False})
    assert [at.day for at in reached_by(body, days(1, 2, 3, 4))] == [2]


def test_an_order_that_came_to_nothing_breaks_a_streak():
    body = parse_body({"kind": "streak", "of": "day", "length": 3})
    (first, second, third) = days(1, 2, 3)
    assert reached_by(body, [first, (second[0], Decimal(0)), third]) == []


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({"kind": "cashback"}, "percent"),
        ({"kind": "cashback", "percent": 101}, "percent"),
        ({"kind": "cashback", "percent": 5, "brackets": [{"above": 0, "percent": 1}]}, "brackets"),
        ({"kind": "cashback", "brackets": [{"above": 5, "percent": 1}, {"above": 1, "percent": 2}]},
         "brackets"),
        ({"kind": "cashback", "by_category": [{"category": "a", "percent": 1}] * 2}, "by_category"),
        ({"kind": "cashback", "by_margin": [{"at_least": 2, "percent": 1},
          {"at_least": 1, "percent": 2}]}, "by_margin"),
        ({"kind": "cashback", "by_margin": [{"at_least": 101, "percent": 1}]}, "at_least"),
        ({"kind": "cashback", "by_margin": [{"at_least": 1, "percent": 1}],
          "brackets": [{"above": 0, "percent": 1}]}, "by_margin"),
        ({"kind": "multiplier", "factor": 1}, "factor"),
        ({"kind": "stamps", "full_at": 1}, "full_at"),
        ({"kind": "streak", "length": 1}, "length"),
        ({"kind": "nth_purchase", "number": 0}, "number"),
    ],
)  # fmt: skip
def test_a_body_that_makes_no_sense_is_refused(body, what):
    with pytest.raises(ValidationError, match=what):
        parse_body(body)
