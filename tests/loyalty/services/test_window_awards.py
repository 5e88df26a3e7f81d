"""A bonus for reaching so much belongs to a window: every order of it counts, as it is now."""

import datetime as dt

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from loyalty.models import Transfer, WindowAward
from loyalty.services.order_inputs import CustomerRef
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    line,
    make_program,
    moves,
    order,
    record,
    refund,
    spendable,
)

pytestmark = pytest.mark.usefixtures("coherent_ledger")


def promise(**details: object) -> None:
    """Fifty units for a hundred dollars in a month, and nothing else."""
    rule = {"code": "bonus", "name": "Big month", "kind": "threshold_bonus", "reach": 100,
            "window": "month", "units": 50}  # fmt: skip
    make_program(earning_rules=[rule | details])


def buy(number: str, total: str, at: float, **details: object) -> None:
    record(order(number, total, at=day(at), **details))


@pytest.mark.parametrize(("total", "expected"), [("99.99", 0), ("100.00", 50), ("250", 50)])
def test_a_bonus_for_one_order(total, expected):
    promise(window="order")
    buy("A", total, 0)
    assert spendable() == expected


@pytest.mark.parametrize(("total", "expected"), [("99.99", 0), ("199.99", 50), ("300", 150)])
def test_a_bonus_may_be_given_each_time(total, expected):
    promise(window="order", repeats=True)
    buy("A", total, 0)
    assert spendable() == expected


def test_orders_of_a_window_add_up_and_the_one_that_reaches_it_brings_the_bonus():
    promise()
    buy("A", "60", 0)
    assert spendable() == 0
    buy("B", "40", 1)
    buy("C", "500", 2)
    assert moves() == [("accrual", 50)]
    assert Transfer.objects.get().occurred_at == day(1)


def test_many_orders_of_a_window_take_as_many_queries_as_one():
    promise()
    buy("A", "100", 0)
    counts = []
    for orders in (1, 9):
        told = [order(f"{orders}-{n}", "10", at=day(20)) for n in range(orders)]
        with transaction.atomic(), CaptureQueriesContext(connection) as queries:
            record(*told)
            counts.append(len(queries))
            transaction.set_rollback(True)
    assert counts[0] == counts[1]


def test_windows_begin_anew():
    promise()
    for number, at in (("A", 0), ("B", 20), ("C", 21)):  # March, April, April
        buy(number, "60", at)
    assert moves() == [("accrual", 50)]
    assert WindowAward.objects.count() == 2


def test_an_order_placed_in_a_past_window_counts_there():
    promise()
    buy("A", "60", -30)
    buy("B", "60", 0)
    record(order("C", "40", at=day(-29)), now=NOW)
    assert moves() == [("accrual", 50)]


def test_refunding_an_order_takes_the_bonus_back_only_if_it_is_no_longer_reached():
    promise()
    buy("A", "80", 0)
    buy("B", "80", 1)
    give_back(refund("R1", "50", of="A", at=day(2)))
    assert moves() == [("accrual", 50)]
    give_back(refund("R2", "20", of="B", at=day(3)))
    assert moves() == [("accrual", 50), ("clawback", -50)]
    taken = Transfer.objects.get(kind="clawback")
    assert (taken.occurred_at, taken.refund.external_id) == (day(3), "R2")


def test_refunding_both_orders_takes_it_back_once():
    promise(repeats=True)
    buy("A", "150", 0)
    buy("B", "150", 1)
    give_back(refund("R1", "150", of="A", at=day(2)), refund("R2", "150", of="B", at=day(2)))
    assert spendable(at=day(2)) == 0
    assert sum(units for _kind, units in moves()) == 0


def test_an_order_that_is_canceled_and_comes_back_counts_as_it_is():
    promise()
    buy("A", "100", 0)
    for status in ("cancelled", "completed", "completed", "cancelled", "completed"):
        record(order("A", "100", at=NOW, status=status), now=day(1))
    assert [units for _kind, units in moves()] == [50, -50, 50, -50, 50]


def test_two_orders_in_one_batch_reach_it_together():
    promise()
    record(order("A", "60"), order("B", "60"), order("C", "30", buyer="c2"))
    assert (spendable("c1"), spendable("c2")) == (50, 0)


def test_only_what_the_rule_includes_counts():
    promise(include={"categories": ["COFFEE"]})
    lines = (line(1, "90", category="COFFEE"), line(2, "90", category="TEA"))
    buy("A", "180", 0, lines=lines)
    assert spendable() == 0


def test_a_guests_order_counts_once_it_has_its_buyer():
    promise()
    buy("A", "100", 0, buyer=None)
    record(order("A", "100", customer=CustomerRef("c1")), now=day(3))
    assert moves() == [("accrual", 50)]


def test_what_was_spent_is_owed():
    promise()
    buy("A", "100", 0)
    from tests.loyalty.factories import adjust, held, wallet_of

    adjust(wallet_of(WindowAward.objects.get().membership.account_id), -50, "k", now=day(1))
    give_back(refund("R1", "1", of="A", at=day(2)))
    assert held(at=day(2)).owed == 50


def test_in_an_hour_that_comes_twice_the_later_order_brings_the_bonus():
    """01:50 by summer time, and twenty minutes later 01:10 by winter time."""
    make_program(
        time_zone="America/New_York",
        earning_rules=[{"code": "bonus", "name": "Big day", "kind": "threshold_bonus",
                        "reach": 100, "window": "day", "units": 50}],
    )  # fmt: skip
    first, second = (dt.datetime(2025, 11, 2, *at, tzinfo=dt.UTC) for at in ((5, 50), (6, 10)))
    record(order("A", "60", at=first))
    record(order("B", "60", at=second))
    assert Transfer.objects.get().occurred_at == second
