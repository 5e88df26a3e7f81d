"""What orders are rounded up by."""

from decimal import Decimal

import pytest
from django.db import transaction

from loyalty.errors import InvalidOrderError
from loyalty.models import Program
from loyalty.selectors.impact import impact_of_member
from loyalty.services.order_inputs import RoundUpInput
from tests.loyalty.factories import give_back, order, record, refund, spendable
from tests.loyalty.services.giving import club, lines, member


def rounded(amount: str, number: str = "A1", **said):
    up = RoundUpInput(Program.objects.first().code, said.pop("to", "trees"), Decimal(amount))
    return order(number, "9.50", round_up=up, **said)


def test_what_an_order_was_rounded_up_by_is_money_for_the_charity(db):
    club()
    ann = member(bought="")
    record(rounded("0.50", buyer="ann"))
    record(rounded("0.50", buyer="ann"))
    assert lines("round_up") == [(Decimal("0.5"), Decimal("0.1"))]
    assert impact_of_member(ann)[0].worth.money == Decimal("0.5")
    # Nothing of it is earned or owed in units.
    assert spendable("ann") == 9


def test_a_guest_rounds_up_too_and_another_amount_replaces_the_first(db):
    club()
    record(rounded("0.50", buyer=None))
    record(rounded("1.50", buyer=None))
    record(order("A1", "9.50", buyer=None))
    assert [money for money, _things in lines()] == [
        Decimal("0.5"), Decimal("-0.5"), Decimal("1.5"), Decimal("-1.5")
    ]  # fmt: skip


def test_a_canceled_order_takes_it_back_and_a_refund_does_not(db):
    club()
    member(bought="")
    record(rounded("0.50", buyer="ann"), rounded("0.50", "A2", buyer="ann"))
    record(rounded("0.50", buyer="ann", status="cancelled"))
    give_back(refund("R1", "9.50", of="A2"))
    assert sum(money for money, _things in lines()) == Decimal("0.5")


def test_an_order_for_an_unknown_charity_is_refused(db):
    club()
    with pytest.raises(InvalidOrderError) as refused, transaction.atomic():
        record(rounded("0.50", to="paws"))
    assert refused.value.errors[0].field == "round_up.charity"
