"""What a rule awards at most, for an order, a member and in all, however orders come and go."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection, connections
from django.db.models import Sum

from loyalty.models import CapCounter, Transfer
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    make_program,
    make_wallet,
    moves,
    order,
    record,
    refund,
    spendable,
)

pytestmark = pytest.mark.usefixtures("coherent_ledger")


def capped(**caps: object) -> None:
    make_program(earning_rules=[{"caps": caps}])


def used() -> int:
    return CapCounter.objects.aggregate(sum=Sum("used"))["sum"] or 0


@pytest.mark.parametrize(
    ("total", "expected"), [("99.99", 99), ("100.00", 100), ("101.00", 100), ("5000", 100)]
)
def test_an_order_earns_at_most(total, expected):
    capped(per_order=100)
    record(order("A", total))
    assert spendable() == expected


def test_the_step_that_capped_is_explained():
    capped(per_order=100)
    record(order("A", "250"))
    assert ["capped_order", "100"] in Transfer.objects.get().explanation["steps"]


def test_a_member_earns_at_most_in_a_period_and_anew_in_the_next():
    capped(per_member=100, period="month")
    record(order("A", "80", at=NOW))
    record(order("B", "80", at=day(1)))
    record(order("C", "80", at=day(2)))
    assert moves() == [("accrual", 80), ("accrual", 20)]
    record(order("D", "80", at=day(30)))
    assert spendable(at=day(30)) == 180


def test_periods_begin_in_the_programs_time_zone():
    make_program(
        time_zone="America/New_York", earning_rules=[{"caps": {"per_member": 10, "period": "day"}}]
    )
    # 3:59 and 4:00 in Greenwich are yesterday and today in New York.
    for number, minute in (("A", 59), ("B", 60)):
        at = dt.datetime(2024, 3, 15, 3, tzinfo=dt.UTC) + dt.timedelta(minutes=minute)
        record(order(number, "10", at=at))
    assert spendable() == 20


def test_members_do_not_share_their_room():
    capped(per_member=100)
    record(order("A", "80"), order("B", "80", buyer="c2"), order("C", "80"))
    assert (spendable("c1"), spendable("c2")) == (100, 80)


def test_a_refund_frees_room_for_later_orders_only():
    capped(per_member=100)
    record(order("A", "80"))
    record(order("B", "80", at=day(1)))
    give_back(refund("R1", "50", of="A", at=day(2)))
    assert moves() == [("accrual", 80), ("accrual", 20), ("clawback", -50)]
    record(order("C", "80", at=day(3)))
    assert moves()[-1] == ("accrual", 50)
    assert used() == 100


def test_an_order_that_grows_takes_no_more_than_is_left():
    capped(per_member=100)
    record(order("A", "60"))
    record(order("B", "30", at=day(1)))
    record(order("A", "90"), now=day(2))
    assert moves()[-1] == ("accrual", 10)
    assert spendable(at=day(2)) == 100


def test_an_order_keeps_the_room_that_it_had():
    capped(per_member=100)
    record(order("A", "80"))
    record(order("B", "80", at=day(1)))  # twenty were left for it
    record(order("A", "80", status="cancelled"), now=day(2))
    give_back(refund("R1", "10", of="B", at=day(3)))
    assert moves() == [("accrual", 80), ("accrual", 20), ("clawback", -80)]


def test_canceling_twice_and_coming_back_counts_once():
    capped(per_member=100)
    for status in ("completed", "cancelled", "cancelled", "completed", "cancelled", "completed"):
        record(order("A", "80", status=status), now=NOW)
    assert (spendable(), used()) == (80, 80)


def test_a_budget_is_never_exceeded_and_used_to_the_last_unit():
    capped(budget=100)
    for number in range(8):
        record(order(f"A{number}", "30", buyer=f"c{number}"))
    assert used() == 100
    assert sum(Transfer.objects.values_list("amount", flat=True)) == 100


@pytest.mark.parametrize("first", range(1, CapCounter.SLICES + 1))
def test_a_batch_uses_a_budget_as_a_whole_whichever_slices_its_members_have(first):
    """Four members in a row: among others those of the last slice and of the first."""
    capped(budget=250)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('loyalty_membership', 'id'), %s)",
            [1_000 * CapCounter.SLICES + first],
        )
    record(*(order(f"A{number}", "100", buyer=f"c{number}") for number in range(4)))
    assert used() == 250


def test_what_a_refund_gives_back_to_the_budget_is_awarded_again():
    capped(budget=100)
    record(order("A", "90"))
    give_back(refund("R1", "90", of="A"))
    assert used() == 0
    record(order("B", "95", buyer="c2"))
    assert spendable("c2") == 95


def test_a_budget_may_be_spent_by_one_member():
    capped(budget=100)
    record(order("A", "1000"))
    assert (spendable(), used()) == (100, 100)


def test_repeating_an_order_counts_nothing():
    capped(per_member=100, budget=1000)
    for _time in range(3):
        record(order("A", "30"))
    assert used() == 60  # once by the member, once by the budget


@pytest.mark.django_db(transaction=True)
def test_orders_at_once_exceed_neither_cap():
    make_program(earning_rules=[{"caps": {"per_member": 100, "period": "lifetime", "budget": 250}}])
    for number in range(4):
        make_wallet(_program(), f"c{number}")

    def buy(number: int) -> None:
        try:
            record(order(f"A{number}", "40", buyer=f"c{number % 4}"), now=day(1))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(buy, range(24)))
    given = Transfer.objects.aggregate(sum=Sum("amount"))["sum"]
    assert given == Decimal(250)
    assert max(spendable(f"c{number}", at=day(1)) for number in range(4)) <= 100
    assert_ledger_coherent()


def _program():
    from loyalty.models import Program

    return Program.objects.get()


def test_a_guests_order_keeps_the_room_that_it_had_when_its_buyer_was_known():
    capped(per_member=100, period="lifetime")
    record(order("A", "80"))
    record(order("B", "80", buyer=None))
    record(order("B", "80"), now=day(1))  # twenty were left for it
    record(order("A", "80", status="cancelled"), now=day(2))
    give_back(refund("R1", "10", of="B", at=day(3)))
    assert moves() == [("accrual", 80), ("accrual", 20), ("clawback", -80)]
