"""Conditions that nothing can ever meet are found out, and those that can be met are left alone."""

import datetime as dt
import zoneinfo
from typing import Any

import pytest

from loyalty.rule_conditions import read_condition
from members.conditions.contradictions import Range, never_holds
from members.conditions.moments import Moment

MOMENT = Moment(dt.datetime(2026, 6, 6, 9, tzinfo=dt.UTC), zoneinfo.ZoneInfo("Europe/Athens"))


def ask(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op} | ({} if value is None else {"value": value})


def total(op: str, value: Any) -> dict[str, Any]:
    return ask("order.total", op, value)


IMPOSSIBLE = {
    "two limits that do not meet": {"all": [total("at_least", 100), total("less_than", 50)]},
    "an open end": {"all": [total("at_least", 50), total("less_than", 50)]},
    "a number beside its range": {"all": [total("between", [1, 5]), total("is", 6)]},
    "two names": {"all": [ask("order.store", "is", "A"), ask("order.store", "is", "B")]},
    "lists without a common name": {
        "all": [ask("order.store", "one_of", ["A", "B"]), ask("order.store", "one_of", ["C"])]
    },
    "a name that is excluded": {
        "all": [ask("order.store", "is", "A"), {"not": ask("order.store", "is", "A")}]
    },
    "two weekdays": {
        "all": [
            ask("order.weekday", "one_of", ["monday"]), ask("order.weekday", "one_of", ["friday"])
        ]
    },
    "hours that do not meet": {
        "all": [
            ask("order.time", "between", ["08:00", "10:00"]),
            ask("order.time", "between", ["22:00", "02:00"]),
        ]
    },
    "days that do not meet": {
        "all": [
            ask("order.day", "before", "2026-01-01"), ask("order.day", "on_or_after", "2026-01-01")
        ]
    },
    "days ago that do not meet": {
        "all": [
            ask("behavior.last_order_at", "in_last_days", 30),
            ask("behavior.last_order_at", "before_last_days", 60),
        ]
    },
    "known and not known": {
        "all": [ask("customer.birthday", "empty"), ask("behavior.spend", "empty"),
                ask("behavior.spend", "at_least", 5)]
    },
    "each way is impossible": {
        "any": [
            {"all": [total("at_least", 10), total("less_than", 5)]},
            {"all": [total("is", 1), total("is", 2)]},
        ]
    },
    "a line that cannot be": {
        "lines": "any", "where": {"all": [ask("line.price", "more_than", 5),
                                          ask("line.price", "less_than", 3)]}
    },
    "not either": {
        "not": {"any": [total("at_least", 10), total("less_than", 10), ask("order.total", "empty")]}
    },
}  # fmt: skip

POSSIBLE = {
    "a range": {"all": [total("at_least", 50), total("at_most", 50)]},
    "a gap of the smallest step": {"all": [total("more_than", 5), total("less_than", "5.0002")]},
    "one of two ways": {"any": [{"all": [total("is", 1), total("is", 2)]}, total("is", 3)]},
    "different fields": {"all": [total("at_least", 100), ask("order.goods", "less_than", 50)]},
    "lists with a common name": {
        "all": [ask("order.store", "one_of", ["A", "B"]), ask("order.store", "is_not", "A")]
    },
    "two lines": {
        "all": [
            {"lines": "any", "where": ask("line.category", "is", "Tea")},
            {"lines": "any", "where": ask("line.category", "is", "Coffee")},
        ]
    },
    "a moving day and a fixed one": {
        "all": [
            ask("behavior.last_order_at", "in_last_days", 30),
            ask("behavior.last_order_at", "on_or_after", "2030-01-01"),
        ]
    },
    "beginnings of words": {
        "all": [ask("order.store", "starts_with", "A"), ask("order.store", "contains", "x")]
    },
    "several in a list": {
        "all": [ask("order.coupons", "has_any", ["A"]), ask("order.coupons", "has_any", ["B"])]
    },
    "hours over midnight": {
        "all": [ask("order.time", "between", ["22:00", "02:00"]),
                ask("order.time", "between", ["01:00", "03:00"])]
    },
    "nothing is asked": {},
}  # fmt: skip


@pytest.mark.parametrize("condition", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_nothing_can_meet_is_found(condition: dict[str, Any]) -> None:
    assert never_holds(read_condition(condition), MOMENT)


@pytest.mark.parametrize("condition", POSSIBLE.values(), ids=POSSIBLE)
def test_what_can_be_met_is_left_alone(condition: dict[str, Any]) -> None:
    assert never_holds(read_condition(condition), MOMENT) is None


def test_only_the_questions_that_contradict_each_other_are_named() -> None:
    condition = {"all": [ask("order.store", "is", "A"), total("is", 1), total("is", 2)]}
    found = never_holds(read_condition(condition), MOMENT)
    assert found is not None
    assert {each.question.field.name for each in found} == {"order.total"}


def test_a_field_that_has_few_values_at_all_meets_less() -> None:
    condition = read_condition(ask("order.weekday", "one_of", ["saturday", "sunday"]))
    workdays = {"order.weekday": Range(lambda day: day < 5)}
    assert never_holds(condition, MOMENT) is None
    assert never_holds(condition, MOMENT, workdays)


def test_more_ways_than_anybody_looks_at_count_as_possible() -> None:
    pairs = [{"any": [total("is", number), total("is", -number)]} for number in range(1, 15)]
    assert never_holds(read_condition({"all": pairs}), MOMENT) is None
