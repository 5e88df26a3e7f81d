"""Carts that a member's credit or units pay a part of: told as what they are, and once."""

from __future__ import annotations

import datetime as dt

import pytest

from loyalty.models import Membership, Order, Refund, Tender
from loyalty.selectors.given_back import given_back
from loyalty.services.store_credit import credit_of
from rewards.models import Checkout
from rewards.services.checkouts import Cart
from tests.loyalty.factories import NOW, adjust, day, give_back, order, record, refund, spendable
from tests.rewards.cards import money_program
from tests.rewards.factories import make_member
from tests.rewards.services.carts import basket, cart, commit, reserve, shopper

pytestmark = pytest.mark.usefixtures("coherent_ledger")
SOON = NOW + dt.timedelta(minutes=5)
LATER = NOW + dt.timedelta(minutes=31)


@pytest.fixture
def member(db: None) -> Membership:
    """With $50 of credit."""
    found = make_member(0, program=money_program())
    adjust(credit_of(found), 5000, "start")
    return found


def reserve_with_credit(member: Membership) -> Checkout:
    """A cart of $20, of which $5 of credit pay a part."""
    credit = credit_of(member)
    return reserve(Cart(member, "shop", "C1", basket("20"), {credit.wallet_type: 500}, (), ()))


def tenders() -> dict[str, int]:
    return {item.kind: int(item.amount) for item in Tender.objects.all()}


@pytest.mark.parametrize("told_before", [False, True])
def test_what_credit_paid_of_a_cart_earns_like_money(told_before: bool, member: Membership) -> None:
    found = reserve_with_credit(member)
    if told_before:
        record(order("A1", "20", status="placed"))
    commit(found, at=SOON)
    record(order("A1", "20", at=SOON), now=LATER)
    assert tenders() == {"money": 15, "stored_value": 5}
    assert (credit_of(member).balance, spendable(at=LATER)) == (4500, 20)


def test_a_cart_s_order_that_is_taken_up_again_was_not_paid_with_what_came_back() -> None:
    member = shopper()
    commit(reserve(cart(member, units=500)))
    record(order("A1", "20", at=SOON), now=SOON)
    record(order("A1", "20", at=SOON, status="cancelled"), now=LATER)
    assert spendable(at=LATER) == 1000
    record(order("A1", "20", at=SOON, status="completed"), now=day(1))
    assert tenders() == {}
    assert spendable(at=day(1)) == 1000 + 20
    give_back(refund("R1", "10", of="A1", at=day(2)))
    found = given_back(Refund.objects.get(order=Order.objects.get()))
    assert (found.money, found.units) == (10, ())
    assert spendable(at=day(2)) == 1000 + 10
