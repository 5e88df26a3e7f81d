"""The figures that goals are about, worked out by hand."""

import datetime as dt
from decimal import Decimal

from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.goal_metrics import METRICS
from loyalty.models import Goal, Membership, Program
from loyalty.selectors.goal_metrics import measure
from loyalty.services.redemptions import redeem_units, reverse_redemption
from loyalty.services.totals import rebuild_days
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    line,
    make_program,
    make_type,
    make_wallet,
    order,
    record,
    refund,
    tell,
    told,
    wallet_of,
)
from tests.sharing import of_each_test

LATER = day(400)


def make_shop() -> Program:
    """Units are worth a cent; people join by being enrolled only."""
    return make_program(unit={"unit_value": "0.01"}, enrollment="explicit")


_made_once, shop = of_each_test(make_shop)


def at(program, metric: str, offset: int, tier: str = "") -> Decimal | None:
    return measure(program, metric, day(offset).date(), LATER, tier)


def spend(number: str, units: int, offset: int, key: str):
    member = Membership.objects.get(customer__external_id=number)
    return redeem_units(
        wallet=wallet_of(member.account_id), units=units, key=key, source="api", actor=SYSTEM,
        now=day(offset),
    )[0]  # fmt: skip


def buy(number: str, who: str, total: str, offset: float, **details) -> None:
    Customer.objects.get_or_create(external_id=who)
    record(order(number, total, at=day(offset), buyer=who, **details))


def test_members_are_those_who_had_joined_by_then(shop):
    make_wallet(shop, "c1", at=day(1))
    make_wallet(shop, "c2", at=day(5))
    assert [at(shop, "members", offset) for offset in (0, 1, 5)] == [0, 1, 2]
    Membership.objects.filter(customer__external_id="c2").update(status="left")
    assert at(shop, "members", 5) == 1


def test_enrollment_is_of_those_who_bought_within_a_year(shop):
    assert at(shop, "enrollment_share", 3) is None
    make_wallet(shop, "c1", at=day(2))
    buy("A1", "c1", "10", 1)
    buy("A2", "c2", "10", 2)
    buy("A3", "c3", "10", 3)
    buy("A4", "c4", "10", 3, status="cancelled")
    record(order("G1", "10", at=day(3), buyer=None))
    # Before c1 joined, of one buyer nobody; then of two one, of three one.
    assert [at(shop, "enrollment_share", offset) for offset in (1, 2, 3)] == [
        0, 50, Decimal("33.3333"),
    ]  # fmt: skip
    assert at(shop, "enrollment_share", 367) == 0


def test_who_buys_spends_or_does_something_is_active(shop):
    for number in ("c1", "c2", "c3", "c4"):
        make_wallet(shop, number)
    buy("A1", "c1", "100", 1)
    buy("A2", "c2", "100", 1)
    make_type()
    tell(told("V1", at=day(60), buyer="c3"))
    spend("c2", 10, 80, "s1")
    assert at(shop, "active_share", 1) == 50
    assert at(shop, "active_share", 60) == 75
    # On the hundredth day c1's purchase is older than 90 days, but c2 has spent since.
    assert at(shop, "active_share", 100) == 50


def test_redemption_is_what_was_spent_of_what_was_earned_less_what_came_back(shop):
    make_wallet(shop, "c1")
    assert at(shop, "redemption_rate", 1) is None
    buy("A1", "c1", "100", 1)
    buy("A2", "c1", "100", 2)
    first = spend("c1", 60, 3, "s1")
    assert at(shop, "redemption_rate", 3) == 30
    give_back(refund(of="A2", total="50", at=day(4)))
    assert at(shop, "redemption_rate", 4) == 40
    reverse_redemption(transfer=first, units=30, key="r1", source="api", actor=SYSTEM, now=day(5))
    assert at(shop, "redemption_rate", 5) == 20
    assert at(shop, "redemption_rate", 3) == 30


def test_who_buys_twice_buys_again(shop):
    for number in ("c1", "c2"):
        make_wallet(shop, number)
    buy("A1", "c1", "10", 1)
    buy("A2", "c2", "10", 1)
    buy("A3", "c1", "10", 9)
    buy("A4", "c3", "10", 9)
    buy("A5", "c3", "10", 9)
    assert [at(shop, "repeat_rate", offset) for offset in (0, 1, 9)] == [None, 0, 50]
    give_back(refund(of="A3", total="10", at=day(10)))
    assert at(shop, "repeat_rate", 10) == 0
    assert at(shop, "repeat_rate", 9) == 50


def test_revenue_is_of_members_in_thirty_days_less_returns(shop):
    make_wallet(shop, "c1")
    buy("A1", "c1", "100", 0)
    buy("A2", "c1", "50", 10)
    buy("A3", "c2", "70", 10)
    give_back(refund(of="A1", total="20", at=day(12)))
    assert [at(shop, "member_revenue", offset) for offset in (9, 10, 12)] == [100, 150, 130]
    # The first day is the thirtieth from the end.
    assert [at(shop, "member_revenue", offset) for offset in (29, 30, 60)] == [130, 30, 0]


def test_an_average_order_is_what_was_kept_of_it(shop):
    make_wallet(shop, "c1")
    buy("A1", "c1", "100", 0)
    buy("A2", "c1", "50", 1)
    buy("A3", "c1", "30", 1)
    give_back(refund(of="A3", total="30", at=day(2)))
    give_back(refund("R2", of="A2", total="10", at=day(3)))
    assert [at(shop, "average_order", offset) for offset in (1, 2, 3)] == [60, 75, 70]
    assert at(shop, "average_order", 95) is None


def test_liability_and_cost_are_shares_of_revenue(shop):
    make_wallet(shop, "c1")
    buy("A1", "c1", "100", 1)
    buy("A2", "c2", "300", 1)
    rebuild_days({shop.wallet_types.get().pk: [day(n).date() for n in range(40)]})
    # A dollar is owed; 400 came in, of members 100.
    assert at(shop, "liability_share", 1) == Decimal("0.25")
    assert at(shop, "cost_share", 1) == 1
    assert at(shop, "liability_share", 35) is None
    assert at(shop, "cost_share", 35) is None


def test_the_share_of_a_tier_is_of_who_has_it_or_more(db):
    tiers = [
        {"code": "base", "name": "Member"},
        {"code": "silver", "name": "Silver", "threshold": 100},
        {"code": "gold", "name": "Gold", "threshold": 500},
    ]
    club = make_program("tiered", tiers={"tiers": tiers, "window": "lifetime"})
    for number in ("c1", "c2", "c3", "c4"):
        make_wallet(club, number)
    record(order("A1", "120", at=day(1), buyer="c1"), order("A2", "600", at=day(3), buyer="c2"))
    assert [at(club, "tier_share", offset, "silver") for offset in (0, 1, 3)] == [0, 25, 50]
    assert at(club, "tier_share", 3, "gold") == 25
    assert at(club, "tier_share", 3, "platinum") is None
    today = measure(club, "tier_share", day(3).date(), day(3) + dt.timedelta(minutes=1), "silver")
    assert today == 50


def test_measuring_asks_as_often_for_many_as_for_few(shop):
    def asked() -> dict[str, int]:
        found = {}
        for metric in sorted(set(METRICS) - {"tier_share"}):
            with CaptureQueriesContext(connection) as queries:
                at(shop, metric, 9)
            found[metric] = len(queries)
        return found

    make_wallet(shop, "c1")
    buy("A1", "c1", "10", 1)
    few = asked()
    for number in range(2, 9):
        make_wallet(shop, f"c{number}")
        buy(f"B{number}", f"c{number}", "10", 1)
    assert asked() == few
    assert max(few.values()) <= 8, few


def test_every_metric_of_the_model_is_known_and_measured(shop):
    assert set(METRICS) == set(Goal.Metric.values)
    for code in METRICS:
        assert measure(shop, code, NOW.date(), NOW, "") is None or code in {
            "members", "member_revenue",
        }  # fmt: skip


def test_what_came_back_as_a_whole_was_bought_by_nobody(shop):
    for number in ("c1", "c2"):
        make_wallet(shop, number)
    both = (line(1, "10", category="Tea"), line(2, "20", category="Cups"))
    record(*(
        order(f"A{place}", "30", at=day(offset), buyer=who, lines=both)
        for place, (who, offset) in enumerate(
            [("c1", 1), ("c1", 30), ("c1", 100), ("c2", 2), ("c2", 40), ("c2", 101)]
        )
    ))  # fmt: skip

    def values(*asked: tuple[str, int]) -> list[Decimal | None]:
        return [at(shop, metric, offset) for metric, offset in asked]

    again = [("retention_rate", 181), ("repurchase_rate", 200)]
    share = [("several_categories", 110), ("active_share", 110), ("enrollment_share", 110)]
    worth = [("member_value", 110)]
    assert values(*again, *share, *worth) == [100, 100, 100, 100, 100, 90]
    # All that c2 bought after the first time comes back, and in the end that as well.
    give_back(refund("R5", "30", of="A5", at=day(102)))
    assert values(*worth) == [90]
    give_back(refund("R4", "30", of="A4", at=day(102)))
    assert values(*again) == [50, 50]
    give_back(refund("R3", "30", of="A3", at=day(102)))
    assert values(*again, *share) == [100, 100, 100, 50, 100]
