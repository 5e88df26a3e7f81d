"""Fifty at once with one gift card, and with its code: what is on it is spent once."""

from decimal import Decimal

import pytest

from loyalty.ledger.checks import verify_ledger
from loyalty.models import Transfer, Wallet
from members.services.audit import SYSTEM
from rewards.models import GiftCard
from rewards.services.gift_card_money import move_to_credit
from rewards.services.gift_cards import replace_gift_card
from tests.loyalty.factories import NOW, day
from tests.rewards.cards import give_back, issue, left, money_program, pay
from tests.rewards.factories import make_member
from tests.rewards.services.test_racing import TRIES, at_once

pytestmark = pytest.mark.django_db(transaction=True)
HOW = {"source": "api", "actor": SYSTEM, "now": NOW}


@pytest.fixture(autouse=True)
def _coherent():
    yield
    assert verify_ledger(day(1)) == []


def test_three_of_fifty_pay_thirty_with_a_hundred():
    card = issue(money_program())
    found = at_once(lambda number: pay(card, "30", f"t{number}"))
    assert found == {"done": 3, "insufficient_balance": TRIES - 3}
    assert left(card) == "10.00"


def test_one_checkout_pays_once_whoever_repeats_it():
    card = issue(money_program())
    assert at_once(lambda _number: pay(card, "30")) == {"done": TRIES}
    assert left(card) == "70.00"


def test_one_key_issues_one_card():
    program = money_program()
    assert at_once(lambda _number: issue(program)) == {"done": TRIES}
    assert (GiftCard.objects.count(), left(GiftCard.objects.get())) == (1, "100.00")


def test_a_payment_comes_back_once():
    card = issue(money_program())
    pay(card, "30")
    at_once(lambda number: give_back(card, amount="30", key=f"r{number}"))
    assert left(card) == "100.00"
    assert Transfer.objects.filter(kind="reversal").count() == 1


def test_what_is_moved_to_credit_is_not_paid_with_too():
    program = money_program()
    member, card = make_member(0, program=program), issue(program)

    def act(number):
        if number % 2:
            move_to_credit(card=card, membership=member, key=f"m{number}", **HOW)
        else:
            pay(card, "30", f"t{number}")

    found = at_once(act)
    credit = Wallet.objects.get(account=member.account_id, wallet_type__stored_value=True).balance
    paid = Transfer.objects.filter(kind="redemption").count()
    assert credit + paid * 3000 + int(Decimal(left(card)) * 100) == 10_000
    # A card with less than 30 on it is moved; once that is done nothing is left to pay with.
    assert (found["done"], left(card)) == (paid + 1, "0.00")


def test_a_lost_card_is_replaced_once():
    card = issue(money_program())
    found = at_once(
        lambda number: replace_gift_card(card=card, reason="lost", key=f"x{number}", **HOW)
    )
    assert found == {"done": 1, "gift_card_state": TRIES - 1}
    assert GiftCard.objects.filter(status="active").count() == 1
