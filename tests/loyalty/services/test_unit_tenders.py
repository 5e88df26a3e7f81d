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
from loyalty.models import Order, Tender, UnitTender
from loyalty.services.order_inputs import OrderInput
from loyalty.services.tender_inputs import TenderInput
from tests.loyalty.factories import (
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
)

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
