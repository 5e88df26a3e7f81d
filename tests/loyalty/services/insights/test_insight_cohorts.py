"""Cohorts by month of joining, of all members and of a segment."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.models import Membership
from loyalty.selectors.cohorts import kept_cohorts, measure_cohorts
from loyalty.selectors.insights import get_overview
from loyalty.services.insight_points import (
    measure_due,
    rebuild_points,
)
from loyalty.services.redemptions import redeem_units
from members.models import Customer, Segment, SegmentMember
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    day,
    give_back,
    make_wallet,
    refund,
    wallet_of,
)
from tests.loyalty.services.insights.measured import buy, months_of


def test_cohorts_are_sums_of_who_joined_in_a_month_less_what_came_back(shop):
    make_wallet(shop, "c1", at=day(0))
    make_wallet(shop, "c2", at=day(0))
    make_wallet(shop, "c3", at=day(40))
    buy("A1", "c1", "100", 1)
    buy("A2", "c1", "50", 2)
    buy("A3", "c3", "70", 41)
    give_back(refund(of="A2", total="20", at=day(3)))
    member = Membership.objects.get(customer__external_id="c1")
    redeem_units(
        wallet=wallet_of(member.account_id), units=30, key="s1", source="api", actor=SYSTEM,
        now=day(4),
    )  # fmt: skip
    rebuild_points([shop], day(70))
    first, second = (day(offset).date().replace(day=1) for offset in (0, 41))
    rows = kept_cohorts(shop, months_of(shop, 70))
    own = {(row.joined, row.month): row for row in rows}
    begun = own[first, first]
    assert (begun.members, begun.buyers, begun.orders, begun.revenue, begun.units) == (
        2, 1, 2, 130, 30,
    )  # fmt: skip
    assert (own[second, second].members, own[second, second].revenue) == (1, 70)
    assert all(row.month >= row.joined for row in rows)


def test_what_comes_back_months_later_leaves_the_cohort_too(shop):
    make_wallet(shop, "c1", at=day(0))
    buy("A1", "c1", "100", 1)
    rebuild_points([shop], day(70))
    give_back(refund(of="A1", total="40", at=day(70)))
    measure_due(shop, day(71))
    begun = kept_cohorts(shop, months_of(shop, 71))[0]
    assert (begun.orders, begun.revenue) == (1, 60)


def test_what_was_bought_before_the_day_of_joining_is_in_no_cohort(shop):
    # Joined at noon of the tenth day, by the order of that morning.
    buy("A1", "c1", "100", 8)
    buy("A2", "c1", "50", 9.9)
    make_wallet(shop, "c1", at=day(10))
    buy("A3", "c1", "20", 11)
    rebuild_points([shop], day(70))
    begun = kept_cohorts(shop, months_of(shop, 70))[0]
    assert (begun.members, begun.orders, begun.revenue) == (1, 2, 70)


def test_a_segment_has_the_members_that_it_has_today(shop):
    make_wallet(shop, "c1", at=day(0))
    make_wallet(shop, "c2", at=day(0))
    buy("A1", "c1", "100", 1)
    segment = Segment.objects.create(code="few", name="Few", kind="static")
    SegmentMember.objects.create(
        segment=segment, customer=Customer.objects.get(external_id="c1"), since=day(9)
    )
    month = day(0).date().replace(day=1)
    asked = {"joined_from": month, "first": month, "last": month}
    (found,) = measure_cohorts(shop, **asked, segment=segment.pk)
    assert (found.members, found.buyers) == (1, 1)
    (everybody,) = measure_cohorts(shop, **asked)
    assert (everybody.members, everybody.buyers) == (2, 1)


def test_reading_costs_as_many_queries_for_many_as_for_few(shop):
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            get_overview(shop, day(70))
        return len(queries)

    make_wallet(shop, "c1", at=day(0))
    rebuild_points([shop], day(70))
    few = asked()
    for number in range(2, 9):
        make_wallet(shop, f"c{number}", at=day(number))
        buy(f"B{number}", f"c{number}", "10", number)
    rebuild_points([shop], day(70))
    assert asked() == few <= 6
