"""Seasons and the plan of a year: their days, gaps, drafts, last year's plan, peaks of orders."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction

from campaigns.models import Campaign, QuarterPlan, Season
from campaigns.season_days import easter, orthodox_easter, rule_day, weekday_of_month
from campaigns.selectors.calendar import Span
from campaigns.selectors.peaks import peaks_in, suggested_peaks
from campaigns.selectors.seasons import days_of, gaps, quarters, seasons
from campaigns.services.seasons import (
    SeasonTerms,
    archive_season,
    begin_in_season,
    copy_year,
    plan_quarter,
    save_season,
    write_dates,
)
from members.errors import DomainError
from members.services.audit import SYSTEM
from tests.campaigns.campaigns import DAY, draft
from tests.loyalty.factories import NOW, make_program, make_wallet, order, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    return make_program()


def season(program, name="Black Friday", **said):
    terms = {"rule": "weekday", "month": 11, "weekday": 4, "nth": -1, "shift": -4, "days": 8}
    return save_season(program=program, actor=SYSTEM, terms=SeasonTerms(name, **(terms | said)))


@pytest.mark.parametrize(
    ("year", "west", "east"),
    [
        (2000, (4, 23), (4, 30)), (2011, (4, 24), (4, 24)), (2024, (3, 31), (5, 5)),
        (2025, (4, 20), (4, 20)), (2026, (4, 5), (4, 12)), (2038, (4, 25), (4, 25)),
    ],
)  # fmt: skip
def test_easter_of_both_churches(year, west, east):
    assert easter(year) == dt.date(year, *west)
    assert orthodox_easter(year) == dt.date(year, *east)


def test_weekdays_of_a_month():
    assert weekday_of_month(2024, 11, 4, -1) == dt.date(2024, 11, 29)
    assert weekday_of_month(2024, 11, 3, 4) == dt.date(2024, 11, 28)
    assert weekday_of_month(2024, 9, 6, 1) == dt.date(2024, 9, 1)
    assert rule_day("day", 2023, month=2, day=29) == dt.date(2023, 2, 28)
    assert rule_day("written", 2023) is None


def test_a_season_is_every_year_when_its_rule_says_or_as_written_down(program):
    made = season(program)
    assert days_of(made, 2024).first == dt.date(2024, 11, 25)
    write_dates(season=made, year=2025, starts_on=dt.date(2025, 11, 20),
                ends_on=dt.date(2025, 12, 1), actor=SYSTEM)  # fmt: skip
    [row] = seasons(program)
    found = days_of(row, 2025)
    assert (found.first, found.last, found.written) == (
        dt.date(2025, 11, 20), dt.date(2025, 12, 1), True,
    )  # fmt: skip
    assert days_of(row, 2026).first == dt.date(2026, 11, 23)
    season(program, "Moves", rule="written")
    assert [item.name for item in seasons(program) if days_of(item, 2024)] == ["Black Friday"]


def test_what_is_not_right_is_named(program):
    season(program)
    for field, said in (
        ("name", {}), ("month", {"name": "B", "month": None}), ("nth", {"name": "B", "nth": None}),
        ("template", {"name": "B", "template": "challenge"}), ("days", {"name": "B", "days": 500}),
        ("day", {"name": "B", "rule": "day", "month": 2, "day": 30}),
        ("rule", {"name": "B", "rule": "moon"}),
    ):  # fmt: skip
        with pytest.raises(DomainError) as refused:
            season(program, **said)
        assert refused.value.errors[0].field == field
    made = Season.objects.get()
    for field, starts_on, ends_on in (
        ("ends_on", dt.date(2024, 3, 2), dt.date(2024, 3, 1)),
        ("ends_on", dt.date(2024, 3, 2), dt.date(2024, 9, 1)),
        ("starts_on", dt.date(2030, 3, 2), dt.date(2030, 3, 4)),
    ):
        with pytest.raises(DomainError) as refused:
            write_dates(season=made, year=2024, starts_on=starts_on, ends_on=ends_on, actor=SYSTEM)
        assert refused.value.errors[0].field == field
    with pytest.raises(IntegrityError), transaction.atomic():
        Season.objects.filter(pk=made.pk).update(nth=7)


def test_the_name_of_one_put_away_is_free_again(program):
    made = season(program)
    archive_season(season=made, actor=SYSTEM, now=NOW)
    archive_season(season=made, actor=SYSTEM, now=NOW + DAY)
    made.refresh_from_db()
    assert made.archived_at == NOW
    season(program)
    assert seasons(program).count() == 1


def test_one_click_begins_a_draft_with_its_days(program):
    made = season(program, template="percent-off")
    row = begin_in_season(days=days_of(made, 2024), actor=SYSTEM, now=NOW)
    assert (row.status, row.name, row.template) == ("draft", "Black Friday 2024", "percent-off")
    zone = program.zone
    assert row.starts_at.astimezone(zone).date() == dt.date(2024, 11, 25)
    assert row.ends_at.astimezone(zone).date() == dt.date(2024, 12, 3)
    assert row.teased_at == row.starts_at - 3 * DAY
    with pytest.raises(DomainError):
        begin_in_season(days=days_of(made, 2023), actor=SYSTEM, now=NOW)


def test_last_years_plan_is_taken_over_once(program):
    season(program)
    at = dt.datetime(2023, 11, 24, 8, tzinfo=dt.UTC)
    draft(program, name="Black Friday 2023", starts_at=at, ends_at=at + 3 * DAY)
    weekday = dt.datetime(2023, 6, 2, 8, tzinfo=dt.UTC)
    draft(program, name="June", starts_at=weekday, ends_at=weekday + DAY)
    long_ago = dt.datetime(2023, 1, 20, 8, tzinfo=dt.UTC)
    draft(program, name="January", starts_at=long_ago, ends_at=long_ago + DAY)
    made = copy_year(program=program, year=2024, actor=SYSTEM, now=NOW)
    assert [(row.name, row.starts_at.date()) for row in made] == [
        ("June", dt.date(2024, 5, 31)), ("Black Friday 2024", dt.date(2024, 11, 29)),
    ]  # fmt: skip
    assert copy_year(program=program, year=2024, actor=SYSTEM, now=NOW) == []
    assert Campaign.objects.count() == 5


def test_gaps_are_days_without_anything(program):
    def on(month, day, days):
        at = dt.datetime(2024, month, day, 12, tzinfo=dt.UTC)
        return draft(program, name=f"{month}", starts_at=at, ends_at=at + days * DAY)

    on(1, 10, 80)
    on(2, 1, 5)
    on(5, 1, 10)
    on(5, 20, 200)
    assert [(gap.first, gap.last) for gap in gaps(program, 2024)] == [
        (dt.date(2024, 3, 31), dt.date(2024, 4, 30)), (dt.date(2024, 12, 7), dt.date(2024, 12, 31)),
    ]  # fmt: skip


def test_a_quarter_is_planned_and_measured_by_what_members_bought(program):
    make_wallet(program)
    record(order("A", "40"), order("B", "35", at=NOW - 30 * DAY), order("C", "99", buyer=None))
    said = {"program": program, "year": 2024, "quarter": 1, "actor": SYSTEM}
    plan_quarter(**said, aim="More", revenue=Decimal(150), budget=Decimal(10))
    plan_quarter(**said, aim="Most", revenue=Decimal(100), budget=None)
    first, *others = quarters(program, 2024)
    assert (first.plan.aim, first.revenue, first.percent) == ("Most", Decimal(75), 75)
    assert [item.revenue for item in others] == [0, 0, 0]
    assert others[-1].span == Span(dt.date(2024, 10, 1), dt.date(2024, 12, 31))
    assert QuarterPlan.objects.count() == 1
    with pytest.raises(DomainError) as refused:
        plan_quarter(**said, aim="", revenue=Decimal(-1), budget=None)
    assert refused.value.errors[0].field == "revenue"


def test_peaks_are_weeks_with_more_than_usual():
    first = dt.date(2023, 1, 1)
    sold = {first + number * DAY: Decimal(10) for number in range(365)}
    for number in range(100, 110):
        sold[first + number * DAY] = Decimal(40)
    [peak] = peaks_in(sold, Span(first, dt.date(2023, 12, 31)))
    assert peak.first <= first + 100 * DAY
    assert first + 109 * DAY <= peak.last
    assert peak.times == 4
    assert peaks_in({day: Decimal(10) for day in sold}, Span(first, max(sold))) == []
    assert peaks_in(sold, Span(first, first + 20 * DAY)) == []


def test_peaks_that_a_season_explains_are_not_suggested(program):
    make_wallet(program)
    start = NOW - 200 * DAY
    orders = [order(f"D{n}", "10", at=start + n * DAY) for n in range(199)]
    orders += [order(f"P{n}", "60", at=start + (100 + n) * DAY) for n in range(8)]
    record(*orders)
    today = NOW.date()
    [peak] = suggested_peaks(program, today)
    begins = (start + 100 * DAY).date()
    assert peak.first <= begins <= peak.last
    season(program, "Found", rule="day", month=begins.month, day=begins.day, shift=0, days=8)
    assert suggested_peaks(program, today) == []


def test_what_went_on_over_the_turn_of_the_year_is_taken_over_once(program):
    at = dt.datetime(2023, 12, 20, 8, tzinfo=dt.UTC)
    draft(program, name="Turn", starts_at=at, ends_at=at + 20 * DAY)
    [made] = copy_year(program=program, year=2024, actor=SYSTEM, now=NOW)
    assert made.starts_at.date() == dt.date(2024, 12, 18)
    Campaign.objects.filter(pk=made.pk).update(name="Turn again")
    [again] = copy_year(program=program, year=2025, actor=SYSTEM, now=NOW)
    assert (again.name, again.starts_at.date()) == ("Turn again", dt.date(2025, 12, 17))


def test_orders_are_added_up_once_in_a_while(program, django_assert_num_queries):
    """However often the plan is looked at."""
    make_wallet(program)
    record(order("A", "40"))
    assert quarters(program, 2024)[0].revenue == 40
    with django_assert_num_queries(1):
        assert quarters(program, 2024)[0].revenue == 40
    cache.clear()
    record(order("B", "2"))
    assert quarters(program, 2024)[0].revenue == 42
