"""What promotions would take off prices: tried on real orders, and held to what the same orders
were given in life."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from campaigns.models import Campaign, CampaignForecast
from campaigns.selectors.outlooks import outlook_of
from campaigns.services.campaign_forecasts import forecast_campaign
from campaigns.services.campaigns import end_campaign
from loyalty.api.v1.backtests import _out
from loyalty.backoffice.backtest_page import page_context
from loyalty.backtest_figures import BacktestFigures, DiscountFigures
from loyalty.backtest_off import TakenOff
from loyalty.backtest_rules import Discounted
from loyalty.models import EarningRule, Program
from loyalty.rule_definitions import DiscountRuleDefinition
from loyalty.rules.replayed_prices import Limits
from loyalty.selectors.discount_costs import DiscountCost, discount_costs
from loyalty.services.backtest_runs import run_backtest
from loyalty.services.order_inputs import DiscountInput, LineInput, OrderInput
from loyalty.services.quotes import quote_order
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled
from tests.campaigns.campaigns import DAY, draft, launch
from tests.loyalty.factories import (
    NOW,
    enroll_all,
    give_back,
    line,
    make_program,
    order,
    record,
    refund,
)
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db
# It lasts as long as what is tried, so that a member's limit is one for all of it.
AHEAD = {"starts_at": NOW + DAY, "ends_at": NOW + 29 * DAY}
LIVED = {"starts_at": NOW - 29 * DAY, "ends_at": NOW - DAY / 2}
TEA = {"category": "Tea", "sku": "T1"}
# Of four members, what each buys on a day.
BASKETS: tuple[tuple[LineInput, ...], ...] = (
    (line(1, "40", quantity=Decimal(4), **TEA), line(2, "19.99", sku="CUP")),
    (line(1, "12.35", sku="CUP"), line(2, "30", quantity=Decimal(2), **TEA)),
    (line(1, "64.50", category="Coffee"), line(2, "7.77")),
    (line(1, "130", quantity=Decimal(6), category="Coffee", tags=("new",)),),
    (line(1, "5.05", **TEA),),
)
CARD = {"code": "card", "name": "Card", "percent": "4"}
STUDENTS = {"field": "customer.tags", "op": "has_any", "value": ["student"]}


def club(**said: Any) -> Program:
    program = make_program(at=NOW - 60 * DAY, time_zone="UTC", **said)
    enroll_all(program, (f"b{number}" for number in range(4)), NOW - 50 * DAY)
    Customer.objects.filter(external_id__in=["b0", "b1"]).update(tags=["student"])
    return program


def asked(days: int, number: int, **how: Any) -> OrderInput:
    """What a member has in the basket so many days ago, at an hour of their own."""
    lines = BASKETS[(days + number) % len(BASKETS)]
    total = sum(item.total for item in lines)
    at = NOW - days * DAY + dt.timedelta(hours=number)
    return order(f"{days}-{number}", str(total), buyer=f"b{number}", at=at, lines=lines, **how)


def priced(wanted: OrderInput, program: Program) -> OrderInput:
    """At the prices that its quote says."""
    [quote] = quote_order(wanted, program_code=program.code)
    found = quote.discounted
    lines = tuple(
        line(item.line_no, str(item.total), sku=item.sku, category=item.category, tags=item.tags,
             quantity=item.quantity, discount=item.discount)
        for item in found.basket.lines
    )  # fmt: skip
    given = tuple(
        DiscountInput(program.code, item.version.rule_code, item.amount)
        for item in found.discounts
        if item.amount
    )
    return order(
        wanted.external_id, str(found.basket.total), buyer=wanted.customer.external_id,
        at=wanted.placed_at, lines=lines, discounts=given, coupons=wanted.coupons,
    )  # fmt: skip


def bought(program: Program, days: Iterable[int], coupons: tuple[str, ...]) -> None:
    wanted = (asked(day, number, coupons=coupons) for day in days for number in range(4))
    if coupons:
        # What the next is offered depends on how often the code was used.
        for one in wanted:
            record(priced(one, program))
    else:
        record(*(priced(one, program) for one in wanted))


def forecast(campaign: Campaign) -> DiscountFigures:
    backtest = forecast_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    run_backtest(backtest.job_id)
    backtest.refresh_from_db()
    codes = CampaignForecast.objects.get(campaign=campaign).rules
    [found] = [item for item in BacktestFigures(backtest).discounts() if item.code in codes]
    return found


def in_life(campaign: Campaign) -> tuple[Decimal, int, int]:
    """What it took off, off how many orders and of how many members."""
    [rule] = EarningRule.objects.filter(program=campaign.program, source=campaign.source)
    cost = discount_costs(campaign.program).get(rule.pk, DiscountCost())
    return cost.given, cost.orders, cost.customers


PERCENT = {"offer": {"percent": "12.5"}}
CODE = {"kind": "shared", "word": "STUDENT10", "per_member": None}
TABLE: tuple[tuple[str, str, Mapping[str, Any], Mapping[str, Any]], ...] = (
    ("percent of all", "percent-off", PERCENT, {}),
    ("of one category, from an amount on", "percent-off",
     {"offer": {"percent": "15", "least": "30", "categories": ["Tea"]}}, {}),
    ("by brackets", "off-by-basket",
     {"offer": {"brackets": [{"above": 50, "percent": 5}, {"above": 70, "percent": 9}]}}, {}),
    ("the cheapest of three", "cheapest-free", {"offer": {"every": 3}}, {}),
    ("a bundle", "bundle",
     {"offer": {"price": "20", "bundle": [{"include": {"skus": ["CUP"]}},
                                          {"include": {"categories": ["Tea"]}}]}}, {}),
    ("students alone", "early-access", {**PERCENT, "audience": {"all": [STUDENTS]}}, {}),
    ("some kept aside", "percent-off", {**PERCENT, "holdout": 50}, {}),
    ("beside a card, the best counts", "off-by-basket",
     {"offer": {"brackets": [{"above": 50, "percent": 5}]}}, {"discount_rules": [CARD]}),
    ("beside a card, both count", "percent-off", PERCENT,
     {"discount_rules": [CARD], "discounting": "add"}),
    ("after a card", "percent-off", PERCENT,
     {"discount_rules": [CARD], "discounting": "in_turn"}),
    ("a code, however often", "percent-off", {**PERCENT, "codes": CODE}, {}),
    ("a code, thrice for each", "percent-off", {**PERCENT, "codes": CODE | {"per_member": 3}}, {}),
    ("a code, so often in all", "percent-off", {**PERCENT, "codes": CODE | {"most_uses": 11}}, {}),
    ("both", "percent-off", {**PERCENT, "codes": CODE | {"per_member": 4, "most_uses": 13}}, {}),
)  # fmt: skip


@pytest.mark.parametrize(("template", "said", "club_said"), [row[1:] for row in TABLE],
                         ids=[row[0] for row in TABLE])  # fmt: skip
def test_a_forecast_is_what_the_same_orders_were_given_in_life(db, template, said, club_said):
    """The orders were charged with it; the forecast finds the prices from before, and takes off
    the same."""
    program = club(**club_said)
    lived = launch(program, template, at=NOW - 40 * DAY, name="Lived", **{**said, **LIVED})
    run_scheduled(kind="campaigns", now=NOW - 29 * DAY)
    coupons = ("STUDENT10",) if "codes" in said else ()
    bought(program, range(28, 0, -6), coupons=coupons)
    give_back(refund("R", "5", of="10-1", at=NOW - 9 * DAY))
    lived.refresh_from_db()
    end_campaign(campaign=lived, actor=SYSTEM, now=NOW - DAY / 4)
    expected = in_life(lived)
    # Who is kept aside is drawn by each campaign anew.
    again = {"name": "Tried", **said, **AHEAD}
    found = forecast(lived if "holdout" in said else draft(program, template, **again))
    assert (found.off, found.orders, found.members) == expected
    # Of four it may keep all aside.
    assert expected[0] > 0 or "holdout" in said


# What is used up

TEN = {"offer": {"percent": "10"}, "codes": {}}


def buying_club() -> Program:
    """Four members buy for 50 each on each of forty days, an hour apart."""
    program = club()
    record(
        *(
            order(f"{day}-{number}", "50", buyer=f"b{number}",
                  at=NOW - day * DAY + dt.timedelta(hours=number))
            for day in range(1, 41)
            for number in range(4)
        )
    )  # fmt: skip
    return program


# Those above are alone: no test after this one makes a club of its own.
made_once = shared(buying_club)


@pytest.fixture
def program(made_once, db):
    return anew(made_once)


WEEK = {"starts_at": dt.datetime(2024, 3, 16, tzinfo=dt.UTC),
        "ends_at": dt.datetime(2024, 3, 23, tzinfo=dt.UTC)}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "off", "used_up", "likely", "out"),
    [
        # Of 28 days with 20 a day; seven are left to come.
        ({}, "560", None, "140", None),
        ({"budget_money": "70"}, "70", dt.date(2024, 2, 19), "70", dt.date(2024, 3, 19)),
        # The fifth order is not covered any more, nor is any that comes later.
        ({"budget_money": "22"}, "20", dt.date(2024, 2, 17), "22", dt.date(2024, 3, 17)),
        ({"budget_money": "1000"}, "560", None, "140", None),
        ({"codes": CODE | {"most_uses": 13}}, "65", dt.date(2024, 2, 19), "65", None),
        ({"codes": CODE | {"most_uses": 13}, "budget_money": "40"}, "40", dt.date(2024, 2, 18),
         "40", dt.date(2024, 3, 17)),
        # Once for each member in a week, of which there are four.
        ({"codes": CODE | {"per_member": 1}}, "80", None, "20", None),
    ],
)  # fmt: skip
def test_budgets_and_codes_are_used_up(program, said, off, used_up, likely, out):
    campaign = draft(program, "percent-off", **{**TEN, **said, **WEEK})
    found = forecast(campaign)
    assert (found.off, found.used_up) == (Decimal(off), used_up)
    outlook = outlook_of(campaign, NOW)
    assert (outlook.state, outlook.likely) == ("done", Decimal(likely))
    assert (outlook.own.day if outlook.own else None) == out
    assert (outlook.takes_off, outlook.by_code) == (True, bool(said.get("codes")))


@pytest.mark.parametrize(
    ("budget", "uses", "off", "orders", "day"),
    [
        # The second is not covered; the third, which is smaller, still is.
        ("12", None, "11.00", 2, "2024-03-02"),
        ("8", None, "8.00", 1, "2024-03-02"),
        ("7.99", None, "5.00", 1, "2024-03-01"),
        ("16", None, "16.00", 3, None),
        ("12", 1, "8.00", 1, "2024-03-02"),
        (None, 2, "13.00", 2, "2024-03-03"),
        (None, None, "16.00", 3, None),
    ],
)
def test_an_order_that_is_not_covered_has_none_and_a_smaller_one_after_it_may(
    budget, uses, off, orders, day
):
    found = TakenOff()
    # Told in any order.
    for number, amount in ((3, "3.00"), (1, "8.00"), (2, "5.00")):
        at = f"2024-03-0{number}"
        found.merge({"r": [[f"{at}T10:00:00.000000+00:00", number, at, number, amount]]})
    rule = DiscountRuleDefinition(code="r", name="R", percent=5)
    limits = Limits(Decimal(budget) if budget else None, uses)
    result = found.results([Discounted(rule, limits)])["r"]
    assert (result["off"], result["orders"], result["used_up"]) == (off, orders, day)


def test_of_two_planned_discounts_the_larger_counts(program):
    launch(program, "percent-off", name="Beside", at=NOW, offer={"percent": "20"}, **WEEK)
    campaign = draft(program, "percent-off", **TEN | WEEK)
    assert forecast(campaign).off == 0
    assert outlook_of(campaign, NOW).likely == 0


def test_what_a_live_one_took_off_is_not_left_of_its_budget(program):
    span = {"starts_at": NOW - 2 * DAY, "ends_at": NOW + 9 * DAY}
    campaign = launch(program, "percent-off", at=NOW - 3 * DAY, budget_money="100", **TEN | span)
    run_scheduled(kind="campaigns", now=NOW - DAY)
    record(priced(order("late", "700", buyer="b1", at=NOW - dt.timedelta(hours=2)), program))
    campaign.refresh_from_db()
    forecast(campaign)
    found = outlook_of(campaign, NOW)
    assert (found.likely, found.own.day) == (Decimal(30), (NOW + DAY).date())


def test_staff_read_it_on_its_page_and_on_that_of_the_backtest(program):
    campaign = draft(program, "percent-off", **{**TEN, "codes": CODE, "budget_money": "70", **WEEK})
    forecast(campaign)
    context = {"outlook": outlook_of(campaign, NOW), "program": program}
    page = render_to_string("calendar/backoffice/outlook.html", context)
    said = " ".join(strip_tags(page).split())
    assert "$70.00 in eight of ten cases Its own budget is likely used up on Mar 19, 2024" in said
    assert "As if everybody for whom it is used its code: it is that much at most." in said
    backtest = CampaignForecast.objects.get().backtest
    shown = page_context(backtest)
    [row] = shown["discounts"]
    assert (row.off, row.orders, row.members, row.used_up) == ("$70.00", "14", "4", "Feb 19, 2024")
    assert any("as if everybody" in note for note in shown["notes"])
    [told] = _out(backtest).result.discounts
    assert (told.taken_off, told.used_up_on) == ("70", dt.date(2024, 2, 19))


def test_as_many_queries_however_many_bought(program):
    def queries() -> int:
        backtest = forecast_campaign(
            campaign=draft(program, "percent-off", **TEN | WEEK), actor=SYSTEM, now=NOW
        )
        with CaptureQueriesContext(connection) as made:
            run_backtest(backtest.job_id)
        return len(made)

    queries()  # what is remembered of rules is read
    few = queries()
    record(*(order(f"more-{n}", "50", buyer=f"n{n}", at=NOW - DAY) for n in range(30)))
    assert queries() == few
