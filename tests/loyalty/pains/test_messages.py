"""What users of other loyalty systems suffer from, and what is true here instead.
Messages that come again, states that flip, and many at once.

The tests are in the order of the pains and named after what holds; each docstring tells the pain.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction

from loyalty.errors import InsufficientBalanceError, KeyReusedError
from loyalty.models import (
    Order,
)
from tests.loyalty.factories import (
    adjust,
    day,
    give_back,
    held,
    make_program,
    make_wallet,
    moves,
    order,
    record,
    refund,
    spendable,
)
from tests.loyalty.ledger.racing import at_once
from tests.loyalty.pains.acts import in_parallel, paid_with_units, redeem, wallet

pytestmark = pytest.mark.usefixtures("coherent_ledger")


# --- 6: retries, replays and late tills --------------------------------------------------------


@in_parallel
def test_the_same_message_from_many_at_once_counts_once():
    """Pain 6: a retry overtakes the first try, and the points double."""
    make_program()
    at_once(lambda _number: record(order("A", "100")))
    at_once(lambda _number: redeem(30, "till-7-receipt-11"))
    at_once(lambda _number: give_back(refund("R1", "20", of="A")))
    assert sorted(moves()) == [("accrual", 100), ("clawback", -20), ("redemption", -30)]


def test_a_till_that_sends_its_day_again_adds_only_what_is_new(program):
    """Pain 6: a till that was offline sends all its receipts again, in another order."""
    sold = [order(f"A{number}", "10", at=day(number)) for number in range(4)]
    record(*sold[:3], now=day(9))
    record(*reversed(sold), now=day(10))
    for found in sold:
        record(found, now=day(11))
    assert (spendable(at=day(11)), moves()) == (40, [("accrual", 10)] * 4)


def test_a_key_is_for_one_effect(program):
    """Pain 6: two effects under one key, and one of them is lost without a word."""
    record(order(total="100"))
    assert redeem(30) == redeem(30)
    with pytest.raises(KeyReusedError), transaction.atomic():
        redeem(40)
    assert spendable() == 70


# --- 7 and 8: states that flip -----------------------------------------------------------------


@pytest.mark.parametrize("waits_for", ["placed", "completed"])
def test_an_order_whose_state_flips_is_awarded_once(db, waits_for):
    """Pain 7: processing, completed, processing, completed: awarded twice."""
    make_program(unit={"pending_from": waits_for})
    for number, status in enumerate(("placed", "completed", "placed", "completed")):
        record(order(status=status), now=day(number))
    assert moves() == [("accrual", 10)]
    assert (held(at=day(4)).spendable, held(at=day(4)).pending) == (10, 0)


@pytest.mark.parametrize("void", ["cancelled", "refunded"])
def test_an_order_called_off_by_mistake_and_completed_has_earned(program, void):
    """Pain 8: it was taken back once, so it is never awarded again."""
    for status in ("paid", void, "completed", void, "completed"):
        record(order(status=status))
    assert (held().spendable, held().owed) == (10, 0)


# --- 9 to 11: many at once ---------------------------------------------------------------------


@in_parallel
def test_five_checkouts_at_once_use_what_there_is_for_three_three_times():
    """Pain 9: a voucher for three is used five times, because each checkout counts before the
    others have written. Here: a budget that lasts for three."""
    program = make_program(earning_rules=[{"caps": {"per_order": 100, "budget": 300}}])
    for number in range(5):
        make_wallet(program, f"c{number}")
    at_once(lambda number: record(order(f"A{number}", "100", buyer=f"c{number}")), threads=5)
    assert sorted(spendable(f"c{number}") for number in range(5)) == [0, 0, 100, 100, 100]


@in_parallel
def test_a_checkout_that_lost_gives_back_nothing_of_the_winners():
    """Pain 10: two checkouts pay with the same points; the one that fails is called off, and that
    refunds what the other one had paid."""
    make_program()
    record(order("A", "100"))
    record(paid_with_units("B0", "100"), paid_with_units("B1", "100"))
    orders = [Order.objects.get(external_id=f"B{number}") for number in range(2)]

    def pay(number: int) -> bool:
        try:
            redeem(100, f"pay-{number}", order=orders[number])
        except InsufficientBalanceError:
            return False
        return True

    paid = at_once(pay, threads=2)
    assert sorted(paid) == [False, True]
    lost = f"B{paid.index(False)}"
    for _again in range(2):
        record(paid_with_units(lost, "100", status="cancelled"))
    assert (spendable(), moves()) == (0, [("accrual", 100), ("redemption", -100)])


@in_parallel
def test_a_checkout_that_is_sent_many_times_pays_once_and_is_refunded_once():
    """Pain 10: each repetition of a checkout consumes again, or gives back again."""
    make_program()
    record(order("A", "300"))
    record(paid_with_units("B", "100"))
    bought = Order.objects.get(external_id="B")
    at_once(lambda _number: redeem(100, "checkout-B", order=bought))
    assert spendable() == 200
    at_once(lambda _number: record(paid_with_units("B", "100", status="cancelled")))
    assert spendable() == 300


@in_parallel
def test_what_staff_deduct_during_a_checkout_is_not_spent():
    """Pain 11: the checkout looked at the balance before the deduction, and spends what is gone."""
    make_program()
    record(order("A", "100"))
    deducted, may_commit = threading.Event(), threading.Event()

    def deduct() -> None:
        with transaction.atomic():
            adjust(wallet(), -60, "deduction")
            deducted.set()
            assert may_commit.wait(10)

    def check_out() -> int:
        assert deducted.wait(10)
        assert spendable() == 100  # What is shown while the deduction is not committed.
        threading.Timer(0.3, may_commit.set).start()
        with pytest.raises(InsufficientBalanceError) as refused:
            redeem(100)
        return refused.value.spendable

    def in_a_thread(work):
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(in_a_thread, (deduct, check_out)))
    assert (results, spendable()) == ([None, 40], 40)
