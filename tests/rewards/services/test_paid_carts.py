"""Carts that are paid, and the orders that they become."""

import datetime as dt
from dataclasses import replace

import pytest
from django.db import transaction

from loyalty.errors import (
    OrderConflictError,
)
from loyalty.models import Order, Tender, UnitTender
from rewards.models import Checkout, Redemption
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    moves,
    order,
    record,
    refund,
    spendable,
    tender,
)
from tests.rewards.factories import offer, take, voucher_of
from tests.rewards.services.carts import (
    basket,
    cart,
    commit,
    reserve,
    shopper,
)

pytestmark = pytest.mark.usefixtures("coherent_ledger")
LATER = NOW + dt.timedelta(minutes=31)
SOON = NOW + dt.timedelta(minutes=5)


def test_paid_it_uses_what_it_kept_once() -> None:
    member = shopper()
    five = offer(member.program, "five", combines=True)
    tour = offer(member.program, "tour", kind="access", stock=2)
    voucher = voucher_of(take(member, five, at=NOW))
    found = reserve(cart(member, vouchers=[voucher], rewards=[tour], units=300))
    for _time in range(2):
        assert commit(found, at=SOON).status == "committed"
    voucher.refresh_from_db()
    assert voucher.status == "used"
    assert voucher.uses.get().discount == 5
    assert Redemption.objects.get(reward=tour).status == "issued"
    assert spendable(at=SOON) == 1000 - 100 - 100 - 300
    row = UnitTender.objects.get()
    assert (row.order_external_id, row.order, row.amount) == ("A1", None, 3)


def test_the_order_that_comes_later_finds_what_its_cart_paid() -> None:
    member = shopper()
    commit(reserve(cart(member, units=500)))
    record(order("A1", "20", at=SOON), now=SOON)
    assert {item.kind: item.amount for item in Tender.objects.all()} == {"units": 5, "money": 15}
    assert UnitTender.objects.get().order == Order.objects.get()
    assert moves()[-1] == ("accrual", 15)
    record(order("A1", "20", at=SOON), now=LATER)
    record(order("A1", "20", at=SOON, status="paid"), now=LATER)
    assert spendable(at=LATER) == 1000 - 500 + 15


def test_an_order_that_costs_less_than_its_cart_paid_is_refused_whichever_comes_first() -> None:
    member = shopper()
    commit(reserve(cart(member, units=500)))
    with pytest.raises(OrderConflictError) as error:
        record(order("A1", "4", at=SOON), now=SOON)
    assert [wrong.code for wrong in error.value.errors] == ["below_paid"]
    record(order("A2", "4"))
    with pytest.raises(OrderConflictError):
        commit(reserve(cart(member, "C2", units=450)), "A2")
    record(order("A1", "5", at=SOON), now=SOON)
    paid = Tender.objects.filter(order__external_id="A1")
    assert {item.kind: item.amount for item in paid} == {"units": 5}


def test_an_order_taken_up_again_is_not_paid_by_what_came_back() -> None:
    member = shopper()
    commit(reserve(cart(member, units=500)))
    sold = order("A1", "20", at=SOON)
    record(sold, now=SOON)
    record(replace(sold, status="cancelled"), now=LATER)
    assert spendable(at=LATER) == 1000
    record(replace(sold, status="completed", sequence=9), now=LATER)
    assert "units" not in {item.kind for item in Tender.objects.all()}
    assert spendable(at=LATER) == 1020


def test_a_message_that_tells_of_the_units_is_the_same() -> None:
    member = shopper()
    commit(reserve(cart(member, units=500)))
    record(order("A1", "20", tenders=(tender("units", "5"), tender("money", "15"))))
    assert spendable() == 1000 - 500 + 15


def test_an_order_that_came_before_is_judged_by_what_its_cart_paid() -> None:
    member = shopper()
    found = reserve(cart(member, units=500))
    record(order("A1", "20", status="placed"))
    assert moves()[-1] == ("accrual", 20)
    commit(found, at=SOON)
    assert {item.kind: item.amount for item in Tender.objects.all()} == {"units": 5, "money": 15}
    assert moves()[-1] == ("clawback", -5)


def test_an_order_of_somebody_else_does_not_find_it() -> None:
    member = shopper()
    commit(reserve(cart(member, units=500)))
    record(order("A1", "20", buyer="c2"))
    assert UnitTender.objects.get().order is None
    assert not Tender.objects.exists()


def test_a_cart_does_not_become_somebody_else_s_order() -> None:
    found = reserve(cart(shopper(), units=500))
    record(order("A1", "20", buyer="c2"))
    with pytest.raises(OrderConflictError), transaction.atomic():
        commit(found)
    assert Checkout.objects.get().status == "reserved"


def test_what_the_order_was_paid_with_comes_back_as_it_does() -> None:
    member = shopper()
    commit(reserve(cart(member, units=500)))
    record(order("A1", "20", at=SOON), now=SOON)
    give_back(refund("R1", "10", of="A1", at=day(1)))
    assert spendable(at=day(1)) == 1000 - 250 + 8 - 1
    give_back(refund("R2", "10", of="A1", at=day(2)))
    assert spendable(at=day(2)) == 1000


def test_two_carts_do_not_become_one_order() -> None:
    member = shopper()
    commit(reserve(cart(member, "C1", units=100)))
    other = reserve(cart(member, "C2", units=100))
    with pytest.raises(OrderConflictError), transaction.atomic():
        commit(other)
    with pytest.raises(OrderConflictError), transaction.atomic():
        commit(Checkout.objects.get(cart="C1"), "A2")


def test_a_subscription_order_is_paid_with_units_too() -> None:
    member = shopper()
    goods = basket("20", channel="subscription")
    commit(reserve(cart(member, order=goods, rewards=[offer(member.program)], units=500)))
    record(order("A1", "15", channel="subscription"))
    assert spendable() == 1000 - 100 - 500 + 10
