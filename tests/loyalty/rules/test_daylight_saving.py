"""Windows of rules over the nights in which clocks change: a day has 23 or 25 hours, an hour is
skipped or comes twice, and what happened later is later whatever the clocks say."""

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from loyalty.backoffice.rule_calendar import _days_until
from loyalty.rules.bodies import WindowedBody, parse_body
from loyalty.rules.bonus import Part, reached_by, standing, window_start
from loyalty.rules.engine import RuleVersion
from loyalty.rules.events import Person, Program, Sale, SharedBudgets
from loyalty.rules.facts import Basket, Line, Occasion
from loyalty.rules.replay import Life
from loyalty.rules.rulesets import RuleSet
from loyalty.services.backtest_budgets import End, _within
from members.conditions.moments import Moment
from tests.loyalty.rules.occasions import version

NEW_YORK, SAO_PAULO = ZoneInfo("America/New_York"), ZoneInfo("America/Sao_Paulo")
BEIRUT, LORD_HOWE = ZoneInfo("Asia/Beirut"), ZoneInfo("Australia/Lord_Howe")
# Clocks in New York went from 02:00 to 03:00 on 9 March 2025, and from 02:00 to 01:00 on
# 2 November: 05:50 UTC was 01:50, and twenty minutes later it was 01:10.
FIRST_0150, SECOND_0110 = "2025-11-02T05:50", "2025-11-02T06:10"
BONUS = {"kind": "threshold_bonus", "reach": 100, "units": 50, "window": "day"}
SECOND = {"kind": "nth_purchase", "number": 2, "units": 50, "window": "day"}
STAMPS = {"kind": "stamps", "full_at": 2, "units": 50}
DAYS = {"kind": "streak", "of": "day", "length": 3, "units": 20}


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def body(said: dict[str, Any]) -> WindowedBody:
    found = parse_body(said)
    assert isinstance(found, WindowedBody)
    return found


def parts(*moments: str, amount: int, zone: ZoneInfo = NEW_YORK) -> list[Part]:
    return [(utc(text).astimezone(zone), Decimal(amount)) for text in moments]


@pytest.mark.parametrize(("said", "amount"), [(BONUS, 60), (SECOND, 1), (STAMPS, 1)])
def test_in_the_doubled_hour_the_goal_is_reached_by_the_later_order(said, amount):
    brought = parts(FIRST_0150, SECOND_0110, amount=amount)
    for found in (brought, brought[::-1]):
        (at,) = reached_by(body(said), found)
        assert at.astimezone(dt.UTC) == utc(SECOND_0110)


def test_each_further_time_in_the_doubled_hour_has_its_own_moment():
    moments = ["2025-11-02T05:10", FIRST_0150, SECOND_0110, "2025-11-02T06:50"]
    found = reached_by(body(BONUS | {"repeats": True}), parts(*moments, amount=100))
    assert [at.astimezone(dt.UTC) for at in found] == list(map(utc, moments))


@pytest.mark.parametrize(
    ("moments", "full"),
    [
        # 23:30 on Saturday, 23:30 on Sunday 23 hours later, and 00:10 on Monday.
        (["2025-03-09T04:30", "2025-03-10T03:30", "2025-03-10T04:10"], True),
        # 00:10 and 23:50 on the Sunday of 25 hours are one day.
        (["2025-11-02T04:10", "2025-11-03T04:50", "2025-11-03T05:10"], False),
        (["2025-11-02T03:50", FIRST_0150, SECOND_0110, "2025-11-03T05:10"], True),
    ],
)
def test_days_in_a_row_are_days_of_the_calendar(moments, full):
    assert bool(reached_by(body(DAYS), parts(*moments, amount=1))) is full
    assert standing(body(DAYS), parts(*moments, amount=1)) == (0 if full else 2)


@pytest.mark.parametrize(
    ("zone", "window", "moment", "start"),
    [
        # Days of 23 and of 25 hours.
        (NEW_YORK, "day", "2025-03-09T04:59", "2025-03-08"),
        (NEW_YORK, "day", "2025-03-09T05:00", "2025-03-09"),
        (NEW_YORK, "day", "2025-03-10T03:59", "2025-03-09"),
        (NEW_YORK, "day", "2025-03-10T04:00", "2025-03-10"),
        (NEW_YORK, "day", "2025-11-02T04:00", "2025-11-02"),
        (NEW_YORK, "day", "2025-11-03T04:59", "2025-11-02"),
        (NEW_YORK, "day", "2025-11-03T05:00", "2025-11-03"),
        # Weeks, months and a year that begin and end by different clocks.
        (NEW_YORK, "week", "2025-03-10T03:59", "2025-03-03"),
        (NEW_YORK, "week", "2025-03-10T04:00", "2025-03-10"),
        (NEW_YORK, "week", "2025-11-03T04:59", "2025-10-27"),
        (NEW_YORK, "month", "2025-12-01T04:59", "2025-11-01"),
        (NEW_YORK, "month", "2025-12-01T05:00", "2025-12-01"),
        (NEW_YORK, "quarter", "2025-04-01T03:59", "2025-01-01"),
        (NEW_YORK, "quarter", "2025-04-01T04:00", "2025-04-01"),
        (NEW_YORK, "year", "2026-01-01T04:59", "2025-01-01"),
        # Midnight itself is skipped: the day begins at one.
        (SAO_PAULO, "day", "2018-11-04T02:59", "2018-11-03"),
        (SAO_PAULO, "day", "2018-11-04T03:00", "2018-11-04"),
        # The hour before midnight comes twice: both are of the day that ends.
        (BEIRUT, "day", "2022-10-29T20:30", "2022-10-29"),
        (BEIRUT, "day", "2022-10-29T21:30", "2022-10-29"),
        (BEIRUT, "day", "2022-10-29T22:00", "2022-10-30"),
        # Clocks that change by half an hour.
        (LORD_HOWE, "day", "2025-04-05T12:59", "2025-04-05"),
        (LORD_HOWE, "day", "2025-04-06T13:29", "2025-04-06"),
        (LORD_HOWE, "day", "2025-04-06T13:30", "2025-04-07"),
    ],
)
def test_windows_begin_with_days_of_the_programs_calendar(zone, window, moment, start):
    found = window_start(body(BONUS | {"window": window}), utc(moment), zone)
    assert found.isoformat() == start


def question(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"kind": "fixed", "units": 1, "when": {"field": field, "op": op, "value": value}}


EARLY = question("order.time", "between", ["01:00", "01:30"])
SKIPPED = question("order.time", "between", ["02:00", "02:59"])
NIGHT = question("order.time", "between", ["22:00", "02:00"])
WEEKEND = question("order.weekday", "one_of", ["saturday", "sunday"])


@pytest.mark.parametrize(
    ("rule", "moment", "given"),
    [
        # A happy hour in the doubled hour comes twice.
        (EARLY, "2025-11-02T05:10", True), (EARLY, "2025-11-02T05:50", False),
        (EARLY, "2025-11-02T06:10", True), (EARLY, "2025-11-02T06:50", False),
        # One in the skipped hour never comes.
        (SKIPPED, "2025-03-09T06:59", False), (SKIPPED, "2025-03-09T07:00", False),
        (SKIPPED, "2025-03-08T07:30", True), (SKIPPED, "2025-03-10T06:30", True),
        # Over midnight, of a night that is an hour shorter or longer.
        (NIGHT, "2025-03-09T03:00", True), (NIGHT, "2025-03-09T06:59", True),
        (NIGHT, "2025-03-09T07:01", False), (NIGHT, "2025-11-02T01:59", False),
        (NIGHT, "2025-11-02T02:00", True), (NIGHT, "2025-11-02T06:59", True),
        (NIGHT, "2025-11-02T07:01", False),
        # Weekends of 47 and of 49 hours.
        (WEEKEND, "2025-03-08T04:59", False), (WEEKEND, "2025-03-08T05:00", True),
        (WEEKEND, "2025-03-10T03:59", True), (WEEKEND, "2025-03-10T04:00", False),
        (WEEKEND, "2025-11-01T03:59", False), (WEEKEND, "2025-11-01T04:00", True),
        (WEEKEND, "2025-11-03T04:59", True), (WEEKEND, "2025-11-03T05:00", False),
    ],
)  # fmt: skip
def test_recurring_windows_go_by_the_programs_clocks(rule, moment, given):
    ((units, _day),) = replayed(rule, moment) or ((0, None),)
    assert units == given


@pytest.mark.parametrize(
    ("moment", "given"),
    [
        ("2025-11-02T05:29", False),  # 01:29, for the first time
        ("2025-11-02T05:30", True),
        ("2025-11-02T06:10", True),  # 01:10, for the second time
        ("2025-11-02T06:30", True),
        ("2025-11-02T06:59", True),
        ("2025-11-02T07:00", False),  # 02:00
    ],
)
def test_a_flash_window_over_the_doubled_hour_goes_by_instants(moment, given):
    """From 01:30, which is the first one, until 02:00: an hour and a half."""
    since = dt.datetime(2025, 11, 2, 1, 30, tzinfo=NEW_YORK)
    until = dt.datetime(2025, 11, 2, 2, 0, tzinfo=NEW_YORK)
    found = replayed({"kind": "fixed", "units": 1}, moment, starts_at=since, ends_at=until)
    assert bool(found) is given


@pytest.mark.parametrize("said", [BONUS, SECOND])
@pytest.mark.parametrize(
    ("moments", "given"),
    [
        ([FIRST_0150, SECOND_0110], 50),
        (["2025-11-02T04:00", "2025-11-03T04:59"], 50),  # 25 hours apart, nearly
        (["2025-11-02T04:00", "2025-11-03T05:00"], 0),
        (["2025-03-09T05:00", "2025-03-10T03:59"], 50),
        (["2025-03-09T05:00", "2025-03-10T04:00"], 0),
    ],
)
def test_orders_of_a_day_of_25_or_23_hours_add_up(said, moments, given):
    assert sum(units for units, _at in replayed(said, *moments)) == given


def replayed(
    said: dict[str, Any], *moments: str, **dates: dt.datetime
) -> list[tuple[int, dt.datetime]]:
    """What orders of 60 at these moments are given, and when."""
    wording = version(1, said)
    rule = RuleVersion(**{**_fields(wording), **dates})
    program = Program(NEW_YORK, "USD")
    life = Life(program, Person(), [(RuleSet([rule]), SharedBudgets())])
    for number, text in enumerate(moments, start=1):
        basket = Basket((Line(1, Decimal(60)),))
        occasion = Occasion(basket, Moment(utc(text), NEW_YORK), "USD")
        life.live(Sale(number, occasion))
    return [(credit.units, credit.at) for credit in life.accounts[0].credits]


def _fields(wording: RuleVersion) -> dict[str, Any]:
    return {name: getattr(wording, name) for name in wording.__dataclass_fields__}


@pytest.mark.parametrize(
    ("left", "moment", "order", "rest"),
    [
        (0, "2025-11-02T05:30", 7, 0),
        (10, "2025-11-02T06:10", 3, 0),  # 01:10, for the second time
        (15, "2025-11-02T06:10", 3, 5),
        (25, "2025-11-02T06:10", 12, 5),  # the same moment, told later
        (35, "2025-11-02T06:40", 1, 5),
    ],
)
def test_a_budget_is_used_up_by_the_orders_of_an_hour_that_comes_twice(left, moment, order, rest):
    """In the order of time, whichever part of the backtest they are in and however they count."""
    parts = [
        {"2025-11-02T06:40:00+00:00 1": 10, "2025-11-02T05:30:00+00:00 7": 10},
        {"2025-11-02T06:10:00+00:00 12": 10, "2025-11-02T06:10:00+00:00 3": 10},
    ]
    assert _within(parts, left) == End(utc(moment), order, rest)


def test_the_calendar_of_rules_draws_days_alike_however_many_hours_they_have():
    first = dt.datetime(2025, 10, 30, tzinfo=NEW_YORK)
    assert _days_until(utc("2025-11-02T04:00"), first) == 3
    assert _days_until(utc("2025-11-03T05:00"), first) == 4
