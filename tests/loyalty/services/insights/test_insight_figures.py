"""Key figures are what they say, and tiers add up to all members."""

import datetime as dt
from decimal import Decimal

from loyalty.models import InsightPoint, Program
from loyalty.selectors.insights import get_overview
from loyalty.services import insight_points
from loyalty.services.insight_points import (
    due_pieces,
    measure_due,
    rebuild_points,
)
from tests.loyalty.factories import (
    day,
    line,
    make_program,
    make_wallet,
    order,
    record,
)
from tests.loyalty.services.insights.measured import buy, months_of


def test_the_new_figures_are_what_they_say(shop):
    for number in ("c1", "c2", "c3"):
        make_wallet(shop, number)
    # c1 buys in each quarter, c2 once, c3 in the first and the third.
    for place, (who, offset) in enumerate(
        [("c1", 1), ("c1", 100), ("c1", 200), ("c2", 2), ("c3", 3), ("c3", 195)]
    ):
        buy(f"A{place}", who, "60", offset)
    at = insight_points.measure
    day_of = {offset: day(offset).date() for offset in (91, 180, 210, 281, 300)}

    def value(code: str, offset: int):
        return at(shop, code, day_of[offset], day(offset))

    assert value("purchases_per_member", 210) == 2
    # Of three who bought on days 1 to 90, one bought on days 91 to 180.
    assert value("retention_rate", 180) == Decimal("33.3333")
    # First orders on days 1, 2 and 3; within 90 days nobody placed a second.
    assert value("repurchase_rate", 210) == 0
    # Three had bought within half a year on day 120; on day 210 c2 has not for half a year.
    assert value("churn_rate", 210) == Decimal("33.3333")
    # 120 in the last 30 days by two, times three.
    assert value("member_value", 210) == 180
    assert value("member_value", 91) is None


def test_who_buys_several_categories_is_counted_by_category(shop):
    for number in ("c1", "c2"):
        make_wallet(shop, number)
    record(
        order("A1", "30", at=day(1), buyer="c1", lines=(
            line(1, "10", category="Tea"), line(2, "20", category="Cups"),
        )),
        order("A2", "30", at=day(1), buyer="c2", lines=(
            line(1, "10", category="Tea"), line(2, "20", category="Tea"),
        )),
    )  # fmt: skip
    assert insight_points.measure(shop, "several_categories", day(2).date(), day(2)) == 50


def test_a_tier_has_who_is_at_it_and_at_no_higher_one(db):
    tiers = [
        {"code": "base", "name": "Member"},
        {"code": "silver", "name": "Silver", "threshold": 100},
        {"code": "gold", "name": "Gold", "threshold": 500},
    ]
    club = make_program(tiers={"tiers": tiers, "window": "lifetime"})
    for number in ("c1", "c2", "c3", "c4"):
        make_wallet(club, number)
    record(order("A1", "120", at=day(1), buyer="c1"), order("A2", "600", at=day(3), buyer="c2"))
    rebuild_points([club], day(70))
    found = get_overview(club, day(70)).tiers
    assert [(item.tier_name, item.value) for item in found] == [
        ("Member", 50), ("Silver", 25), ("Gold", 25),
    ]  # fmt: skip
    assert [item.state for item in found] == ["inside", "inside", "above"]
    # Before there was silver, who was no gold was a member.
    first = months_of(club, 70)[0]
    InsightPoint.objects.filter(month=first, tier_code="silver").delete()
    found = get_overview(club, day(70)).tiers
    assert [item.points[0].value for item in found] == [75, 25, 25]


def test_a_tier_that_there_is_no_more_is_subtracted_in_the_months_that_had_it(db):
    levels = [
        {"code": "base", "name": "Member"},
        {"code": "silver", "name": "Silver", "threshold": 100},
        {"code": "gold", "name": "Gold", "threshold": 500},
    ]
    club = make_program(tiers={"tiers": levels, "window": "lifetime"})
    for number in ("c1", "c2", "c3", "c4"):
        make_wallet(club, number)
    record(order("A1", "120", at=day(1), buyer="c1"), order("A2", "600", at=day(3), buyer="c2"))
    rebuild_points([club], day(35))
    make_program(tiers={"tiers": levels[:2], "window": "lifetime"}, at=day(40))
    found = get_overview(Program.objects.get(pk=club.pk), day(41)).tiers
    # Gold was a quarter then, and is no silver of that time.
    assert [(item.tier_name, item.points[0].value) for item in found] == [
        ("Member", 50), ("Silver", 25),
    ]  # fmt: skip


def test_tiers_that_are_made_and_measured_on_one_day_add_up_to_all_members(db):
    levels = [
        {"code": "base", "name": "Member"},
        {"code": "silver", "name": "Silver", "threshold": 100},
        {"code": "gold", "name": "Gold", "threshold": 500},
    ]
    club = make_program(tiers={"tiers": levels[:2], "window": "lifetime"})
    for number in ("c1", "c2", "c3", "c4"):
        make_wallet(club, number)
    record(order("A1", "120", at=day(1), buyer="c1"))
    make_program(tiers={"tiers": levels, "window": "lifetime"}, at=day(40))
    soon = day(40) + dt.timedelta(minutes=1)
    record(order("A2", "600", at=soon, buyer="c2"), now=soon)
    club = Program.objects.get(pk=club.pk)
    rebuild_points([club], soon)
    for later in (dt.timedelta(minutes=2), dt.timedelta(days=1)):
        found = get_overview(club, day(40) + later).tiers
        assert [(item.tier_name, item.value) for item in found] == [
            ("Member", 50), ("Silver", 25), ("Gold", 25),
        ]  # fmt: skip


def test_the_tiers_of_a_month_are_worked_out_once_its_last_day_is_over(db):
    tiers = [{"code": "base", "name": "Member"}, {"code": "gold", "name": "Gold", "threshold": 100}]
    club = make_program(tiers={"tiers": tiers, "window": "lifetime"})
    make_wallet(club, "c1", at=day(0))
    first = months_of(club, 0)[0]
    after = (first + dt.timedelta(days=32)).replace(day=1)
    noon = dt.datetime.combine(after, dt.time(12), dt.UTC)
    measure_due(club, noon - dt.timedelta(days=1))

    def gold():
        return InsightPoint.objects.get(month=first, tier_code="gold")

    assert (gold().day, gold().value) == (after - dt.timedelta(days=2), 0)
    record(order("A1", "120", at=noon - dt.timedelta(hours=22), buyer="c1"))
    measure_due(club, noon)
    assert (gold().day, gold().value) == (after - dt.timedelta(days=1), 100)
    assert (club.pk, first.isoformat(), "tiers") not in due_pieces(club, noon)
