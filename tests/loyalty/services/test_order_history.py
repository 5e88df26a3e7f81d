"""What a year of orders says about buyers: against the same figures added up by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.purchase_habits import Period
from loyalty.selectors.order_history import (
    history_period,
    order_spread,
    purchase_habits,
    random_buyers,
    spend_spread,
)
from tests.loyalty.factories import NOW, day, give_back, line, order, record, refund

pytestmark = pytest.mark.django_db
LATER = day(400)


def history() -> Period:
    """Five buyers; the second buys thrice, and gives some of it back."""
    goods = (line(1, "30", category="Tea"), line(2, "10", category="Cups"))
    record(
        order("A", "40", lines=goods),
        order("B", "100", buyer="c2"), order("C", "20", buyer="c2", at=day(10)),
        order("D", "60", buyer="c2", at=day(40)),
        order("E", "10", buyer="c3", at=day(1)), order("F", "20", buyer="c4", at=day(2)),
        order("G", "30", buyer="c5", at=day(3)),
        order("H", "500", buyer=None, at=day(4)),
        order("I", "999", buyer="c6", at=day(5), status="cancelled"),
        order("J", "70", buyer="c7", at=day(6), currency="EUR"),
    )  # fmt: skip
    give_back(refund("R", "30", of="D", at=day(40.1), buyer="c2"))
    found = history_period("USD", LATER)
    assert found
    return found


def test_the_period_ends_with_the_last_day_on_which_somebody_bought() -> None:
    found = history()
    assert found.until == dt.datetime(2024, 4, 25, tzinfo=dt.UTC)
    assert found.since == NOW
    assert found.days == 40


def test_it_is_a_year_at_most() -> None:
    record(order("OLD", "5", at=day(-600)), order("NEW", "5", at=day(0)))
    found = history_period("USD", LATER)
    assert found
    assert found.days == 365
    assert purchase_habits(found).orders == 1


def test_figures_are_those_that_one_adds_up_by_hand() -> None:
    found = purchase_habits(history())
    assert (found.buyers, found.orders, found.guest_orders) == (5, 7, 1)
    assert (found.revenue, found.returned, found.net) == (280, 30, 250)
    assert (found.orders_each.low, found.orders_each.middle, found.orders_each.high) == (1, 1, 1)
    assert found.mean_orders == Decimal("1.4")
    assert (found.basket.low, found.basket.middle, found.basket.high) == (20, 30, 60)
    assert found.gap
    assert (found.gap.low, found.gap.high) == (10, 30)
    assert found.one_time == Decimal("0.8")
    # The best of five brought in 180, less 30 that came back, of 250.
    assert found.top_share == Decimal("0.6")
    assert found.returns_share == Decimal(30) / 280


def test_categories_are_named_by_what_they_brought_in() -> None:
    found = purchase_habits(history()).categories
    assert [(item.name, item.revenue, item.share) for item in found] == [
        ("Tea", 30, Decimal("0.75")), ("Cups", 10, Decimal("0.25")),
    ]  # fmt: skip


def test_several_orders_of_a_day_are_one_day_of_buying() -> None:
    record(order("A", "1"), order("B", "1", at=day(0.1)), order("C", "1", at=day(7)))
    found = history_period("USD", LATER)
    assert found
    gap = purchase_habits(found).gap
    assert gap
    assert gap.middle == 7


def test_buyers_spread_over_what_they_kept_and_over_their_orders() -> None:
    period = history()
    spend = spend_spread(period)
    assert spend.members == 5
    assert [n for n, _units in spend.over([Decimal(0), Decimal(40), Decimal(150)])] == [3, 1, 1]
    assert [n for n, _units in order_spread(period).over([Decimal(0), Decimal(2)])] == [4, 1]


def test_without_orders_there_is_no_period() -> None:
    record(order("H", "500", buyer=None))
    assert history_period("USD", LATER) is None


def test_the_same_buyers_are_chosen_each_time() -> None:
    period = history()
    assert len(random_buyers(period, None)) == 5
    assert random_buyers(period, 3) == random_buyers(period, 3)
    assert set(random_buyers(period, 3)) < set(random_buyers(period, None))


def test_a_constant_number_of_queries_and_none_while_nothing_changes() -> None:
    period = history()
    with CaptureQueriesContext(connection) as asked:
        first = purchase_habits(period)
    assert len(asked) == 2
    with CaptureQueriesContext(connection) as asked:
        assert purchase_habits(period) is first
    assert not asked
    record(order("K", "25", buyer="c9", at=day(20)))
    changed = history_period("USD", LATER)
    assert changed
    assert purchase_habits(changed).orders == 8
