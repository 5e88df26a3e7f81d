"""What campaigns will likely cost: by a backtest, beside budgets of their own and of a quarter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from campaigns.demo.calendar import show_year
from campaigns.models import Campaign, CampaignForecast, QuarterPlan, Season
from campaigns.selectors.calendar import Span, entries
from campaigns.selectors.outlooks import (
    COURSES,
    Days,
    outlook_of,
    outlooks_of,
    quarter_outlooks,
    run_out,
)
from campaigns.services.campaign_forecasts import forecast_campaign
from campaigns.services.seasons import plan_quarter
from loyalty.backtest_figures import BacktestFigures
from loyalty.models import EarningRule, Program, Transfer
from loyalty.services.backtest_runs import run_backtest
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled
from tests.campaigns.campaigns import DAY, draft, launch
from tests.loyalty.factories import NOW, give_back, make_program, make_wallet, order, record, refund
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db
FIRST = dt.date(2024, 3, 20)
SPAN = {
    "starts_at": dt.datetime(2024, 3, 16, 0, tzinfo=dt.UTC),
    "ends_at": dt.datetime(2024, 3, 23, 0, tzinfo=dt.UTC),
}


def forecast(campaign):
    backtest = forecast_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    assert outlook_of(campaign, NOW).state == "running"
    run_backtest(backtest.job_id)
    return backtest


def same(cost, length, first=FIRST):
    return Days(first, [[Decimal(cost)] * length] * COURSES)


# What four members buy for on a day.
BASKETS = [[60, 20, 90, 10], [40, 55, 30, 70], [80, 80, 10, 5]]


def bought(days: Iterable[int]) -> None:
    """So many days ago; all at the same time of a day, as files without a clock have them."""
    record(
        *(
            order(f"{day}-{number}", str(total), buyer=f"b{number}", at=NOW - day * DAY)
            for day in days
            for number, total in enumerate(BASKETS[day % len(BASKETS)])
        )
    )


def in_life_by_rule(campaign: Campaign) -> list[int]:
    """What each of its rules has given less what was taken back."""
    rules = EarningRule.objects.filter(program=campaign.program, source=campaign.source)
    found = dict.fromkeys(rules.order_by("pk").values_list("pk", flat=True), 0)
    for item in Transfer.objects.filter(rule_version__rule__in=found):
        found[item.rule_version.rule_id] += item.signed_amount
    return list(found.values())


@pytest.mark.parametrize(
    ("budget", "per_member", "back"),
    [
        (None, None, 0), (500, None, 0), (433, None, 0), (1, None, 0), (None, 150, 0),
        (333, 120, 0), (200, 75, 0), (None, 45, 0), (933, None, 30), (733, 220, 40),
    ],
)  # fmt: skip
def test_a_forecast_of_several_rules_is_what_those_orders_are_given_in_life(
    db, budget, per_member, back
):
    """One budget and one limit for a member over a multiplier and a bonus."""
    said = {
        "offer": {"factor": 3, "reach": 50, "units": 70, "per_member": per_member},
        "budget_units": budget,
    }
    tried = draft(
        make_program("tried", at=NOW - 60 * DAY, time_zone="UTC"), "big-weekend", **said | SPAN
    )  # fmt: skip
    program = make_program(at=NOW - 60 * DAY, time_zone="UTC")
    lived = launch(
        program, "big-weekend", at=NOW - 50 * DAY, starts_at=NOW - 40 * DAY, ends_at=NOW - DAY,
        name="Lived", **said,
    )  # fmt: skip
    bought(range(16, 13, -1))
    if back:
        give_back(refund("R", str(back), of="15-1", at=NOW - 13 * DAY - DAY / 2))
    bought(range(13, 1, -1))
    backtest = forecast(tried)
    backtest.refresh_from_db()
    found = {rule.code: rule.draft for rule in BacktestFigures(backtest).rules()}
    own = [found[code] for code in CampaignForecast.objects.get().rules]
    assert own == in_life_by_rule(lived)
    assert sum(own) == (budget or sum(own)) > 0


def test_the_demonstration_plans_its_year_once():
    program = make_program(unit={"unit_value": "0.01"}, at=timezone.now() - 60 * DAY)
    make_wallet(program, at=timezone.now() - 50 * DAY)
    record(*(order(f"O{n}", "10", at=timezone.now() - n * DAY) for n in range(1, 40)))
    for _load in range(2):
        show_year(program)
    assert (Season.objects.count(), QuarterPlan.objects.count()) == (7, 8)
    assert Campaign.objects.count() == 5
    forecasts = CampaignForecast.objects.select_related("campaign__program").order_by("pk")
    found = [outlook_of(forecast.campaign, timezone.now()) for forecast in forecasts]
    assert [(item.state, item.takes_off) for item in found] == [("done", False), ("done", True)]


# Those above are alone: no test after this one makes a club of its own.
def buying_club() -> Program:
    """Ten dollars are bought on each of forty days; a point is worth a cent."""
    program = make_program(unit={"unit_value": "0.01"}, at=NOW - 60 * DAY, time_zone="UTC")
    make_wallet(program, at=NOW - 50 * DAY)
    record(*(order(f"O{n}", "10", at=NOW - (n + 1) * DAY) for n in range(40)))
    return program


made_once = shared(buying_club)


@pytest.fixture
def program(made_once, db):
    return anew(made_once)


def test_what_was_never_asked_says_nothing(program):
    assert outlook_of(draft(program, **SPAN), NOW).state == "none"


def test_the_cost_is_that_of_days_like_those_before(program):
    campaign = draft(program, offer={"factor": 3}, **SPAN)
    forecast(campaign)
    found = outlook_of(campaign, NOW)
    # Twice ten points more on each of seven days, at a cent each.
    assert (found.state, found.likely, found.low, found.high) == (
        "done", Decimal("1.4"), Decimal("1.4"), Decimal("1.4"),
    )  # fmt: skip
    assert (found.own, found.shared) == (None, None)
    again = forecast_campaign(campaign=campaign, actor=SYSTEM, now=NOW + DAY)
    assert CampaignForecast.objects.get().backtest == again


def test_a_budget_of_its_own_runs_out_on_a_day(program):
    campaign = draft(program, offer={"factor": 3}, budget_money="0.70", **SPAN)
    forecast(campaign)
    own = outlook_of(campaign, NOW).own
    assert (own.day, own.first, own.last, own.chance) == (
        dt.date(2024, 3, 19), dt.date(2024, 3, 19), dt.date(2024, 3, 19), 100,
    )  # fmt: skip


def test_the_calendar_has_what_was_forecast(program):
    campaign = draft(program, offer={"factor": 3}, **SPAN)
    draft(program, name="Never asked", **SPAN)
    found = entries([program], Span(dt.date(2024, 3, 1), dt.date(2024, 3, 31)), NOW)
    assert outlooks_of(found, NOW) == {}
    forecast(campaign)
    [(key, outlook)] = outlooks_of(found, NOW).items()
    assert (key, outlook.likely) == (str(campaign.public_id), Decimal("1.4"))


def test_others_of_the_quarter_use_up_what_it_shares(program):
    plan_quarter(program=program, year=2024, quarter=1, aim="", revenue=None,
                 budget=Decimal("1.70"), actor=SYSTEM)  # fmt: skip
    campaign = draft(program, name="One", offer={"factor": 3}, **SPAN)
    forecast(campaign)
    alone = outlook_of(campaign, NOW)
    assert (alone.rest, alone.shared.day, alone.others) == (Decimal("1.70"), None, ())
    other = draft(program, name="Two", offer={"factor": 3}, **SPAN)
    forecast(other)
    both = outlook_of(campaign, NOW)
    assert both.others == (other,)
    assert both.shared.day == dt.date(2024, 3, 20)
    assert quarter_outlooks(program, 2024, NOW)[0].day == dt.date(2024, 3, 20)
    assert quarter_outlooks(program, 2024, NOW)[1:] == [None, None, None]


def test_what_a_quarter_has_is_asked_once_however_many_share_it(program):
    plan_quarter(program=program, year=2024, quarter=1, aim="", revenue=None,
                 budget=Decimal(5), actor=SYSTEM)  # fmt: skip
    span = Span(dt.date(2024, 3, 1), dt.date(2024, 3, 31))
    counts = []
    for number in range(4):
        forecast(draft(program, name=f"N{number}", **SPAN))
        found = entries([program], span, NOW, {"promotion"})
        with CaptureQueriesContext(connection) as asked:
            assert len(outlooks_of(found, NOW)) == number + 1
        sums = [item for item in asked if "loyalty_orderline" in item["sql"]
                or "SUM(\"loyalty_order\"" in item["sql"]]  # fmt: skip
        counts.append((len(asked), len(sums)))
    plans = [total for total, _sums in counts]
    assert plans[3] - plans[2] <= 8
    assert max(sums for _total, sums in counts) <= 1


def test_what_is_spent_already_is_not_left(program):
    live = launch(program, name="Live", at=NOW - 2 * DAY, offer={"factor": 2},
                  starts_at=NOW - 2 * DAY, ends_at=NOW + DAY)  # fmt: skip
    record(order("now", "50", at=NOW - dt.timedelta(hours=2)))
    plan_quarter(program=program, year=2024, quarter=1, aim="", revenue=None,
                 budget=Decimal(5), actor=SYSTEM)  # fmt: skip
    campaign = draft(program, name="One", **SPAN)
    forecast(campaign)
    assert live.starts_at < NOW
    assert outlook_of(campaign, NOW).rest == Decimal("4.50")


def test_a_planned_multiplier_in_the_same_time_leaves_it_less(program):
    launch(program, name="Beside", offer={"factor": 3}, **SPAN)
    campaign = draft(program, offer={"factor": 2}, **SPAN)
    forecast(campaign)
    assert outlook_of(campaign, NOW).likely == 0


def test_what_it_costs_stops_at_its_own_budget_and_what_the_quarter_shares_lasts_so_long(program):
    plan_quarter(program=program, year=2024, quarter=1, aim="", revenue=None,
                 budget=Decimal("0.80"), actor=SYSTEM)  # fmt: skip
    campaign = draft(program, offer={"factor": 3}, budget_money="0.70", **SPAN)
    forecast(campaign)
    found = outlook_of(campaign, NOW)
    # Seven days at twenty cents each would come to twice as much.
    assert (found.low, found.likely, found.high) == (Decimal("0.7"),) * 3
    assert (found.shared.day, found.shared.chance) == (None, 0)
    page = render_to_string(
        "calendar/backoffice/outlook.html", {"outlook": found, "program": program}
    )
    said = " ".join(strip_tags(page).split())
    assert "$0.70 in eight of ten cases Its own budget is likely used up on Mar 19, 2024 (" in said
    assert "(in eight of ten cases on that day)." in said


def test_what_it_has_given_already_is_not_left_of_its_own_budget(program):
    campaign = launch(program, at=NOW - 3 * DAY, offer={"factor": 3}, budget_units=100,
                      starts_at=NOW - 2 * DAY, ends_at=NOW + 4 * DAY)  # fmt: skip
    run_scheduled(kind="campaigns", now=NOW - DAY)
    record(order("late", "30", at=NOW - dt.timedelta(hours=2)))
    campaign.refresh_from_db()
    forecast(campaign)
    found = outlook_of(campaign, NOW)
    assert (found.likely, found.own.day) == (Decimal("0.4"), (NOW + DAY).date())


@pytest.mark.parametrize(
    ("budget", "day", "chance"), [(25, FIRST + 2 * DAY, 100), (100, None, 0), (10, FIRST, 100)]
)
def test_the_day_on_which_it_is_used_up(budget, day, chance):
    found = run_out([same(10, 5)], Decimal(budget))
    assert (found.day, found.chance) == (day, chance)


def test_several_use_it_up_together_and_the_interval_is_of_their_courses():
    both = run_out([same(10, 5), same(10, 5, FIRST + DAY)], Decimal(50))
    assert both.day == FIRST + 2 * DAY
    mixed = Days(FIRST, [[Decimal(course % 10)] * 9 for course in range(COURSES)])
    found = run_out([mixed], Decimal(18))
    assert found.first < found.day
    assert found.last is None
    assert 0 < found.chance < 100
    assert run_out([], Decimal(1)).day is None
