"""A gift card from its sale to its end, and what becomes of the money on it."""

from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.db.utils import DatabaseError, IntegrityError

from loyalty.errors import (
    InsufficientBalanceError,
    KeyReusedError,
    LedgerError,
    NotReversibleError,
    StoredValueError,
)
from loyalty.ledger.checks import verify_ledger
from loyalty.models import Account, EarningRule, Transfer, Wallet
from loyalty.services.gift_reversals import undo_movement
from members.errors import NotFoundError
from members.models import OutboxEvent
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from members.services.merging import merge_customers
from rewards.errors import GiftCardRefusedError, TooManyGuessesError
from rewards.models import GiftCard
from rewards.selectors.gift_cards import get_gift_card, gift_cards, in_state, state_of
from rewards.services.gift_card_money import move_to_credit, top_up_gift_card
from rewards.services.gift_cards import (
    GiftCardPeople,
    activate_gift_card,
    block_gift_card,
    cancel_gift_card,
    code_of,
    find_gift_card,
    forget_people,
    replace_gift_card,
    unblock_gift_card,
)
from tests.factories import CustomerFactory
from tests.loyalty.factories import NOW, day, make_program, make_wallet
from tests.rewards.cards import CREDIT, give_back, issue, left, money_program, pay
from tests.rewards.factories import make_member
from tests.sharing import of_each_test

pytestmark = pytest.mark.django_db
HOW = {"source": "api", "actor": SYSTEM, "now": NOW}


@pytest.fixture(autouse=True)
def _coherent():
    cache.clear()
    yield
    assert verify_ledger(day(400)) == []


_made_once, program = of_each_test(money_program)


def refusal(act):
    with pytest.raises(GiftCardRefusedError) as refused:
        act()
    return refused.value.code


def credit_left(member):
    wallet = Wallet.objects.get(account=member.account_id, wallet_type__stored_value=True)
    return wallet.balance


def test_a_card_is_issued_once_for_a_key(program):
    card, again = issue(program), issue(program)
    assert card == again
    assert (left(card), card.status, card.last_four) == (
        "100.00",
        "active",
        code_of(card)[-6:].replace("-", "")[-4:],
    )
    with pytest.raises(KeyReusedError):
        issue(program, "50")


def test_only_the_hash_of_its_code_is_kept(program):
    card = issue(program)
    code = code_of(card)
    assert find_gift_card(code.lower().replace("-", " ")) == card
    with connection.cursor() as cursor:
        cursor.execute("SELECT g::text FROM rewards_giftcard g")
        row = cursor.fetchone()[0]
    assert code.replace("-", "") not in row.replace("-", "")


def test_another_installation_key_still_finds_and_tells_it(program, settings):
    card = issue(program)
    code = code_of(card)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new one, since the old one may be known"
    assert find_gift_card(code) == card
    assert code_of(card) == code


def test_it_is_paid_with_up_to_what_is_on_it(program):
    card = issue(program)
    pay(card, "30.50")
    assert left(card) == "69.50"
    pay(card, "69.50", "t2")
    assert (left(card), state_of(card, 0, NOW)) == ("0.00", "used_up")


@pytest.mark.django_db(transaction=True)
def test_more_than_is_on_it_is_refused(program):
    card = issue(program)
    with pytest.raises(InsufficientBalanceError):
        pay(card, "100.01")
    assert left(card) == "100.00"


def test_the_same_checkout_pays_once(program):
    card = issue(program)
    assert pay(card, "30") == pay(card, "30")
    assert left(card) == "70.00"


@pytest.mark.django_db(transaction=True)
def test_the_same_checkout_with_another_amount_is_refused(program):
    card = issue(program)
    pay(card, "30")
    with pytest.raises(KeyReusedError):
        pay(card, "31")


@pytest.mark.parametrize("amount", ["0", "-1", "0.001"])
def test_an_amount_is_money(program, amount):
    card = issue(program)
    with pytest.raises(LedgerError) as refused:
        pay(card, amount)
    assert refused.value.errors[0].field == "amount"


def test_what_a_checkout_paid_comes_back_to_the_card(program):
    card = issue(program)
    pay(card, "30")
    give_back(card, amount="10", key="r1")
    give_back(card, amount="10", key="r1")
    assert left(card) == "80.00"
    give_back(card)
    give_back(card)
    assert left(card) == "100.00"
    with pytest.raises(NotFoundError):
        give_back(card, "t9")


def test_a_card_that_is_not_sold_yet_holds_nothing(program):
    card = issue(program, active=False)
    assert (left(card), refusal(lambda: pay(card, "1"))) == ("0.00", "gift_card_inactive")
    activate_gift_card(card=card, **HOW)
    activate_gift_card(card=card, **HOW)
    assert left(card) == "100.00"
    assert get_gift_card(card.public_id).status == "active"


def test_a_blocked_card_pays_nothing_until_it_is_let_go(program):
    card = issue(program)
    block_gift_card(card=card, reason="reported stolen", actor=SYSTEM, now=NOW)
    assert refusal(lambda: pay(card, "1")) == "gift_card_blocked"
    unblock_gift_card(card=card, reason="found", actor=SYSTEM, now=NOW)
    pay(card, "1")
    assert left(card) == "99.00"


def test_a_lost_card_is_replaced_and_its_money_stays(program):
    card = issue(program)
    old = code_of(card)
    pay(card, "40")
    other, _replayed = replace_gift_card(card=card, reason="lost", key="x1", **HOW)
    again, replayed = replace_gift_card(card=card, reason="lost", key="x1", **HOW)
    assert (again.pk, replayed) == (other.pk, True)
    assert refusal(lambda: pay(find_gift_card(old), "1", "t2")) == "gift_card_replaced"
    assert left(other) == "60.00"
    # A purchase that was paid with the old one is refunded to the new one.
    give_back(find_gift_card(old))
    assert left(other) == "100.00"
    pay(find_gift_card(code_of(other)), "5", "t3")
    assert left(other) == "95.00"


def test_a_sale_is_canceled_while_nothing_was_spent(program):
    card = issue(program)
    top_up_gift_card(card=card, amount=Decimal(20), key="u1", **HOW)
    cancel_gift_card(card=card, reason="returned", **HOW)
    cancel_gift_card(card=card, reason="returned", **HOW)
    assert (left(card), get_gift_card(card.public_id).status) == ("0.00", "cancelled")


def test_a_sale_is_not_canceled_once_something_was_spent(program):
    card = issue(program)
    pay(card, "1")
    assert refusal(lambda: cancel_gift_card(card=card, reason="", **HOW)) == "gift_card_spent"
    assert left(card) == "99.00"


def test_it_is_topped_up_once_for_a_key(program):
    card = issue(program, "10")
    top_up_gift_card(card=card, amount=Decimal(5), key="u1", **HOW)
    top_up_gift_card(card=card, amount=Decimal(5), key="u1", **HOW)
    assert left(card) == "15.00"


def test_a_member_moves_it_to_their_own_credit(program):
    member = make_member(0, program=program)
    card = issue(program)
    pay(card, "30")
    move_to_credit(card=card, membership=member, key="m1", **HOW)
    move_to_credit(card=card, membership=member, key="m1", **HOW)
    assert (left(card), credit_left(member)) == ("0.00", 7000)
    assert refusal(lambda: move_to_credit(card=card, membership=member, key="m2", **HOW)) == (
        "gift_card_empty"
    )


def test_it_is_not_moved_into_another_program(program):
    other = make_member(0, program=money_program("other"))
    card = issue(program)
    code = refusal(lambda: move_to_credit(card=card, membership=other, key="m1", **HOW))
    assert code == "gift_card_elsewhere"


def test_what_was_added_from_a_card_is_not_undone_like_a_gift(program):
    member = make_member(0, program=program)
    move_to_credit(card=issue(program), membership=member, key="m1", **HOW)
    for leg in Transfer.objects.filter(kind="gift"):
        with pytest.raises(NotReversibleError):
            undo_movement(transfer=leg, actor=SYSTEM, source="api", now=NOW)
    assert credit_left(member) == 10_000


def test_a_refund_after_it_was_moved_comes_back_to_the_card(program):
    member = make_member(0, program=program)
    card = issue(program)
    pay(card, "30")
    move_to_credit(card=card, membership=member, key="m1", **HOW)
    give_back(card)
    assert (left(card), credit_left(member)) == ("30.00", 7000)


def test_a_duplicate_s_cards_and_credit_come_to_who_is_kept(program):
    kept, other = make_member(0, "c1", program), make_member(0, "c2", program)
    card = issue(program, people=GiftCardPeople(buyer=other.customer))
    move_to_credit(card=issue(program, "20", "g2"), membership=other, key="m1", **HOW)
    merge_customers(kept=kept.customer, merged=other.customer, actor=SYSTEM, source="api", now=NOW)
    assert (GiftCard.objects.get(pk=card.pk).buyer, credit_left(kept)) == (kept.customer, 2000)
    # A card that the duplicate adds now is the kept one's.
    move_to_credit(card=card, membership=other, key="m2", **HOW)
    assert credit_left(kept) == 12_000


def test_whoever_tries_out_codes_is_stopped(program):
    card = issue(program)
    shopper = ("shopper", 3)
    for number in range(3):
        with pytest.raises(NotFoundError):
            find_gift_card(f"2222-2222-222{number + 2}-2", shopper)
    with pytest.raises(TooManyGuessesError):
        find_gift_card(code_of(card), shopper)
    assert find_gift_card(code_of(card), ("somebody else", 3)) == card


def test_right_codes_are_not_counted(program):
    card = issue(program)
    for _time in range(5):
        assert find_gift_card(code_of(card), ("shopper", 3)) == card


def test_its_code_is_forgotten_once_it_was_used(program):
    card = issue(program)
    assert code_of(card)
    pay(card, "1")
    assert code_of(get_gift_card(card.public_id)) == ""


def test_a_mail_brings_it_and_names_are_erased_when_asked(program):
    people = GiftCardPeople(None, "Ann", "ann@example.com", "Happy birthday", "Ben")
    card = issue(program, people=people)
    mail = OutboxEvent.objects.get(kind="mail.queued").payload
    assert mail["to"] == "ann@example.com"
    assert code_of(card) in mail["text"]
    forget_people(card=card, actor=SYSTEM)
    found = GiftCard.objects.get(pk=card.pk)
    assert (found.recipient_name, found.recipient_email, found.message, found.sender_name) == (
        "", "", "", "",
    )  # fmt: skip


def test_who_bought_it_is_erased_with_what_they_wrote_and_it_stays_with_whom_it_is_for(program):
    ben, other = CustomerFactory(), CustomerFactory()
    cards = [
        issue(program, key=buyer.public_id.hex, people=GiftCardPeople(
            buyer, "Ann", "ann@example.com", "Love, your Ben", "Ben Berg"
        ))
        for buyer in (ben, other)
    ]  # fmt: skip
    erase_customer_details(customer=ben, actor=SYSTEM)
    found, kept = (GiftCard.objects.get(pk=card.pk) for card in cards)
    assert (found.sender_name, found.message, found.recipient_name) == ("", "", "Ann")
    assert (found.buyer, left(found)) == (ben, "100.00")
    assert (kept.sender_name, kept.message) == ("Ben Berg", "Love, your Ben")


def test_it_never_expires_unless_the_program_says_so():
    card = issue(money_program())
    assert left(card, day(20 * 366)) == "100.00"
    ends = {**CREDIT, "expiry": {"kind": "years", "length": 3}}
    other = issue(make_program("ends", wallet_types=[{}, ends]), key="g2")
    assert left(other, day(3 * 365)) == "100.00"
    assert left(other, day(3 * 366 + 2)) == "0.00"
    assert state_of(other, 0, day(3 * 366 + 2)) == "expired"


def test_a_program_without_stored_value_has_no_cards():
    with pytest.raises(StoredValueError):
        issue(make_program())


def test_cards_are_found_by_their_state(program):
    used, fresh, blocked = (issue(program, key=f"g{number}") for number in range(3))
    pay(used, "100")
    block_gift_card(card=blocked, reason="stolen", actor=SYSTEM, now=NOW)
    states = {
        state: list(in_state(gift_cards(), state))
        for state in ("active", "used_up", "blocked", "expired")
    }
    assert states == {"active": [fresh], "used_up": [used], "blocked": [blocked], "expired": []}


def test_no_rule_awards_stored_value(program):
    credit = program.wallet_types.get(stored_value=True)
    with pytest.raises(DatabaseError, match="no rule awards it"), transaction.atomic():
        EarningRule.objects.create(program=program, wallet_type=credit, code="free", name="Free")


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "active"},
        {"status": "blocked"},
        {"amount": 0},
        {"last_four": "12"},
    ],
)
def test_the_database_keeps_a_card_in_shape(program, changes):
    card = issue(program, active=False)
    with pytest.raises(DatabaseError), transaction.atomic():
        GiftCard.objects.filter(pk=card.pk).update(**changes)


def test_a_bearer_has_an_account_of_their_own(program):
    card = issue(program)
    assert card.account.kind == Account.Kind.BEARER
    with pytest.raises(IntegrityError), transaction.atomic():
        GiftCard.objects.create(
            program=program, account=card.account, status="inactive", code_hash=b"x" * 32,
            last_four="ABCD", amount=1, key="k", source="api", created_at=NOW,
        )  # fmt: skip


def test_a_program_that_ended_still_honors_its_cards():
    made = money_program(
        ending={
            "announced_on": "2024-03-16", "last_earning_day": "2024-03-20",
            "last_spending_day": "2024-03-31",
        }
    )  # fmt: skip
    wallet = make_wallet(made)
    card = issue(made)
    pay(card, "30", at=day(60))
    assert (left(card, day(60)), wallet.wallet_type.stored_value) == ("70.00", False)
