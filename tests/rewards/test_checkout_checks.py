"""The self-check of carts: it finds what a hand with SQL bends, and nothing else."""

import datetime as dt
from decimal import Decimal

import pytest

from rewards.checks import CHECKS
from rewards.models import Checkout
from rewards.services.checkout_cards import CardPayment
from rewards.services.checkouts import Cart
from rewards.services.timeouts import end_timeouts
from tests.loyalty.factories import NOW, make_program
from tests.rewards.cards import CREDIT, issue
from tests.rewards.factories import make_member
from tests.rewards.services.carts import CENTS, basket, cancel, commit, points, reserve
from tests.rewards.test_checks import bend, found
from tests.sharing import of_each_test

pytestmark = pytest.mark.django_db
*_OTHERS, SUMS, CARD, BACK = CHECKS
REOPENED = (
    "UPDATE rewards_checkout SET status = 'reserved', closed_at = NULL"
    " WHERE status IN ('cancelled', 'expired')"
)
RETURNED = "UPDATE loyalty_transfer SET reverses_id = NULL WHERE kind = 'reversal'"
BENT = (
    (SUMS, "UPDATE rewards_checkout SET paid_units = paid_units + 1"),
    (SUMS, "UPDATE rewards_checkout SET paid_gift_cards = paid_gift_cards - 1"),
    (CARD, "UPDATE rewards_checkoutgiftcard SET amount = amount + 1"),
    (CARD, "UPDATE rewards_giftcard SET account_id = account_id + 1"),
    (BACK, RETURNED),
    (BACK, "UPDATE rewards_checkout SET status = 'cancelled', closed_at = now()"),
    (BACK, REOPENED),
)  # fmt: skip


def make_carts():
    """One of each state that there is, paid partly with units and partly with a card."""
    program = make_program(wallet_types=[CENTS, CREDIT])
    member, card = make_member(1000, program=program), issue(program)
    for number in range(4):
        asked = Cart(
            member, "shop", f"C{number}", basket(), {points(program): 100},
            gift_cards=[CardPayment(card, Decimal(5))],
        )  # fmt: skip
        held = reserve(asked, minutes=60 if number == 3 else 5)
        if number == 0:
            commit(held)
        if number == 1:
            cancel(held)
    end_timeouts(NOW + dt.timedelta(minutes=10))


_made_once, carts = of_each_test(make_carts)


def test_whatever_becomes_of_carts_agrees(carts):
    assert {item.status for item in Checkout.objects.all()} == set(Checkout.Status.values)
    assert found() == set()


@pytest.mark.parametrize(("rule", "statement"), BENT)
def test_what_does_not_agree_is_found(carts, rule, statement):
    assert bend(statement)
    assert rule in found()
