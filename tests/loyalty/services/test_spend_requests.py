"""What buyers ask their company's approvers for, and what becomes of it."""

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from loyalty.errors import InsufficientBalanceError, KeyReusedError, PoolRefusedError
from loyalty.explanations import explain_transfer
from loyalty.models import Membership, SpendRequest, Transfer
from loyalty.selectors.companies import open_requests, room_to_spend
from loyalty.selectors.pools import pool_wallets
from loyalty.selectors.transfers import transfers
from loyalty.services.pool_leaving import close_pool
from loyalty.services.pools import change_pool_member
from loyalty.services.spend_requests import (
    expire_spending,
    preview_spending,
    reject_spending,
    withdraw_spending,
)
from members.errors import ConflictError
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.loyalty.factories import NOW, day, make_program
from tests.loyalty.services.buying import add_buyer, approve, ask, found_company, fund
from tests.loyalty.services.pooling import HOW, add, found_pool, in_pool, join, leave, spend
from tests.sharing import of_each_test


def make_company():
    """Ann's, with 1,000 in it; Ben buys up to 100 at once, Cid and Dan approve."""
    ann = join(make_program(), "ann")
    found = found_company(ann, most_at_once=100, answer_days=5)
    add_buyer(found, join(ann.program, "ben"))
    add_buyer(found, join(ann.program, "cid"), "approver")
    add_buyer(found, join(ann.program, "dan"), "approver")
    fund(found)
    return ann, found


_made_once, world = of_each_test(make_company)


@pytest.fixture
def ann(world):
    return world[0]


@pytest.fixture
def company(world):
    return world[1]


@pytest.fixture
def place(company):
    """Somebody's place in the company, by their number."""

    def find(number: str):
        members = company.pool.members.select_related("pool__program", "membership__customer")
        return members.get(membership__customer__external_id=number)

    return find


def reject(request, approver, note="Too much", now=NOW):
    return reject_spending(request=request, approver=approver, actor=SYSTEM, now=now, note=note)


def test_what_an_approver_allows_is_spent_by_whoever_asked(company, place):
    request = ask(place("ben"), 400, note=" Toner\nfor all ")
    assert (request.state, request.note, request.expires_at) == ("waiting", "Toner for all", day(5))
    preview = preview_spending(request, NOW)
    assert (preview.before, preview.after) == (1000, 600)
    transfer = approve(request, place("cid"), now=day(1))
    assert (transfer.amount, in_pool(company.pool)) == (400, (600, 0))
    assert explain_transfer(transfers().get(pk=transfer.pk)).title
    request.refresh_from_db()
    assert (request.state, request.decided_by, request.transfer) == (
        "approved", place("cid"), transfer,
    )  # fmt: skip
    # What was allowed does not use up what one may spend without asking.
    room = room_to_spend(place("ben"), pool_wallets(company.pool)[0], day(1))
    assert room.now == 100
    told = AuditEntry.objects.filter(action__startswith="spending.").values_list("action")
    assert sorted(action for (action,) in told) == [
        "spending.approved", "spending.approved", "spending.asked", "spending.asked",
    ]  # fmt: skip


def test_nothing_is_set_aside_and_the_balance_is_looked_at_again(ann, company, place):
    request = ask(place("ben"), 400)
    assert in_pool(company.pool) == (1000, 0)
    spend(ann, 700)
    assert preview_spending(request, NOW).after == -100
    with pytest.raises(InsufficientBalanceError), transaction.atomic():
        approve(request, place("cid"))
    request.refresh_from_db()
    assert request.state == "waiting"
    with pytest.raises(InsufficientBalanceError), transaction.atomic():
        ask(place("ben"), 400, "q2")


def test_nobody_decides_what_they_asked_for(ann, company, place):
    request = ask(place("ben"), 400)
    change_pool_member(member=place("ben"), changes={"role": "approver"}, actor=SYSTEM)
    for act in (approve, reject):
        with pytest.raises(PoolRefusedError) as refused, transaction.atomic():
            act(request, place("ben"))
        assert (refused.value.code, refused.value.status) == ("may_not_decide", 403)
    with pytest.raises(IntegrityError), transaction.atomic():
        SpendRequest.objects.filter(pk=request.pk).update(
            state="rejected", decided_by=request.asked_by, decided_at=NOW, decision_note="No"
        )
    # Not in another place of theirs either.
    add(company.pool, join(ann.program, "eve"))
    asked = ask(place("eve"), 300, "q2")
    company.pool.members.filter(pk=place("eve").pk).update(left_at=NOW)
    again = add_buyer(company, Membership.objects.get(customer__external_id="eve"), "approver")
    with pytest.raises(PoolRefusedError), transaction.atomic():
        approve(asked, again)


def test_only_present_and_active_approvers_of_the_company_decide(ann, company, place):
    request = ask(place("ben"), 400)
    add_buyer(company, join(ann.program, "fay"))
    stranger = found_company(join(ann.program, "eve"), terms={"name": "Other"}).pool.members.get()
    gone = place("dan")
    leave(gone)
    Membership.objects.filter(customer__external_id="cid").update(status="suspended")
    for member in (place("fay"), stranger, gone, place("cid")):
        with pytest.raises(PoolRefusedError) as refused, transaction.atomic():
            approve(request, member)
        assert refused.value.code == "may_not_decide"
    assert approve(request, place("ann")).amount == 400


def test_no_says_why_and_a_decision_is_the_last_word(company, place):
    request = ask(place("ben"), 400)
    with pytest.raises(PoolRefusedError) as refused, transaction.atomic():
        reject(request, place("cid"), note="  ")
    assert [error.field for error in refused.value.errors] == ["note"]
    assert reject(request, place("cid")).state == "rejected"
    for act in (
        lambda: approve(request, place("dan")),
        lambda: withdraw_spending(request=request, member=place("ben"), actor=SYSTEM, now=NOW),
    ):
        with pytest.raises(ConflictError) as conflict, transaction.atomic():
            act()
        assert "Cid" in str(conflict.value.message)
    with pytest.raises(DatabaseError), transaction.atomic():
        SpendRequest.objects.update(units=1)
    assert in_pool(company.pool) == (1000, 0)


def test_who_asked_withdraws_and_who_leaves_has_withdrawn(company, place):
    first, second = ask(place("ben"), 400), ask(place("ben"), 300, "q2")
    with pytest.raises(PoolRefusedError), transaction.atomic():
        withdraw_spending(request=first, member=place("cid"), actor=SYSTEM, now=NOW)
    withdraw_spending(request=first, member=place("ben"), actor=SYSTEM, now=NOW)
    leave(place("ben"), now=day(1))
    assert list(SpendRequest.objects.values_list("state", flat=True)) == ["withdrawn", "withdrawn"]
    with pytest.raises(ConflictError), transaction.atomic():
        approve(second, place("cid"), now=day(2))


def test_closing_a_company_withdraws_what_waits(company, place):
    ask(place("ben"), 400)
    close_pool(pool=company.pool, now=NOW, **HOW)
    assert SpendRequest.objects.get().state == "withdrawn"


def test_whoever_is_not_answered_asks_again(company, place):
    request = ask(place("ben"), 400)
    assert list(open_requests(company, day(4.9))) == [request]
    assert list(open_requests(company, day(5))) == []
    with pytest.raises(ConflictError), transaction.atomic():
        approve(request, place("cid"), now=day(5))
    assert (expire_spending(now=day(4)), expire_spending(now=day(5))) == (0, 1)
    assert expire_spending(now=day(6)) == 0


def test_the_same_key_asks_once(company, place):
    request = ask(place("ben"), 400)
    assert ask(place("ben"), 400) == request
    with pytest.raises(KeyReusedError):
        ask(place("ben"), 401)
    approve(request, place("cid"))
    assert ask(place("ben"), 400).state == "approved"
    assert Transfer.objects.filter(kind="redemption").count() == 1


@pytest.mark.parametrize("number", ["ann", "cid"])
def test_owners_and_approvers_have_nobody_to_ask(company, place, number):
    with pytest.raises(PoolRefusedError):
        ask(place(number), 400)


def test_members_of_households_ask_nobody(ann, company):
    eve = join(ann.program, "eve")
    found_pool(eve)
    with pytest.raises(PoolRefusedError):
        ask(eve.pool_members.get(), 1)
