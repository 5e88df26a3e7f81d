"""Orders that are paid partly with units: spent with the order, once, and back as it comes back."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from loyalty.errors import (
    InsufficientBalanceError,
    InvalidOrderError,
    OrderConflictError,
    SpendingRefusedError,
)
from loyalty.models import Order, Program, Refund, Tender, UnitTender
from loyalty.selectors.given_back import given_back, paid_in_units
from loyalty.services.order_inputs import OrderInput
from loyalty.services.program_pauses import pause_program
from loyalty.services.store_credit import credit_of
from loyalty.services.tender_inputs import TenderInput
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    give_back,
    make_program,
    make_wallet,
    moves,
    order,
    record,
    refund,
    spendable,
    tender,
    wallet_of,
)
from tests.rewards.cards import CREDIT, money_program
from tests.rewards.factories import make_member

pytestmark = pytest.mark.usefixtures("coherent_ledger")


def holder(units: int = 1000, **unit: Any) -> Any:
    wallet = make_wallet(make_program(unit={"unit_value": "0.01"} | unit))
    adjust(wallet, units, "start")
    return wallet


def paid(number: str = "A1", total: str = "10", units: int = 250, **details: Any) -> OrderInput:
    """An order of which so many points, a cent each, pay a part."""
    worth = (Decimal(units) / 100).quantize(Decimal("0.01"))
    with_units = TenderInput("units", worth, Decimal(units), "points")
    rest = Decimal(total) - worth
    tenders = ((TenderInput("money", rest),) if rest else ()) + (with_units,)
    return order(number, total, tenders=tenders, **details)


def test_an_order_is_paid_with_units_and_the_rest_of_it_earns() -> None:
    holder()
    [result] = record(paid())
    assert result.outcome == "created"
    assert moves()[1:] == [("redemption", -250), ("accrual", 7)]
    found = Order.objects.get()
    assert {item.kind: item.amount for item in found.tenders.all()} == {
        "units": Decimal("2.5"), "money": Decimal("7.5"),
    }  # fmt: skip
    row = UnitTender.objects.get()
    assert (row.order, row.amount, row.transfer.amount) == (found, Decimal("2.5"), 250)


def test_an_order_told_again_spends_nothing_more_however_it_has_gone_on() -> None:
    holder()
    for status in ("placed", "placed", "paid", "completed"):
        record(paid(status=status), now=day(1))
    assert spendable(at=day(1)) == 1000 - 250 + 7
    assert UnitTender.objects.count() == 1


def test_a_message_that_leaves_out_the_tenders_keeps_what_units_paid() -> None:
    holder()
    record(paid(status="placed"))
    record(order("A1", "10", status="completed"), now=day(1))
    assert {item.kind: item.amount for item in Tender.objects.all()} == {
        "units": Decimal("2.5"), "money": Decimal("7.5"),
    }  # fmt: skip
    assert spendable(at=day(1)) == 1000 - 250 + 7


def test_units_may_be_told_later_than_the_order() -> None:
    holder()
    record(order("A1", "10", status="placed"))
    assert moves()[-1] == ("accrual", 10)
    record(paid(status="paid"), now=day(1))
    assert spendable(at=day(1)) == 1000 - 250 + 7


def test_other_units_for_the_same_order_are_refused() -> None:
    holder()
    record(paid())
    with pytest.raises(OrderConflictError), transaction.atomic():
        record(paid(units=300), now=day(1))
    assert spendable() == 757


def test_units_that_are_only_told_spend_nothing() -> None:
    holder()
    record(order("A1", "10", tenders=(tender("money", "7.5"), tender("units", "2.5"))))
    assert moves()[1:] == [("accrual", 7)]
    assert not UnitTender.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_order_that_its_buyer_cannot_pay_for_is_not_recorded() -> None:
    holder(200)
    with pytest.raises(InsufficientBalanceError) as refused:
        record(paid())
    assert str(refused.value).replace("\N{NO-BREAK SPACE}", " ") == "Only 200 points can be spent."
    assert not Order.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_order_does_not_pay_for_itself() -> None:
    holder(0 + 1)
    with pytest.raises(InsufficientBalanceError):
        record(paid("A1", "1000", units=900))


def test_one_order_of_a_batch_pays_with_what_the_one_before_brought() -> None:
    holder(1)
    record(order("A1", "300"), paid("A2", units=250, at=day(1)), now=day(1))
    assert spendable(at=day(1)) == 1 + 300 - 250 + 7


@pytest.mark.parametrize(
    ("tenders", "code"),
    [
        ([TenderInput("money", Decimal("7.00")), TenderInput("units", Decimal(3), Decimal(250),
                                                              "points")], "tender_worth"),
        ([TenderInput("money", Decimal("7.5")), TenderInput("units", Decimal("2.5"), Decimal(250),
                                                             "stars")], "not_found"),
        ([TenderInput("money", Decimal("7.5")), TenderInput("units", Decimal("2.5"),
                                                             Decimal("250.5"), "points")],
         "too_fine"),
        ([TenderInput("units", Decimal(5), Decimal(500), "points"),
          TenderInput("units", Decimal(5), Decimal(500), "points")], "duplicate"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_field(tenders: Any, code: str) -> None:
    holder()
    with pytest.raises(InvalidOrderError) as refused, transaction.atomic():
        record(order("A1", "10", tenders=tuple(tenders)))
    assert [(wrong.field, wrong.code) for wrong in refused.value.errors] == [("tenders", code)]


def test_the_terms_of_use_hold_for_the_order() -> None:
    holder(spending={"least": 100, "step": 50, "share": 30})
    with pytest.raises(SpendingRefusedError) as refused, transaction.atomic():
        record(paid(units=350))
    assert [wrong.code for wrong in refused.value.errors] == ["above_share"]
    record(paid(units=300))
    assert spendable() == 1000 - 300 + 7


def test_units_without_worth_pay_for_nothing() -> None:
    holder(unit_value="0")
    with pytest.raises(InvalidOrderError), transaction.atomic():
        record(paid())


def test_units_of_less_than_a_coin_pay_in_whole_coins() -> None:
    holder(unit_value="0.003")
    units = TenderInput("units", Decimal("0.75"), Decimal(252), "points")
    record(order("A1", "10", tenders=(TenderInput("money", Decimal("9.25")), units)))
    assert UnitTender.objects.get().amount == Decimal("0.75")


def test_a_canceled_order_gives_all_back_and_taken_up_again_it_is_paid_again() -> None:
    holder()
    record(paid(status="placed"))
    record(paid(status="cancelled"), now=day(1))
    assert spendable(at=day(1)) == 1000
    record(paid(status="cancelled"), now=day(1))
    record(paid(status="completed"), now=day(2))
    assert spendable(at=day(2)) == 1000 - 250 + 7
    record(paid(status="cancelled"), now=day(3))
    assert spendable(at=day(3)) == 1000


def test_partial_refunds_give_back_in_proportion_and_the_last_one_the_rest() -> None:
    holder()
    record(paid(total="10", units=333))
    back = []
    for number, part in enumerate(("3.33", "3.33", "3.34"), start=1):
        give_back(refund(f"R{number}", part, of="A1", at=day(number)))
        back.append([units for kind, units in moves() if kind == "reversal"])
    assert back == [[110], [110, 111], [110, 111, 112]]
    assert spendable(at=day(3)) == 1000


def test_refunds_give_back_in_steps() -> None:
    """Pain 16: units are used in steps, and come back in them."""
    holder(spending={"step": 100})
    record(paid(units=300))
    back = []
    for number, part in enumerate(("2.00", "3.00", "4.99", "0.01"), start=1):
        give_back(refund(f"R{number}", part, of="A1", at=day(number)))
        back.append(sum(units for kind, units in moves() if kind == "reversal"))
    assert back == [0, 100, 200, 300]


def test_what_is_kept_of_an_order_earns_on_what_money_paid_of_it() -> None:
    holder()
    record(paid(total="10", units=500))
    assert moves()[-1] == ("accrual", 5)
    give_back(refund("R1", "4", of="A1", at=day(1)))
    assert spendable(at=day(1)) == 1000 - 500 + 200 + 3


def test_a_message_that_is_outdated_spends_nothing() -> None:
    holder()
    record(replace(order("A1", "10"), sequence=5))
    record(replace(paid(), sequence=4), now=day(1))
    assert spendable(at=day(1)) == 1010


# --- Told again ---------------------------------------------------------------------------------


def test_an_order_is_told_again_when_its_units_are_worth_something_else() -> None:
    holder()
    record(paid(status="placed"))
    make_program(unit={"unit_value": "0.02"})
    record(paid(status="completed"), now=day(1))
    assert Order.objects.get().status == "completed"
    assert UnitTender.objects.get().amount == Decimal("2.5")
    assert spendable(at=day(1)) == 1000 - 250 + 7


def test_what_they_paid_is_not_told_anew() -> None:
    holder()
    record(paid(status="placed"))
    make_program(unit={"unit_value": "0.02"})
    tenders = (TenderInput("money", Decimal(5)), TenderInput("units", Decimal(5), Decimal(250),
                                                             "points"))  # fmt: skip
    with pytest.raises(InvalidOrderError) as refused, transaction.atomic():
        record(order("A1", "10", status="completed", tenders=tenders), now=day(1))
    assert [wrong.code for wrong in refused.value.errors] == ["tender_worth"]


def test_an_order_is_told_again_when_its_program_was_archived() -> None:
    holder()
    record(paid(status="placed"))
    Program.objects.update(status=Program.Status.ARCHIVED)
    record(paid(status="completed"), now=day(1))
    assert Order.objects.get().status == "completed"
    assert moves() == [("adjustment", 1000), ("redemption", -250), ("accrual", 7)]


# --- Stored value ---------------------------------------------------------------------------------


def credit_holder(**program: Any) -> Any:
    """A member with $50 of credit."""
    member = make_member(0, program=money_program(**program))
    adjust(credit_of(member), 5000, "start")
    return member


def paid_with_credit(number: str = "A1", kind: str = "stored_value", **details: Any) -> OrderInput:
    """An order of $40, of which $30 of credit pay a part."""
    tenders = (TenderInput("money", Decimal(10)), TenderInput(kind, Decimal(30), Decimal(30),
                                                              "credit"))  # fmt: skip
    return order(number, "40", tenders=tenders, **details)


def told_tenders() -> dict[str, Decimal]:
    return {item.kind: item.amount for item in Tender.objects.all()}


def test_credit_that_pays_for_an_order_is_spent_with_it_and_earns() -> None:
    member = credit_holder()
    record(paid_with_credit(status="placed"))
    record(paid_with_credit(status="completed"), now=day(1))
    assert told_tenders() == {"money": 10, "stored_value": 30}
    assert credit_of(member).balance == 2000
    assert spendable() == 40
    record(paid_with_credit(status="cancelled"), now=day(2))
    assert (credit_of(member).balance, spendable(at=day(2))) == (5000, 0)


def test_credit_does_not_earn_where_the_rule_says_so() -> None:
    credit_holder(earning_rules=[{"base": {"paid_with_stored_value": False}}])
    record(paid_with_credit())
    assert spendable() == 10
    # What is kept was paid with it in the same proportion.
    give_back(refund("R1", "20", of="A1", at=day(1)))
    assert spendable(at=day(1)) == 5


@pytest.mark.parametrize(("wallet", "kind"), [("credit", "units"), ("points", "stored_value")])
def test_units_and_stored_value_are_told_as_what_they_are(wallet: str, kind: str) -> None:
    member = make_member(0, program=make_program(wallet_types=[{"unit_value": "1"}, CREDIT]))
    adjust(credit_of(member), 5000, "start")
    adjust(wallet_of(member.account_id), 100, "points")
    tenders = (TenderInput("money", Decimal(10)), TenderInput(kind, Decimal(30), Decimal(30),
                                                              wallet))  # fmt: skip
    with pytest.raises(InvalidOrderError) as refused, transaction.atomic():
        record(order("A1", "40", tenders=tenders))
    assert [(wrong.field, wrong.code) for wrong in refused.value.errors] == [
        ("tenders", "tender_kind")
    ]


def test_credit_pays_while_the_program_rests() -> None:
    member = credit_holder()
    pause_program(
        program=member.program, starts_at=NOW, ends_at=None, spending=False, note="", now=NOW,
        actor=SYSTEM,
    )  # fmt: skip
    record(paid_with_credit(at=day(1)), now=day(1))
    assert credit_of(member).balance == 2000


# --- Taken up again -------------------------------------------------------------------------------


def test_an_order_taken_up_again_gives_back_what_it_was_paid_with_once() -> None:
    holder()
    record(paid(status="placed"))
    record(paid(status="cancelled"), now=day(1))
    record(paid(status="completed"), now=day(2))
    found = Order.objects.get()
    [part] = paid_in_units([found.pk])[found.pk]
    assert (part.units, part.amount, part.returned) == (250, Decimal("2.5"), 0)
    give_back(refund("R1", "10", of="A1", at=day(3)))
    back = given_back(Refund.objects.get())
    assert (back.money, [item.units for item in back.units]) == (Decimal("7.5"), [250])
    # Also once all of the second payment is back.
    [part] = paid_in_units([found.pk])[found.pk]
    assert (part.units, part.returned) == (250, 250)
    assert spendable(at=day(3)) == 1000


def test_an_order_taken_up_again_without_its_units_was_paid_with_money() -> None:
    holder()
    record(paid(status="placed"))
    record(paid(status="cancelled"), now=day(1))
    record(order("A1", "10", status="completed"), now=day(2))
    assert told_tenders() == {}
    assert spendable(at=day(2)) == 1000 + 10
    give_back(refund("R1", "4", of="A1", at=day(3)))
    back = given_back(Refund.objects.get())
    assert (back.money, back.units) == (4, ())


def test_an_order_that_was_refunded_is_told_again_as_it_was_paid() -> None:
    holder()
    record(paid(status="placed"))
    give_back(refund("R1", "10", of="A1", at=day(1)))
    record(order("A1", "10", status="completed"), now=day(2))
    assert told_tenders() == {"money": Decimal("7.5"), "units": Decimal("2.5")}
    assert spendable(at=day(2)) == 1000
    assert given_back(Refund.objects.get()).money == Decimal("7.5")
