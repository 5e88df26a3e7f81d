"""Gift cards that pay within a cart: held with it, taken once it is paid, back when it is not."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from loyalty.errors import (
    InsufficientBalanceError,
    LedgerError,
    NotReversibleError,
    OrderConflictError,
)
from loyalty.models import Membership, Order, Program, Transfer, UnitTender, Wallet
from loyalty.selectors.given_back import given_back, paid_in_units
from loyalty.services.redemptions import reverse_redemption
from members.errors import DomainError
from members.services.audit import SYSTEM
from members.services.outbox import deliver_waiting
from rewards.errors import CheckoutRefusedError, GiftCardRefusedError
from rewards.models import Checkout, CheckoutGiftCard, GiftCard
from rewards.services.checkout_cards import CardPayment
from rewards.services.checkout_quotes import quote_cart
from rewards.services.checkouts import Cart
from rewards.services.gift_cards import (
    block_gift_card,
    cancel_gift_card,
    code_of,
    find_gift_card,
    replace_gift_card,
)
from rewards.services.timeouts import end_timeouts
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    make_program,
    order,
    record,
    refund,
    spendable,
)
from tests.rewards.cards import CREDIT, issue, left
from tests.rewards.factories import make_member, offer
from tests.rewards.services.carts import CENTS, basket, cancel, commit, points, reserve
from tests.rewards.services.racing import TRIES, at_once
from tests.sharing import of_each_test

pytestmark = pytest.mark.usefixtures("coherent_ledger")
SOON, LATER = NOW + dt.timedelta(minutes=5), NOW + dt.timedelta(minutes=31)


def make_club() -> Program:
    """With points that are worth a cent each, and stored value."""
    return make_program(wallet_types=[CENTS, CREDIT])


_made_once, club = of_each_test(make_club)


@pytest.fixture
def member(club: Program) -> Membership:
    return make_member(1000, "c1", club)


def cart(
    member: Membership, *paid: tuple[GiftCard, str | None], name: str = "C1", total: str = "20",
    units: int = 0, at: dt.datetime = NOW, **more: Any,
) -> Cart:  # fmt: skip
    pays = {points(member.program): units} if units else {}
    cards = [CardPayment(card, None if of is None else Decimal(of)) for card, of in paid]
    return Cart(member, "shop", name, basket(total, at=at), pays, gift_cards=cards, **more)


def kept(found: Checkout) -> Sequence[str]:
    """What units and cards pay, and what is left to pay."""
    parts = (found.total, found.paid_units, found.paid_gift_cards, found.to_pay)
    return [f"{part:.2f}" for part in parts]


def test_cards_pay_what_units_leave_one_after_the_other(club: Program, member: Membership) -> None:
    first, second = issue(club, "8"), issue(club, "50", "g2")
    found = reserve(cart(member, (first, None), (second, None), units=500))
    assert kept(found) == ["20.00", "5.00", "15.00", "0.00"]
    assert (left(first), left(second)) == ("0.00", "43.00")
    assert spendable() == 500


def test_a_card_pays_so_much_as_is_said(club: Program, member: Membership) -> None:
    card = issue(club, "50")
    found = reserve(cart(member, (card, "12.50")))
    assert kept(found) == ["20.00", "0.00", "12.50", "7.50"]
    assert left(card) == "37.50"


def test_what_a_cart_holds_nobody_spends_twice(club: Program, member: Membership) -> None:
    card = issue(club, "15")
    reserve(cart(member, (card, "10")))
    other = make_member(0, "c2", club)
    found = reserve(cart(other, (card, None), name="C2"))
    assert (kept(found), left(card)) == (["20.00", "0.00", "5.00", "15.00"], "0.00")


def test_the_same_cart_again_holds_it_once(club: Program, member: Membership) -> None:
    card = issue(club, "50")
    first = reserve(cart(member, (card, None)))
    again = reserve(cart(member, (card, None), at=SOON), at=SOON)
    assert (again.pk, again.round, left(card)) == (first.pk, 1, "30.00")


def test_a_cart_that_changed_finds_what_it_held(club: Program, member: Membership) -> None:
    card = issue(club, "20")
    reserve(cart(member, (card, "20")))
    found = reserve(cart(member, (card, "15")), at=SOON)
    assert (found.round, left(card), found.gift_cards.count()) == (2, "5.00", 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("amount", "error", "code"),
    [
        ("8.01", InsufficientBalanceError, "insufficient_balance"),
        ("20.01", CheckoutRefusedError, "above_total"),
        ("0.001", LedgerError, "invalid_request"),
    ],
)
def test_what_cannot_be_paid_keeps_none_of_the_others(
    amount: str, error: type[DomainError], code: str, club: Program, member: Membership
) -> None:
    tour = offer(club, "tour", kind="access", stock=1)
    first, second = issue(club, "5"), issue(club, "8", "g2")
    paid = [(first, "5"), (second, amount)] if amount != "20.01" else [(second, amount)]
    with pytest.raises(error) as refused:
        reserve(cart(member, *paid, units=100, rewards=[tour]))
    assert refused.value.code == code
    assert (left(first), left(second), spendable()) == ("5.00", "8.00", 1000)
    assert not Checkout.objects.exists()


def test_cards_that_cannot_pay_are_refused_by_their_state(
    club: Program, member: Membership
) -> None:
    empty, blocked = issue(club, "5"), issue(club, "5", "g2")
    reserve(cart(member, (empty, None), name="C0"))
    block_gift_card(card=blocked, reason="lost", actor=SYSTEM, now=NOW)
    blocked.refresh_from_db()
    elsewhere = issue(make_program("shop", wallet_types=[{}, CREDIT]), "5", "g3")
    full = issue(club, "50", "g4")
    cases = [
        ([(empty, None)], "gift_card_empty"),
        ([(blocked, None)], "gift_card_blocked"),
        ([(elsewhere, "1")], "gift_card_elsewhere"),
        ([(full, "1"), (full, "2")], "invalid_request"),
        ([(full, None), (issue(club, "9", "g5"), None)], "above_total"),
    ]
    for paid, code in cases:
        with pytest.raises(DomainError) as refused, transaction.atomic():
            reserve(cart(member, *paid))
        assert refused.value.code == code
    assert left(full) == "50.00"


def test_paid_it_is_taken_once_and_its_order_finds_it(club: Program, member: Membership) -> None:
    first, second = issue(club, "8"), issue(club, "50", "g2")
    found = reserve(cart(member, (first, None), (second, "4"), units=300))
    for _time in range(2):
        assert commit(found, at=SOON).status == "committed"
    record(order("A1", "20", at=SOON), now=SOON)
    told = Order.objects.get()
    assert {row.order for row in UnitTender.objects.all()} == {told}
    assert [(part.wallet_type.code, part.amount) for part in paid_in_units([told.pk])[told.pk]] == [
        ("points", 3), ("credit", 8), ("credit", 4),
    ]  # fmt: skip
    record(order("A1", "20", at=SOON, status="paid"), now=LATER)
    assert (left(first), left(second)) == ("0.00", "46.00")
    assert {item.kind: item.amount for item in told.tenders.all()} == {
        "money": 5, "units": 3, "stored_value": 12,
    }  # fmt: skip


def test_an_order_without_a_buyer_is_paid_by_the_card_too(
    club: Program, member: Membership
) -> None:
    card = issue(club, "50")
    commit(reserve(cart(member, (card, "4"))))
    record(order("A1", "20", buyer=None, at=SOON), now=SOON)
    assert UnitTender.objects.get().order == Order.objects.get()


def test_an_order_that_came_before_is_paid_by_the_card(club: Program, member: Membership) -> None:
    card = issue(club, "50")
    found = reserve(cart(member, (card, "4"), units=100))
    record(order("A1", "20"))
    commit(found, at=SOON)
    assert UnitTender.objects.filter(order=Order.objects.get()).count() == 2
    assert {item.kind: item.amount for item in Order.objects.get().tenders.all()} == {
        "money": 15, "units": 1, "stored_value": 4,
    }  # fmt: skip


def test_a_refund_divides_between_money_units_and_cards(club: Program, member: Membership) -> None:
    card = issue(club, "50")
    commit(reserve(cart(member, (card, "10"), units=500)))
    record(order("A1", "20", at=SOON), now=SOON)
    earned = spendable(at=SOON) - 500
    give_back(refund("R1", "5", of="A1", at=day(1)))
    back = given_back(Order.objects.get().refunds.get())
    assert back.money == Decimal("1.25")
    assert [(part.wallet_type.code, part.units) for part in back.units] == [
        ("points", 125), ("credit", 250),
    ]  # fmt: skip
    assert left(card) == "42.50"
    give_back(refund("R2", "15", of="A1", at=day(2)))
    assert (left(card), spendable(at=day(2))) == ("50.00", 1000)
    assert earned > 0


def test_of_a_card_that_was_replaced_it_comes_back_to_the_new_one(
    club: Program, member: Membership
) -> None:
    card = issue(club, "50")
    found = reserve(cart(member, (card, "10")))
    other, _replayed = replace_gift_card(
        card=card, reason="lost", key="x", source="api", actor=SYSTEM, now=SOON
    )
    cancel(found, at=SOON)
    assert left(other) == "50.00"


def test_given_up_or_run_out_all_is_on_it_again(club: Program, member: Membership) -> None:
    card = issue(club, "50")
    found = reserve(cart(member, (card, None), units=100))
    for _time in range(2):
        cancel(found, at=SOON)
    assert (left(card), spendable(at=SOON)) == ("50.00", 1000)
    reserve(cart(member, (card, None), at=SOON), at=SOON)
    assert left(card) == "30.00"
    late = SOON + dt.timedelta(minutes=31)
    assert [end_timeouts(late) for _time in range(2)] == [1, 0]
    assert left(card, late) == "50.00"


def test_a_paid_cart_whose_order_never_came_is_given_up_and_one_that_came_is_not(
    club: Program, member: Membership
) -> None:
    card = issue(club, "50")
    found = reserve(cart(member, (card, "20")))
    commit(found)
    cancel(found, at=SOON)
    assert (left(card), UnitTender.objects.count()) == ("50.00", 0)
    again = reserve(cart(member, (card, "20"), at=SOON), at=SOON)
    commit(again, at=SOON)
    record(order("A1", "20", at=SOON), now=SOON)
    with pytest.raises(OrderConflictError), transaction.atomic():
        cancel(again, at=LATER)


def test_a_canceled_order_puts_it_back_on_the_card(club: Program, member: Membership) -> None:
    card = issue(club, "50")
    commit(reserve(cart(member, (card, "20"))))
    record(order("A1", "20", at=SOON), now=SOON)
    record(order("A1", "20", at=SOON, status="cancelled"), now=LATER)
    while deliver_waiting():
        pass
    assert (left(card), Checkout.objects.get().status) == ("50.00", "cancelled")
    assert Transfer.objects.filter(kind="reversal").count() == 1


def test_what_a_cart_holds_does_not_come_back_by_hand_nor_with_its_card(
    club: Program, member: Membership
) -> None:
    card = issue(club, "50")
    reserve(cart(member, (card, "10")))
    spent = Transfer.objects.get(kind="redemption", wallet__account=card.account_id)
    with pytest.raises(NotReversibleError):
        reverse_redemption(transfer=spent, key="b", source="api", actor=SYSTEM, now=NOW)
    with pytest.raises(GiftCardRefusedError) as refused, transaction.atomic():
        cancel_gift_card(card=card, reason="no", source="api", actor=SYSTEM, now=NOW)
    assert refused.value.code == "gift_card_spent"


def test_who_has_held_a_card_knows_its_code_and_it_is_forgotten(
    club: Program, member: Membership
) -> None:
    card = issue(club, "50")
    code = code_of(card)
    reserve(cart(member, (find_gift_card(code), "10")))
    card.refresh_from_db()
    assert (code_of(card), find_gift_card(code).pk) == ("", card.pk)


def test_before_it_a_quote_says_what_is_on_each_and_what_fits(
    club: Program, member: Membership
) -> None:
    first, second, blocked = issue(club, "8"), issue(club, "50", "g2"), issue(club, "5", "g3")
    block_gift_card(card=blocked, reason="lost", actor=SYSTEM, now=NOW)
    blocked.refresh_from_db()
    found = quote_cart(
        basket("20"), member, now=NOW, cards=[first, blocked, second, issue(club, "5", "g4")]
    )
    assert [
        (f"{fit.balance:f}", f"{fit.amount:f}", [refusal.code for refusal in fit.refusals])
        for fit in found.cards
    ] == [
        ("8.00", "8.00", []), ("5.00", "0", ["gift_card_blocked"]), ("50.00", "12.00", []),
        ("5.00", "0", ["above_total"]),
    ]  # fmt: skip
    assert left(first) == "8.00"


def test_the_database_lets_cards_pay_no_more_than_units_leave(
    club: Program, member: Membership
) -> None:
    card = issue(club, "50")
    found = reserve(cart(member, (card, "10"), units=500))
    with pytest.raises(IntegrityError), transaction.atomic():
        Checkout.objects.filter(pk=found.pk).update(paid_gift_cards="15.01")
    row = CheckoutGiftCard.objects.get()
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


@pytest.mark.django_db(transaction=True)
def test_of_many_carts_with_one_card_as_many_are_kept_as_it_pays(
    club: Program, member: Membership
) -> None:
    card = issue(club, "50")
    people = [member, *(make_member(0, f"c{number}", club) for number in range(2, 6))]
    found = at_once(
        lambda number: reserve(cart(people[number % 5], (card, "15"), name=f"C{number}"))
    )
    assert found == {"done": 3, "insufficient_balance": TRIES - 3}
    assert left(card) == "5.00"
    assert at_once(lambda _number: end_timeouts(LATER), 4) == {"done": 4}
    assert left(card, LATER) == "50.00"
    assert Wallet.objects.get(account=card.account_id).balance == 5000
