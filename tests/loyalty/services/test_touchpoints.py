"""How many members did something at each touchpoint, and what the same customers brought before and
after they joined: measured and kept with the other figures."""

import datetime as dt
from decimal import Decimal

from loyalty.models import InsightPoint, Membership
from loyalty.selectors.insights import get_overview
from loyalty.services.insight_points import rebuild_points
from loyalty.services.memberships import enroll_customer
from loyalty.services.redemptions import redeem_units
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    day,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
    wallet_of,
)
from tests.sharing import of_each_test

_made_once, shop = of_each_test(lambda: make_program(enrollment="explicit", at=day(-400)))


def buy(number: str, who: str, total: str, offset: float) -> None:
    Customer.objects.get_or_create(external_id=who)
    record(order(number, total, at=day(offset), buyer=who))


def join(program, who: str, offset: float):
    customer, _new = Customer.objects.get_or_create(external_id=who)
    member, _new = enroll_customer(
        customer=customer, program=program, source=Membership.Source.STAFF, at=day(offset),
        actor=SYSTEM,
    )  # fmt: skip
    return wallet_of(member.account_id)


def measured(program, offset: float) -> dict[str, Decimal | None]:
    rebuild_points([program], day(offset))
    found = get_overview(program, day(offset))
    return {item.metric.code: item.value for item in (*found.touchpoints, *found.joining)}


def test_each_touchpoint_counts_members_once_and_forgets_after_90_days(shop):
    wallet = make_wallet(shop, "c1", at=day(0))
    make_wallet(shop, "c2", at=day(0))
    buy("A1", "c1", "100", 1)
    buy("A2", "c1", "100", 2)
    buy("A3", "c2", "100", 2)
    give_back(refund("R3", "100", of="A3", at=day(3)))
    buy("A4", "guest", "100", 2)
    redeem_units(wallet=wallet, units=10, key="r1", source="api", actor=SYSTEM, now=day(4))
    found = measured(shop, 10)
    # What came back as a whole was bought by nobody; guests are no members.
    assert (found["touch_orders"], found["touch_spent"], found["touch_activities"]) == (1, 1, 0)
    assert measured(shop, 120)["touch_orders"] == 0


def test_the_same_customers_are_compared_half_a_year_before_and_after_they_joined(shop):
    # Known for long, bought 60 before and 90 after, of which 10 came back.
    buy("A0", "old", "5", -300)
    buy("A1", "old", "60", -100)
    join(shop, "old", 0)
    buy("A2", "old", "90", 30)
    give_back(refund("R2", "10", of="A2", at=day(40)))
    # Known for long, bought nothing before.
    buy("B0", "idle", "5", -200)
    join(shop, "idle", 5)
    # New: no half a year before. And who joined too lately for half a year after.
    buy("C0", "new", "500", -10)
    join(shop, "new", 0)
    buy("D0", "late", "5", -300)
    join(shop, "late", 150)
    buy("D1", "late", "700", 160)
    found = measured(shop, 200)
    assert found["value_customers"] == 2
    assert (found["value_before"], found["value_after"]) == (Decimal(30), Decimal(40))


def test_the_order_of_the_day_of_joining_counts_as_after(shop):
    buy("A0", "old", "5", -300)
    buy("A1", "old", "60", -0.1)
    join(shop, "old", 0)
    found = measured(shop, 200)
    assert (found["value_before"], found["value_after"]) == (0, 60)


def test_where_nobody_was_known_before_there_is_nothing_to_compare(shop):
    join(shop, "c1", 0)
    buy("A1", "c1", "60", 1)
    found = measured(shop, 200)
    assert (found["value_customers"], found["value_before"], found["value_after"]) == (
        0, None, None,
    )  # fmt: skip


def test_they_are_kept_like_every_figure_and_have_no_band(shop):
    make_wallet(shop, "c1", at=day(0))
    rebuild_points([shop], day(70))
    months = InsightPoint.objects.filter(metric="touch_orders").values_list("day", flat=True)
    assert len(months) == 3
    assert max(months) == day(69).date()
    overview = get_overview(shop, day(70))
    assert all(item.band is None for item in (*overview.touchpoints, *overview.joining))
    assert dt.date(2024, 3, 31) in months
