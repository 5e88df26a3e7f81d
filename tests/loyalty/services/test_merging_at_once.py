"""Merging while orders come in: real threads with connections of their own."""

import pytest

from loyalty.models import Membership, Order, Transfer, Wallet
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.merging import merge_customers, undo_merge
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    give_back,
    held,
    make_program,
    make_wallet,
    order,
    record,
    refund,
    spendable,
    wallet_of,
)
from tests.loyalty.ledger.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def merge():
    return merge_customers(
        kept=Customer.objects.get(external_id="c1"),
        merged=Customer.objects.get(external_id="c2"),
        actor=SYSTEM, source="api", now=NOW,
    )  # fmt: skip


def part(found) -> None:
    undo_merge(merge=found, actor=SYSTEM, source="api", now=NOW)


def no_errors(results: list[object]) -> None:
    assert [result for result in results if isinstance(result, Exception)] == []


@pytest.mark.parametrize("joined", [True, False])
def test_orders_that_come_while_two_are_merged_are_all_counted_once(joined):
    program = make_program()
    make_wallet(program, "c1")
    if joined:
        make_wallet(program, "c2")
    else:
        Customer.objects.create(external_id="c2")

    def work(number: int) -> None:
        if number == 3:
            merge()
            return
        for step in range(6):
            name = "c2" if step % 2 else "c1"
            record(order(f"{number}-{step}", "5", buyer=name))
            give_back(refund(f"R{number}-{step}", "2", of=f"{number}-{step}"))

    no_errors(at_once(work, 6))
    assert (spendable("c1"), Order.objects.filter(customer__external_id="c2").count()) == (90, 0)
    assert Membership.objects.exclude(status="merged").count() == 1
    theirs = Wallet.objects.filter(merged_into__isnull=False).first()
    assert theirs is None or held("c2").balance == 0


def test_eight_who_merge_the_same_two_at_once_merge_them_once():
    program = make_program()
    for number in ("c1", "c2"):
        adjust(make_wallet(program, number), 50, number)
    results = at_once(lambda _number: merge()[1])
    no_errors(results)
    assert sorted(results) == [False, *[True] * 7]
    assert spendable("c1") == 100


def test_merging_both_ways_at_once_ends_with_one_of_them():
    program = make_program()
    for number in ("c1", "c2"):
        adjust(make_wallet(program, number), 50, number)

    def work(number: int) -> object:
        names = ("c1", "c2") if number % 2 else ("c2", "c1")
        kept, merged = (Customer.objects.get(external_id=name) for name in names)
        return merge_customers(kept=kept, merged=merged, actor=SYSTEM, source="api", now=NOW)

    results = at_once(work, 4)
    assert len([result for result in results if isinstance(result, tuple)]) == 2
    assert spendable("c1") + spendable("c2") == 100
    assert Membership.objects.filter(status="merged").count() == 1


def test_merging_and_parting_among_orders_leaves_every_unit_with_one_of_them():
    program = make_program()
    accounts = [make_wallet(program, number).account_id for number in ("c1", "c2")]

    def work(number: int) -> None:
        for step in range(4):
            if number == 0:
                part(merge()[0])
            else:
                name = "c2" if number % 2 else "c1"
                record(order(f"{number}-{step}", "5", buyer=name))
                adjust(wallet_of(accounts[number % 2]), 1, f"{number}-{step}")

    no_errors(at_once(work, 4))
    granted = sum(Transfer.objects.filter(kind__in=["accrual", "adjustment"]).values_list(
        "amount", flat=True))  # fmt: skip
    assert spendable("c1", day(1)) + spendable("c2", day(1)) == granted
