"""Refunds: linked, parked until their order comes, or belonging to none."""

from decimal import Decimal

import pytest

from loyalty.errors import InvalidOrderError, OrderConflictError
from loyalty.models import Membership, Order, Refund, Transfer
from members.models import Customer
from tests.loyalty.factories import (
    day,
    give_back,
    held,
    line,
    make_program,
    make_wallet,
    moves,
    order,
    record,
    refund,
    returned,
    spendable,
)


def test_a_repeated_refund_takes_back_once(program):
    record(order())
    first = give_back(refund(of="A1", total="4"))
    again = give_back(refund(of="A1", total="4.00"))
    assert [first[0].outcome, again[0].outcome] == ["created", "unchanged"]
    assert spendable() == 6


def test_a_refund_number_with_other_content_is_a_conflict(program):
    record(order())
    give_back(refund(of="A1", total="4"))
    with pytest.raises(OrderConflictError) as refused:
        give_back(refund(of="A1", total="5"))
    assert refused.value.errors[0].field == "external_id"


def test_a_refund_that_comes_first_waits_for_its_order(program):
    (result,) = give_back(refund(of="A1", total="4", at=day(1)))
    assert result.parked
    assert not Membership.objects.exists()
    record(order(), now=day(2))
    assert moves() == [("accrual", 10), ("clawback", -4)]
    assert Refund.objects.get().customer == Customer.objects.get()
    assert not give_back(refund(of="A1", total="4", at=day(1)))[0].parked


def test_several_parked_refunds_are_all_found(program):
    give_back(refund("R1", "4", of="A1"), refund("R2", "5", of="A1"), refund("R3", "9", of="A2"))
    record(order("A1"), order("A2"))
    assert spendable() == 2


def test_refunds_that_come_together_each_take_back_their_own_on_their_day(program):
    record(order(total="100"))
    give_back(
        refund("R2", "20", of="A1", at=day(5)), refund("R1", "30", of="A1", at=day(2)), now=day(6)
    )
    found = Transfer.objects.filter(kind="clawback").order_by("pk")
    assert [(t.refund.external_id, t.amount, t.occurred_at) for t in found] == [
        ("R1", 30, day(2)),
        ("R2", 20, day(5)),
    ]


def test_parked_refunds_of_an_order_completed_again_leave_what_is_right(program):
    record(order(status="cancelled"))
    give_back(refund("R1", "2", of="A1"), refund("R2", "3", of="A1"))
    record(order(), now=day(1))
    assert spendable(at=day(1)) == 5


@pytest.mark.parametrize(
    "wrong", [{"currency": "EUR"}, {"buyer": "c2"}], ids=["another currency", "another customer"]
)
def test_a_parked_refund_that_does_not_fit_the_order_stays_parked(program, wrong):
    give_back(refund(of="A1", total="4", **wrong))
    record(order())
    assert spendable() == 10
    assert Refund.objects.get().is_parked


@pytest.mark.parametrize(
    ("wrong", "field"), [({"currency": "EUR"}, "currency"), ({"buyer": "c2"}, "customer")]
)
def test_a_refund_that_does_not_fit_its_order_is_refused(program, wrong, field):
    record(order(), order("B1", buyer="c2"))
    with pytest.raises(InvalidOrderError) as refused:
        give_back(refund(of="A1", total="4", **wrong))
    assert [error.field for error in refused.value.errors] == [field]


@pytest.mark.parametrize(
    ("details", "field"),
    [
        ({"total": "-1"}, "total"),
        ({"total": "5", "lines": (returned(1, "4"),)}, "total"),
    ],
)
def test_a_refund_that_contradicts_itself_is_refused(program, details, field):
    with pytest.raises(InvalidOrderError) as refused:
        give_back(refund(of="A1", **details))
    assert field in [error.field for error in refused.value.errors]


def test_a_refund_of_prices_before_tax_may_give_its_total_with_or_without_the_tax(program):
    before_tax = {"tax_total": Decimal(8), "taxes_included": False}
    record(order("A1", "108", lines=(line(1, "100"),), **before_tax))
    half = {"lines": (returned(1, "25", order_line_no=1),), "tax_total": Decimal(2)}
    give_back(refund("R1", "27", of="A1", **half), refund("R2", "25", of="A1", **half))
    assert spendable() == 50


def test_a_return_without_its_order_takes_back_what_it_would_earn(program):
    record(order(total="30"))
    give_back(refund(total="12.50", buyer="c1", at=day(1)))
    assert moves() == [("accrual", 30), ("clawback", -12)]
    give_back(refund(total="12.50", buyer="c1", at=day(1)))
    assert spendable(at=day(1)) == 18


def test_a_return_without_its_order_may_leave_a_debt_that_is_seen(program):
    record(order(total="5"))
    give_back(refund(total="12", buyer="c1", at=day(1)))
    assert (held(at=day(1)).balance, held(at=day(1)).owed) == (0, 7)


def test_a_return_without_its_order_is_judged_by_what_came_back(db):
    make_program(earning_rules=[{"exclude": {"categories": ["fuel"]}}])
    record(order(total="50"))
    lines = (returned(1, "10", category="fuel"), returned(2, "7", category="food"))
    give_back(refund(total="17", buyer="c1", lines=lines))
    assert spendable() == 43


def test_a_program_may_ignore_returns_without_their_order(db):
    make_program(unlinked_returns="ignore")
    record(order(total="30"))
    give_back(refund(total="12", buyer="c1"))
    assert spendable() == 30
    assert Refund.objects.count() == 1


def test_a_return_of_somebody_who_is_no_member_or_nobody_moves_nothing(program):
    give_back(refund("R1", buyer="c9"), refund("R2"))
    assert Refund.objects.count() == 2
    assert not Membership.objects.exists()


def test_a_refund_of_a_guest_order_counts_once_the_order_is_claimed(program):
    record(order(buyer=None))
    give_back(refund(of="A1", total="4"))
    record(order(), now=day(1))
    assert spendable(at=day(1)) == 6


def test_more_given_back_than_was_bought_leaves_nothing_earned_and_no_debt(program):
    record(order())
    give_back(refund("R1", "8", of="A1"), refund("R2", "8", of="A1"))
    assert (held().balance, held().owed) == (0, 0)


def test_a_refund_of_an_order_called_off_takes_nothing_more(program):
    record(order())
    record(order(status="cancelled"))
    give_back(refund(of="A1"))
    assert moves() == [("accrual", 10), ("clawback", -10)]
    record(order())
    assert spendable() == 0


def test_a_changed_order_is_judged_without_what_came_back(program):
    record(order(lines=(line(1, "10", sku="tea"),)))
    give_back(refund(of="A1", total="4", lines=(returned(1, "4", sku="tea"),)))
    record(order(total="20", lines=(line(1, "20", sku="tea"),)), now=day(1))
    assert spendable(at=day(1)) == 16


def test_each_program_takes_back_in_its_own_units(program):
    double = make_program("double", earning_rules=[{"units": 2}])
    record(order())
    give_back(refund(of="A1", total="4"))
    assert held(program=program).balance == 6
    assert held(program=double).balance == 12


def test_one_batch_of_refunds_is_like_one_by_one(program):
    wallet = make_wallet(program)
    record(order("A1", "10"), order("A2", "20"))
    batch = [
        refund("R1", "3", of="A1"), refund("R2", "4", of="A1"), refund("R3", "5", buyer="c1"),
        refund("R4", "6", of="A2"),
    ]  # fmt: skip
    give_back(*batch)
    assert spendable() == 12
    assert {result.outcome for result in give_back(*batch)} == {"unchanged"}
    assert Order.objects.count() == 2
    assert wallet.pk
