"""Carts that run out, are given up, or whose order is canceled: all comes back, once."""

import datetime as dt

import pytest
from django.db import transaction

from loyalty.errors import (
    NotReversibleError,
    OrderConflictError,
)
from loyalty.models import Tender, Transfer, UnitTender
from loyalty.services.redemptions import reverse_redemption
from members.services.audit import SYSTEM
from members.services.outbox import deliver_waiting
from rewards.errors import (
    CheckoutStateError,
)
from rewards.models import Checkout, Redemption, Reward, Voucher, VoucherUse
from rewards.services.timeouts import end_timeouts
from tests.loyalty.factories import (
    NOW,
    day,
    order,
    record,
    spendable,
)
from tests.rewards.factories import offer, take, voucher_of
from tests.rewards.services.carts import (
    cancel,
    cart,
    commit,
    reserve,
    shopper,
)

pytestmark = pytest.mark.usefixtures("coherent_ledger")
LATER = NOW + dt.timedelta(minutes=31)
SOON = NOW + dt.timedelta(minutes=5)


def test_after_its_time_it_cannot_be_paid_and_nothing_is_half_done() -> None:
    member = shopper()
    tour = offer(member.program, "tour", kind="access", stock=2)
    found = reserve(cart(member, rewards=[tour], units=500))
    with pytest.raises(CheckoutStateError) as refused, transaction.atomic():
        commit(found, at=LATER)
    assert refused.value.code == "checkout_expired"
    assert Redemption.objects.get().status == "reserved"
    assert not UnitTender.objects.exists()


def test_what_nobody_paid_for_comes_back_by_itself() -> None:
    member = shopper()
    tour = offer(member.program, "tour", kind="access", stock=2)
    voucher = voucher_of(take(member, offer(member.program, combines=True), at=NOW))
    reserve(cart(member, vouchers=[voucher], rewards=[tour], units=500))
    assert end_timeouts(LATER) == 1
    assert end_timeouts(LATER) == 0
    assert spendable(at=LATER) == 900
    assert Reward.objects.get(code="tour").taken == 0
    assert (Checkout.objects.get().status, VoucherUse.objects.get().state) == (
        "expired", "released",
    )  # fmt: skip
    again = reserve(cart(member, vouchers=[voucher], rewards=[tour], units=500), at=LATER)
    assert (again.status, again.round) == ("reserved", 2)
    assert commit(again, at=LATER).status == "committed"


def test_given_up_it_gives_all_back_once() -> None:
    member = shopper()
    five = offer(member.program)
    found = reserve(cart(member, rewards=[five], units=500))
    for _time in range(2):
        assert cancel(found, at=SOON).status == "cancelled"
    assert spendable(at=SOON) == 1000
    with pytest.raises(CheckoutStateError) as refused, transaction.atomic():
        commit(found, at=SOON)
    assert refused.value.code == "checkout_cancelled"


def test_a_paid_cart_whose_order_never_came_can_be_given_up() -> None:
    member = shopper()
    five = offer(member.program)
    found = reserve(cart(member, rewards=[five], units=500))
    commit(found)
    assert cancel(found, at=SOON).status == "cancelled"
    assert spendable(at=SOON) == 1000
    assert Voucher.objects.get().status == "void"
    record(order("A1", "20", at=SOON), now=SOON)
    assert spendable(at=SOON) == 1020


def test_a_paid_cart_whose_order_stands_is_not_given_up() -> None:
    found = reserve(cart(shopper(), units=500))
    commit(found)
    record(order("A1", "20"))
    with pytest.raises(OrderConflictError), transaction.atomic():
        cancel(found, at=SOON)


def test_units_that_a_cart_keeps_do_not_come_back_by_hand() -> None:
    """Pain 11: what was taken away meanwhile is not paid with."""
    reserve(cart(shopper(), units=500))
    spent = Transfer.objects.get(kind="redemption")
    with pytest.raises(NotReversibleError):
        reverse_redemption(transfer=spent, key="b", source="api", actor=SYSTEM, now=NOW)


@pytest.mark.parametrize("told", [False, True])
def test_a_canceled_order_gives_back_all_that_its_cart_took(told: bool) -> None:
    member = shopper()
    tour = offer(member.program, "tour", kind="access", stock=2)
    voucher = voucher_of(take(member, offer(member.program), at=NOW))
    commit(reserve(cart(member, vouchers=[voucher], rewards=[tour], units=500)))
    if told:
        record(order("A1", "15", at=SOON), now=SOON)
    record(order("A1", "15", at=SOON, status="cancelled"), now=LATER)
    while deliver_waiting():
        pass
    voucher.refresh_from_db()
    assert (spendable(at=day(1)), voucher.status) == (900, "issued")
    assert Reward.objects.get(code="tour").taken == 0
    assert Checkout.objects.get().status == "cancelled"


def told_all() -> None:
    while deliver_waiting():
        pass


def test_a_canceled_order_that_names_no_buyer_gives_back_all_that_its_cart_took() -> None:
    member = shopper()
    tour = offer(member.program, "tour", kind="access", stock=2)
    voucher = voucher_of(take(member, offer(member.program), at=NOW))
    commit(reserve(cart(member, vouchers=[voucher], rewards=[tour], units=500)))
    record(order("A1", "15", at=SOON, buyer=None), now=SOON)
    told_all()
    record(order("A1", "15", at=SOON, buyer=None, status="cancelled"), now=LATER)
    told_all()
    voucher.refresh_from_db()
    assert (spendable(at=day(1)), voucher.status) == (900, "issued")
    assert Reward.objects.get(code="tour").taken == 0
    assert Checkout.objects.get().status == "cancelled"


def test_a_canceled_order_of_somebody_else_gives_back_nothing() -> None:
    member = shopper()
    tour = offer(member.program, "tour", kind="access", stock=2)
    commit(reserve(cart(member, rewards=[tour])))
    record(order("A1", "20", at=SOON, buyer="c9", status="cancelled"), now=SOON)
    told_all()
    assert Checkout.objects.get().status == "committed"


def test_another_cart_pays_for_an_order_that_was_taken_up_again() -> None:
    member = shopper()
    commit(reserve(cart(member, units=500)))
    record(order("A1", "20", at=SOON), now=SOON)
    record(order("A1", "20", at=SOON, status="cancelled"), now=LATER)
    told_all()
    assert spendable(at=day(1)) == 1000
    record(order("A1", "20", at=SOON), now=day(1))
    commit(reserve(cart(member, "C2", units=300, at=day(2)), at=day(2)), at=day(2))
    paid = UnitTender.objects.get()
    assert (paid.amount, paid.transfer.amount) == (3, 300)
    assert Tender.objects.filter(kind="units").values_list("amount", flat=True).get() == 3
    earned = spendable(at=day(3))
    # It pays in the third cart's place no more than once.
    third = reserve(cart(member, "C3", units=100, at=day(3)), at=day(3))
    with pytest.raises(OrderConflictError):
        commit(third, at=day(3))
    assert earned == 700 + 17
