"""Rewards that give money: with the units that are spent for it, and back with them."""

import pytest

from loyalty.ledger.checks import verify_ledger
from loyalty.models import Transfer, Wallet
from loyalty.services.redemptions import redeem_units
from members.errors import DomainError
from members.services.audit import SYSTEM
from rewards.models import GiftCard, Redemption
from rewards.services.gift_cards import replace_gift_card
from rewards.services.gifts import give_reward
from rewards.services.redemptions import cancel_redemption, issue_redemption
from tests.loyalty.factories import NOW, day, make_program, spendable
from tests.rewards.cards import left, money_program, pay
from tests.rewards.factories import make_member, offer, take
from tests.sharing import of_each_test

pytestmark = pytest.mark.django_db
HOW = {"source": "api", "actor": SYSTEM, "now": NOW}


@pytest.fixture(autouse=True)
def _coherent():
    yield
    assert verify_ledger(day(400)) == []


_made_once, member = of_each_test(lambda: make_member(1000, program=money_program()))


def credit_of(member):
    return Wallet.objects.select_related("wallet_type__program").get(
        account=member.account_id, wallet_type__stored_value=True
    )


def cancel(taken):
    return cancel_redemption(redemption=taken, reason="changed their mind", **HOW)


def test_a_gift_card_is_issued_for_units(member):
    reward = offer(member.program, kind="gift_card", amount=5)
    taken = take(member, reward, at=NOW)
    card = GiftCard.objects.get()
    assert (taken.gift_card, taken.status, left(card), spendable()) == (card, "used", "5.00", 900)
    assert (card.buyer, take(member, reward, at=NOW)) == (member.customer, taken)
    assert Transfer.objects.get(kind="deposit").from_account.kind == "issued"


def test_store_credit_is_paid_in_for_units(member):
    taken = take(member, offer(member.program, kind="store_credit", amount=5), at=NOW)
    assert (taken.status, credit_of(member).balance, spendable()) == ("used", 500, 900)


def test_a_reserved_one_gives_nothing_yet(member):
    reward = offer(member.program, kind="store_credit", amount=5)
    taken = take(member, reward, at=NOW, hold=day(1) - NOW)
    assert (taken.status, credit_of(member).balance, spendable()) == ("reserved", 0, 900)
    issue_redemption(redemption=taken, actor=SYSTEM, now=NOW)
    assert credit_of(member).balance == 500


def test_an_unspent_card_goes_back_with_the_units(member):
    taken = take(member, offer(member.program, kind="gift_card", amount=5), at=NOW)
    cancel(taken)
    cancel(taken)
    card = GiftCard.objects.get()
    assert (card.status, left(card), spendable()) == ("cancelled", "0.00", 1000)
    assert Redemption.objects.get().status == "cancelled"


def test_a_card_that_was_replaced_goes_back_too(member):
    taken = take(member, offer(member.program, kind="gift_card", amount=5), at=NOW)
    replace_gift_card(card=taken.gift_card, reason="lost", key="x1", **HOW)
    cancel(taken)
    assert sorted(GiftCard.objects.values_list("status", flat=True)) == ["cancelled", "replaced"]


@pytest.mark.django_db(transaction=True)
def test_a_card_that_was_used_stays(member):
    taken = take(member, offer(member.program, kind="gift_card", amount=5), at=NOW)
    pay(taken.gift_card, "1")
    with pytest.raises(DomainError) as refused:
        cancel(taken)
    assert refused.value.code == "gift_card_spent"
    assert (left(taken.gift_card), spendable()) == ("4.00", 900)


def test_unspent_credit_goes_back_with_the_units(member):
    cancel(take(member, offer(member.program, kind="store_credit", amount=5), at=NOW))
    assert (credit_of(member).balance, spendable()) == (0, 1000)


@pytest.mark.django_db(transaction=True)
def test_credit_that_was_used_stays(member):
    taken = take(member, offer(member.program, kind="store_credit", amount=5), at=NOW)
    redeem_units(wallet=credit_of(member), units=100, key="r1", **HOW)
    with pytest.raises(DomainError) as refused:
        cancel(taken)
    assert refused.value.code == "credit_spent"
    assert (credit_of(member).balance, spendable()) == (400, 900)


@pytest.mark.parametrize("kind", ["gift_card", "store_credit"])
def test_one_that_is_given_costs_nothing_and_is_taken_back(member, kind):
    reward = offer(member.program, kind=kind, amount=5)
    how = {"gift": "staff", "message": "", "key": "g1", **HOW}
    given, _replayed = give_reward(membership=member, reward=reward, **how)
    assert (given.status, given.units, spendable()) == ("used", 0, 1000)
    again, replayed = give_reward(membership=member, reward=reward, **how)
    assert (again, replayed, Transfer.objects.filter(kind="deposit").count()) == (given, True, 1)
    assert Transfer.objects.get(kind="deposit").amount == 500
    cancel(given)
    assert Transfer.objects.get(kind="reversal").amount == 500


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "gift_card"},
        {"kind": "gift_card", "amount": "0.001"},
        {"kind": "store_credit", "amount": 5, "valid_days": 3},
        {"kind": "store_credit", "amount": 5, "wallet_type": "credit"},
    ],
)
def test_what_gives_money_says_how_much(member, changes):
    with pytest.raises((DomainError, ValueError)):
        offer(member.program, **changes)


def test_a_program_without_stored_value_cannot_give_it():
    with pytest.raises(DomainError):
        offer(make_program(), kind="gift_card", amount=5)
