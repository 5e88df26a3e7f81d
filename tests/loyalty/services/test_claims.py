"""A guest order is claimed later, and given back if that was a mistake."""

import datetime as dt

import pytest

from loyalty.errors import OrderConflictError
from loyalty.models import Membership, Order, OrderEvaluation, Refund, Transfer
from loyalty.services.claims import claim_order, preview_claim, unclaim_order
from loyalty.services.programs import apply_definition
from members.models import AuditEntry, Customer
from members.services.audit import SYSTEM
from members.services.customers import create_customer
from members.services.merging import merge_customers
from tests.loyalty.factories import (
    NOW,
    day,
    define,
    give_back,
    held,
    line,
    make_program,
    moves,
    order,
    record,
    refund,
    spendable,
)


@pytest.fixture
def ann(db: None) -> Customer:
    return Customer.objects.create(external_id="c1", email="ann@example.com")


def guest(number: str = "A1", total: str = "10", *, at: dt.datetime = NOW, **details) -> Order:
    record(order(number, total, at=at, buyer=None, **details))
    return Order.objects.get(external_id=number)


def claim(found: Order, customer: Customer, *, now: dt.datetime = NOW) -> bool:
    return claim_order(order=found, customer=customer, actor=SYSTEM, source="api", now=now)[1]


def unclaim(found: Order, *, now: dt.datetime = NOW) -> None:
    unclaim_order(order=found, actor=SYSTEM, source="api", now=now)


def test_a_claimed_order_earns_when_it_was_placed_by_the_rules_of_that_time(program, ann):
    found = guest(total="10")
    apply_definition(define(earning_rules=[{"units": 3}]), actor=SYSTEM, now=day(5))
    assert claim(found, ann, now=day(9)) is False
    earned = Transfer.objects.get()
    assert (earned.amount, earned.occurred_at) == (10, NOW)
    membership = Membership.objects.get()
    assert (membership.customer, membership.enrolled_at) == (ann, NOW)
    assert AuditEntry.objects.filter(action="order.claimed").count() == 1


def test_claiming_again_changes_nothing(program, ann):
    found = guest()
    assert [claim(found, ann) for _ in range(3)] == [False, True, True]
    assert moves() == [("accrual", 10)]


def test_what_came_back_before_does_not_earn(program, ann):
    found = guest(total="100", lines=(line(1, "60"), line(2, "40")))
    give_back(refund("R1", "40", of="A1", at=day(1)))
    claim(found, ann, now=day(2))
    assert spendable(at=day(2)) == 60
    assert Refund.objects.get().customer == ann
    give_back(refund("R2", "10", of="A1", at=day(3)))
    assert spendable(at=day(3)) == 50


def test_where_returns_stand_for_themselves_they_take_back_their_own(ann):
    make_program(linked_returns="own_amount", earning_rules=[{"per": "10"}])
    found = guest(total="99")
    give_back(refund("R1", "20", of="A1", at=day(1)))
    claim(found, ann, now=day(2))
    assert moves() == [("accrual", 9), ("clawback", -2)]
    with pytest.raises(OrderConflictError):
        unclaim(found)


def test_an_order_of_somebody_is_nobody_elses(program, ann):
    found = guest()
    claim(found, ann)
    with pytest.raises(OrderConflictError):
        claim(found, Customer.objects.create(external_id="c2"))
    assert moves() == [("accrual", 10)]


def test_a_guests_messages_leave_a_claimed_order_with_its_customer(program, ann):
    found = guest()
    claim(found, ann)
    record(order(total="15", buyer=None), now=day(1))
    record(order(total="15", buyer=None), now=day(2))
    give_back(refund("R1", "5", of="A1", at=day(3)))
    assert moves() == [("accrual", 10), ("accrual", 5), ("clawback", -5)]


def test_the_shop_may_say_later_who_bought(program, ann):
    guest(total="10")
    give_back(refund("R1", "4", of="A1"))
    record(order(total="10"), now=day(1))
    assert spendable(at=day(1)) == 6
    assert (Order.objects.get().customer, Refund.objects.get().customer) == (ann, ann)
    assert Order.objects.get().claimed_at is None
    with pytest.raises(OrderConflictError):
        unclaim(Order.objects.get())


def test_the_right_address_alone_claims_nothing(program):
    found = guest()
    create_customer(actor=SYSTEM, email="somebody@example.com", external_id="c1")
    found.refresh_from_db()
    assert (found.customer, Transfer.objects.count()) == (None, 0)


def test_who_is_no_member_where_members_are_asked_earns_nothing(ann):
    make_program(enrollment="explicit")
    found = guest()
    claim(found, ann)
    found.refresh_from_db()
    assert (found.customer, Membership.objects.count(), Transfer.objects.count()) == (ann, 0, 0)


def test_a_mistaken_claim_takes_back_what_it_gave(program, ann):
    found = guest()
    claim(found, ann)
    for _ in range(2):
        unclaim(found, now=day(1))
    found.refresh_from_db()
    assert (found.customer, found.claimed_at, spendable(at=day(1))) == (None, None, 0)
    assert not OrderEvaluation.objects.exists()
    claim(found, Customer.objects.create(external_id="c2"), now=day(2))
    assert (spendable("c1", day(2)), spendable("c2", day(2))) == (0, 10)
    assert moves("c1") == [("accrual", 10), ("clawback", -10)]
    claim(found, Customer.objects.get(external_id="c2"), now=day(3))
    assert moves("c2") == [("accrual", 10)]


def test_a_mistaken_claim_counts_towards_nobodys_bonus(ann):
    bonus = {"kind": "threshold_bonus", "reach": 100, "units": 10, "window": "month"}
    make_program(earning_rules=[bonus])
    other = Customer.objects.create(external_id="c2")
    found = guest(total="120")
    claim(found, ann)
    assert spendable() == 10
    unclaim(found)
    claim(found, other)
    assert (spendable("c1"), spendable("c2")) == (0, 10)


def test_what_was_spent_of_a_mistaken_claim_is_owed(program, ann):
    from tests.loyalty.factories import adjust, wallet_of

    found = guest()
    claim(found, ann)
    adjust(wallet_of(Membership.objects.get().account_id), -4, "spent")
    unclaim(found)
    assert (held().balance, held().owed) == (0, 4)


def test_a_claim_for_a_merged_duplicate_is_for_who_is_kept(program, ann):
    duplicate = Customer.objects.create(external_id="c2")
    merge_customers(kept=ann, merged=duplicate, actor=SYSTEM, source="api", now=NOW)
    found = guest()
    assert claim(found, duplicate) is False
    assert claim(found, ann) is True
    assert spendable() == 10


def test_a_preview_says_what_it_would_earn_and_leaves_everything_as_it_was(program, ann):
    found = guest(total="12")
    assert [transfer.amount for transfer in preview_claim(order=found, customer=ann, now=NOW)] == [
        12
    ]
    found.refresh_from_db()
    assert (found.customer, Transfer.objects.count(), Membership.objects.count()) == (None, 0, 0)
    assert not AuditEntry.objects.filter(action="order.claimed").exists()
