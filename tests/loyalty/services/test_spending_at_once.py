"""Buyers and approvers of a company at the same moment: real threads with connections of their
own."""

import pytest

from loyalty.errors import PoolRefusedError
from loyalty.models import PoolMember, SpendRequest, Transfer
from loyalty.services.pool_leaving import leave_pool
from members.errors import ConflictError
from tests.loyalty.factories import NOW, make_program
from tests.loyalty.ledger.racing import THREADS, at_once
from tests.loyalty.services.buying import add_buyer, approve, ask, found_company, fund
from tests.loyalty.services.pooling import HOW, in_pool, join, spend
from tests.loyalty.services.test_spend_requests import reject

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def company():
    program = make_program()
    found = found_company(join(program, "ann"), most_at_once=100, most_in_period=250)
    add_buyer(found, join(program, "ben"))
    for number in range(THREADS):
        add_buyer(found, join(program, f"approver{number}"), "approver")
    fund(found)
    return found


def place(number: str) -> PoolMember:
    members = PoolMember.objects.select_related("pool__program", "membership__customer")
    return members.get(membership__customer__external_id=number)


def test_of_approvers_who_decide_at_once_one_decides_and_it_is_spent_once(company):
    request = ask(place("ben"), 400)

    def work(number):
        act = approve if number % 2 else reject
        try:
            act(request, place(f"approver{number}"), note="Fine")
        except ConflictError as error:
            return error.code
        return "approved" if number % 2 else "rejected"

    found = at_once(work)
    assert found.count("already_decided") == THREADS - 1
    request.refresh_from_db()
    (outcome,) = set(found) - {"already_decided"}
    assert request.state == outcome
    spent = 400 if outcome == "approved" else 0
    assert Transfer.objects.filter(kind="redemption").count() == bool(spent)
    assert in_pool(company.pool) == (1000 - spent, 0)


def test_a_buyer_in_many_windows_never_spends_more_than_the_limit(company):
    ben = place("ben").membership

    def work(number):
        try:
            return spend(ben, 100, f"k{number}").amount
        except PoolRefusedError as error:
            return error.code

    found = at_once(work)
    assert found.count(100) == 2
    assert found.count("approval_needed") == THREADS - 2


def test_who_leaves_while_it_is_decided_has_left_or_has_spent(company):
    request = ask(place("ben"), 400)

    def work(number):
        try:
            if number % 2:
                leave_pool(member=place("ben"), now=NOW, **HOW)
            else:
                approve(request, place(f"approver{number}"), note="Fine")
        except (ConflictError, PoolRefusedError) as error:
            return error.code
        return "done"

    at_once(work)
    request.refresh_from_db()
    assert request.state in {"approved", "withdrawn"}
    spent = Transfer.objects.filter(kind="redemption").count()
    assert spent == (request.state == SpendRequest.State.APPROVED)
