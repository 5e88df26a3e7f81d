"""What is refused or warned about before a rule is published, case by case."""

import datetime as dt
import zoneinfo
from itertools import combinations, permutations
from typing import Any

import pytest

from loyalty.rule_checks import Standing, both_count, check_rule, refusals
from loyalty.rules.bodies import parse_body
from members.conditions.moments import Moment

UTC = zoneinfo.ZoneInfo("UTC")
# A Saturday.
NOW = dt.datetime(2026, 6, 6, 9, tzinfo=dt.UTC)


def day(offset: int) -> dt.datetime:
    return NOW + dt.timedelta(days=offset)


def rule(code: str = "new", *, place: int = 9, unit: str = "points", starts: Any = NOW,
         ends: Any = None, **body: Any) -> Standing:  # fmt: skip
    return Standing(code, code.capitalize(), unit, place, parse_body(body), starts, ends)


def live(code: str = "base", *, place: int = 0, unit: str = "points", starts: Any = None,
         ends: Any = None, **body: Any) -> Standing:  # fmt: skip
    return rule(code, place=place, unit=unit, starts=starts, ends=ends, **body)


def found(
    rule: Standing, *others: Standing, multiplying: str = "best", discounting: str = "best"
) -> list[str]:
    how = {"multiplying": multiplying, "discounting": discounting}
    return [item.code for item in check_rule(rule, others, moment=Moment(NOW, UTC), **how)]


def double(**details: Any) -> Standing:
    """A multiplier that has a limit, so that nothing is said about that."""
    return rule(kind="multiplier", factor=2, caps={"per_order": 100}, **details)


def discount(code: str = "new", **details: Any) -> Standing:
    return rule(code, kind="discount", percent=10, **details)


WEEKEND = {"field": "order.weekday", "op": "one_of", "value": ["saturday", "sunday"]}
FRIDAYS = {"field": "order.weekday", "op": "one_of", "value": ["friday"]}
NIGHTS = {"field": "order.time", "op": "between", "value": ["20:00", "23:00"]}
CASES: dict[str, tuple[list[str], list[Standing]]] = {
    "a rate by itself": ([], [rule()]),
    "an end before its beginning": (["empty_window"], [rule(starts=day(2), ends=day(1))]),
    "no time at all": (["empty_window"], [rule(starts=day(2), ends=day(2))]),
    "an end that has passed": (["empty_window"], [rule(starts=None, ends=day(-1))]),
    "a contradiction": (
        ["never"],
        [rule(when={"all": [{"field": "order.total", "op": "more_than", "value": 9},
                            {"field": "order.total", "op": "less_than", "value": 5}]})],
    ),
    "a day before it begins": (
        ["never"], [rule(when={"field": "order.day", "op": "before", "value": "2026-06-06"})]
    ),
    "a day after it ends": (
        ["never"],
        [rule(ends=day(3), when={"field": "order.day", "op": "on", "value": "2026-07-01"})],
    ),
    "a weekend in a week of work": (["never"], [rule(starts=day(2), ends=day(6), when=WEEKEND)]),
    "a weekend within its time": ([], [rule(starts=day(2), ends=day(8), when=WEEKEND)]),
    "all that earns is left out": (
        ["never"],
        [rule(include={"categories": ["Tea"]}, exclude={"categories": ["Tea", "Coffee"]})],
    ),
    "some of what earns is left out": (
        [], [rule(include={"categories": ["Tea", "Cake"]}, exclude={"categories": ["Tea"]})]
    ),
    "two that never meet: by the day of the week": (
        [], [double(when=WEEKEND),
             live("fridays", kind="multiplier", factor=3, when=FRIDAYS), live()],
    ),
    "two that never meet: the time of one has no such day": (
        [], [double(starts=day(2), ends=day(5)),
             live("fridays", kind="multiplier", factor=3, when=FRIDAYS), live()],
    ),
    "two that never meet: by the hours of a day": (
        [], [double(ends=NOW + dt.timedelta(hours=3)),
             live("nights", kind="multiplier", factor=3, when=NIGHTS), live()],
    ),
    "two that meet on one day of a week": (
        ["multipliers"],
        [double(starts=day(2), ends=day(7)),
         live("fridays", kind="multiplier", factor=3, when=FRIDAYS), live()],
    ),
    "two that meet in the evening": (
        ["multipliers"],
        [double(ends=NOW + dt.timedelta(hours=13)),
         live("nights", kind="multiplier", factor=3, when=NIGHTS), live()],
    ),
    "two discounts that never meet": (
        [], [discount(when=WEEKEND), discount("fridays", when=FRIDAYS)]
    ),
    "a multiplier of nobody": (["missing_rule"], [double(of=["base"])]),
    "a multiplier of what is live": ([], [double(of=["base"]), live()]),
    "a multiplier of what ends before it": (
        ["missing_rule"], [double(of=["base"]), live(ends=day(5))]
    ),
    "a multiplier of what ends with it": (
        [], [double(of=["base"], ends=day(5)), live(ends=day(5))]
    ),
    "a multiplier of what changes meanwhile": (
        [], [double(of=["base"]), live(ends=day(5)), live(starts=day(5))]
    ),
    "a multiplier of what begins later": (
        ["missing_rule"], [double(of=["base"]), live(starts=day(1))]
    ),
    "a multiplier of a fixed award": (
        ["not_multiplied"], [double(of=["base"]), live(kind="fixed", units=1)]
    ),
    "a multiplier of other units": (["not_multiplied"], [double(of=["base"]), live(unit="miles")]),
    "a multiplier with nothing there": (["multiplies_nothing"], [double()]),
    "a rate after one that stops": (["shadowed"], [rule(), live(stops=True)]),
    "a rate after one that stops at times": ([], [rule(), live(stops=True, when=WEEKEND)]),
    "a rate before one that stops": ([], [rule(place=0), live(stops=True, place=1)]),
    "a rate of other units after one that stops": ([], [rule(unit="miles"), live(stops=True)]),
    "a card of stamps after one that stops": (
        [], [rule(kind="stamps", full_at=10, units=5), live(stops=True)]
    ),
    "what stops others itself": (["shadows"], [rule(place=0, stops=True), live(place=1)]),
    "less than another of its group": (
        ["shadowed"], [rule(units=1, group="g"), live(units=2, group="g")]
    ),
    "more than another of its group": (
        ["shadows"], [rule(units=3, group="g"), live(units=2, group="g")]
    ),
    "another of its group with a limit": (
        [], [rule(units=1, group="g"), live(units=2, group="g", caps={"per_order": 5})]
    ),
    "less cashback than another of its group": (
        ["shadowed"],
        [rule(kind="cashback", percent=2, group="g"),
         live(kind="cashback", percent=5, group="g")],
    ),
    "another group": ([], [rule(units=1, group="g"), live(units=2, group="h")]),
    "two multipliers": (
        ["multipliers"],
        [double(), live(), live("triple", kind="multiplier", factor=3, place=1)],
    ),
    "two multipliers of different rules": (
        [],
        [double(of=["base"]), live(), live("more"),
         live("triple", kind="multiplier", factor=3, of=["more"])],
    ),
    "two multipliers at different times": (
        [],
        [double(ends=day(2)), live(), live("triple", kind="multiplier", factor=3, starts=day(2))],
    ),
    "a multiplier without a limit": (
        ["no_limit"], [rule(kind="multiplier", factor=2), live()]
    ),
    "a fixed award without a limit": (["no_limit"], [rule(kind="fixed", units=5)]),
    "a discount by itself": ([], [discount()]),
    "a discount beside awards": ([], [discount(), live()]),
    "a discount of what is left out": (
        ["never"],
        [discount(include={"skus": ["A"]}, exclude={"skus": ["A"]})],
    ),
    "a discount that ends before it begins": (["empty_window"], [discount(ends=day(-1))]),
    "a discount beside another": (["discounts"], [discount(), discount("card", place=0)]),
    "discounts of one group": ([], [discount(group="g"), discount("card", group="g")]),
    "discounts of other times": ([], [discount(), discount("card", starts=None, ends=NOW)]),
    "a fixed award with a budget": ([], [rule(kind="fixed", units=5, caps={"budget": 500})]),
}  # fmt: skip


@pytest.mark.parametrize(("said", "rules"), CASES.values(), ids=CASES)
def test_what_is_said_about_a_rule(said: list[str], rules: list[Standing]) -> None:
    assert found(*rules) == said


@pytest.mark.parametrize(("how", "word"), [("best", "larger"), ("add", "added"),
                                           ("multiply", "multiplies the other")])  # fmt: skip
def test_the_warning_about_two_multipliers_says_what_becomes_of_them(how: str, word: str) -> None:
    others = [live(), live("triple", kind="multiplier", factor=3)]
    (finding,) = check_rule(double(), others, moment=Moment(NOW, UTC), multiplying=how)
    assert word in finding.message


@pytest.mark.parametrize(("how", "word"), [("best", "larger"), ("add", "as they were"),
                                           ("in_turn", "what is left")])  # fmt: skip
def test_the_warning_about_two_discounts_says_what_becomes_of_them(how: str, word: str) -> None:
    others = [discount("card", place=0)]
    (finding,) = check_rule(
        discount(), others, moment=Moment(NOW, UTC), multiplying="best", discounting=how
    )
    assert word in finding.message


def test_a_discount_after_one_that_always_stops_never_counts() -> None:
    first = discount("card", place=0, stops=True)
    assert found(discount(), first, discounting="in_turn") == ["shadowed"]
    assert found(first, discount(), discounting="in_turn") == ["shadows"]
    narrowed = discount("card", place=0, stops=True, least=50)
    assert found(discount(), narrowed, discounting="in_turn") == ["discounts"]
    assert found(discount(), first, discounting="best") == ["discounts"]


def test_a_refusal_names_what_contradicts_itself() -> None:
    when = {"all": [{"field": "order.total", "op": "more_than", "value": 9},
                    {"field": "order.total", "op": "less_than", "value": 5}]}  # fmt: skip
    findings = check_rule(rule(when=when), [], moment=Moment(NOW, UTC), multiplying="best")
    (refused,) = refusals(findings)
    assert refused.field == "when"
    assert "total is more than 9.00 and order total is less than 5.00" in refused.message


EVERY_RULE = [rule for _said, rules in CASES.values() for rule in rules]


@pytest.mark.parametrize("how", [("best", "best"), ("add", "add"), ("multiply", "in_turn")])
def test_of_two_that_count_for_the_same_orders_the_short_way_says_the_same(
    how: tuple[str, str],
) -> None:
    words = {"multiplying": how[0], "discounting": how[1], "moment": Moment(NOW, UTC)}
    kinds = set()
    for pair in combinations(EVERY_RULE, 2):
        for one, other in permutations(pair):
            wanted = [
                item
                for item in check_rule(one, [other], **words)  # type: ignore[arg-type]
                if item.code in ("multipliers", "discounts")
            ]
            short = both_count(one, other, **words)  # type: ignore[arg-type]
            assert short == (wanted[0] if wanted else None)
            kinds.add(short and short.code)
    assert kinds == {None, "multipliers", "discounts"}
