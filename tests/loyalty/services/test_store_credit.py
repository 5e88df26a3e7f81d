"""A member's own credit: money that the merchant owes them, beside what they earn."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from loyalty.errors import LedgerError, StoredValueError
from loyalty.ledger.balances import holdings
from loyalty.ledger.checks import verify_ledger
from loyalty.ledger.reports import totals
from loyalty.models import Order, Transfer, Wallet
from loyalty.selectors.journal import read_journal
from loyalty.selectors.liability import get_liability
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from loyalty.services.redemptions import redeem_units
from loyalty.services.store_credit import credit_of, refund_order_to_credit
from loyalty.services.totals import rebuild_days
from members.services.audit import SYSTEM
from rewards.services.gift_card_money import move_to_credit, top_up_gift_card
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    define,
    give_back,
    make_program,
    order,
    record,
    refund,
    tender,
)
from tests.rewards.cards import CREDIT, issue, left, money_program, pay
from tests.rewards.cards import give_back as back_to_card
from tests.rewards.factories import make_member

pytestmark = pytest.mark.django_db
HOW = {"source": "api", "actor": SYSTEM, "now": NOW}


@pytest.fixture(autouse=True)
def _coherent():
    yield
    assert verify_ledger(day(400)) == []


@pytest.fixture
def member():
    return make_member(0, program=money_program())


def to_credit(member, amount, key="r1", number="A1"):
    return refund_order_to_credit(
        membership=member, order=Order.objects.get(external_id=number), amount=Decimal(amount),
        key=key, **HOW,
    )  # fmt: skip


def test_an_order_is_refunded_as_credit_once_for_a_key(member):
    record(order(total="50"))
    to_credit(member, "20")
    _transfer, replayed = to_credit(member, "20")
    assert (credit_of(member).balance, replayed) == (2000, True)


def test_an_order_gives_no_more_credit_than_it_came_to(member):
    record(order(total="50"))
    to_credit(member, "30")
    with pytest.raises(StoredValueError) as refused:
        to_credit(member, "20.01", "r2")
    assert (refused.value.code, refused.value.errors[0].field) == ("credit_refused", "amount")
    to_credit(member, "20", "r3")
    assert credit_of(member).balance == 5000


@pytest.mark.parametrize("refunded", [False, True])
def test_what_comes_back_to_a_gift_card_is_not_given_as_credit_too(member, refunded):
    card = issue(member.program, "100")
    record(order(total="50", tenders=[tender("stored_value", "30"), tender("money", "20")]))
    pay(card, "30", order=Order.objects.get())
    if refunded:
        give_back(refund(total="50", of="A1"))
        assert left(card) == "100.00"
    with pytest.raises(StoredValueError) as refused:
        to_credit(member, "20.01")
    assert refused.value.errors[0].field == "amount"
    to_credit(member, "20", "r2")
    assert credit_of(member).balance == 2000


def test_what_came_back_by_hand_is_not_given_as_credit_too(member):
    card = issue(member.program, "100")
    record(order(total="50"))
    pay(card, "50", order=Order.objects.get())
    back_to_card(card)
    with pytest.raises(StoredValueError):
        to_credit(member, "1")


def test_paying_in_keeps_all_that_is_there_where_it_expires_by_inactivity():
    expiry = {"kind": "inactivity", "length": 12}
    program = make_program(wallet_types=[{}, {**CREDIT, "expiry": expiry}])
    card = issue(program, "100")
    top_up_gift_card(
        card=card, amount=Decimal(50), key="t", source="api", actor=SYSTEM, now=day(360)
    )
    assert left(card, day(700)) == "150.00"
    assert left(card, day(740)) == "0.00"


def test_what_a_card_brings_to_credit_that_had_expired_is_there():
    expiry = {"kind": "inactivity", "length": 12}
    program = make_program(wallet_types=[{}, {**CREDIT, "expiry": expiry}])
    member = make_member(0, program=program)
    adjust(credit_of(member), 500, "start")
    card = issue(program, "100", at=day(390))
    move_to_credit(card=card, membership=member, key="m", source="api", actor=SYSTEM, now=day(400))
    wallet = credit_of(member)
    assert holdings([wallet], day(400))[wallet.pk].spendable == 10_000
    assert holdings([wallet], day(760))[wallet.pk].spendable == 10_000


def test_an_order_of_somebody_else_is_refused(member):
    record(order("B1", "50", buyer="c2"))
    with pytest.raises(StoredValueError) as refused:
        to_credit(member, "10", number="B1")
    assert refused.value.errors[0].field == "order"


def test_credit_pays_and_comes_back_with_the_order(member):
    adjust(credit_of(member), 5000, "start")
    record(order(total="40", tenders=[tender("stored_value", "30"), tender("money", "10")]))
    redeem_units(wallet=credit_of(member), units=3000, key="p1", order=Order.objects.get(), **HOW)
    assert credit_of(member).balance == 2000
    give_back(refund(total="20", of="A1", at=day(1)))
    assert credit_of(member).balance == 3500


def test_paying_with_it_earns_and_buying_it_does_not(member):
    record(order("A1", "40", tenders=[tender("stored_value", "40")]))
    points = Wallet.objects.get(account=member.account_id, wallet_type__code="points")
    assert points.balance == 40
    assert not Transfer.objects.filter(wallet_type__stored_value=True, kind="accrual").exists()


def test_a_program_file_says_it_and_reads_back_unchanged(member):
    definition = definition_of(member.program, NOW)
    kind = definition.wallet_types[1]
    assert (kind.stored_value, kind.unit_value, kind.expiry.kind) == (True, 1, "never")
    assert apply_definition(definition, actor=SYSTEM, now=NOW).changes == []


@pytest.mark.parametrize(
    "changes",
    [
        {"wallet_types": [CREDIT, {}]},
        {"wallet_types": [{}, CREDIT, {**CREDIT, "code": "more"}]},
        {"wallet_types": [{}, {**CREDIT, "decimals": 0}]},
        {"wallet_types": [{}, {**CREDIT, "unit_value": 2}]},
        {"wallet_types": [{}, {**CREDIT, "pending_days": 3}]},
        {"wallet_types": [{}, {**CREDIT, "gifts": {"to_members": True}}]},
        {"wallet_types": [{}, CREDIT], "earning_rules": [{"wallet_type": "credit"}]},
    ],
)
def test_stored_value_is_money_that_nothing_awards(changes):
    with pytest.raises(ValidationError):
        define(**changes)


def test_what_is_earned_does_not_become_stored_value():
    program = make_program(wallet_types=[{}, {**CREDIT, "stored_value": False}])
    changed = define(wallet_types=[{}, CREDIT])
    with pytest.raises(Exception, match="does not become stored value"):
        apply_definition(changed, actor=SYSTEM, now=NOW)
    assert program.wallet_types.filter(stored_value=True).count() == 0


def test_money_and_units_tie_out(member):
    """What is owed on cards and as credit stands on an account of its own in the journal."""
    program = member.program
    card = issue(program, "100")
    pay(card, "30")
    adjust(credit_of(member), 500, "sorry")
    record(order(total="50"))
    to_credit(member, "20")
    rebuild_days({item.pk: [NOW.date()] for item in program.wallet_types.all()})
    credit = program.wallet_types.get(stored_value=True)
    journal = read_journal(credit, NOW.date(), NOW.date())
    closing = {item.account.role: item.closing_worth for item in journal.balances}
    assert closing == {
        "stored_value": Decimal("-95.00"), "stored_value_sold": Decimal("100.00"),
        "stored_value_spent": Decimal("-30.00"), "stored_value_refunded": Decimal("20.00"),
        "adjusted": Decimal("5.00"),
    }  # fmt: skip
    assert (sum(closing.values()), journal.members.account.code) == (0, "2330")
    assert get_liability(credit, NOW.date()).worth == Decimal("95.00")
    figures = totals(program, NOW)["credit"]
    assert figures.deposited + figures.adjusted - figures.redeemed == figures.outstanding == 9500
    points = read_journal(program.wallet_types.get(code="points"), NOW.date(), NOW.date())
    assert points.members.account.role == "members"


def test_an_amount_with_too_many_decimals_is_refused(member):
    record(order(total="50"))
    with pytest.raises(LedgerError):
        to_credit(member, "0.005")
