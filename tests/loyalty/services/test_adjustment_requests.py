"""Four eyes: asked by one, decided by another, posted once, and never by oneself."""

from typing import NamedTuple

import pytest
from django.db import DatabaseError, transaction

from loyalty.errors import InsufficientBalanceError, LedgerError
from loyalty.explanations import explain_transfer
from loyalty.models import AdjustmentReason, AdjustmentRequest, Program, Transfer, Wallet
from loyalty.selectors.adjustment_limits import moved_today
from loyalty.selectors.adjustment_requests import count_to_decide, waiting_requests
from loyalty.services.adjustment_requests import (
    WAITS,
    approve_request,
    expire_requests,
    reject_request,
    withdraw_request,
)
from loyalty.services.staff_adjustments import adjust_as_staff, undo_as_staff
from members.errors import ConflictError, DomainError
from members.models import AuditEntry
from members.services.audit import SYSTEM, Actor
from tests.factories import StaffMemberFactory, UserFactory
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    make_program,
    make_wallet,
    moves,
    spendable,
)
from tests.sharing import of_each_test


class World(NamedTuple):
    wallet: Wallet
    sam: Actor
    mia: Actor
    ada: Actor


def make_world() -> World:
    wallet = make_wallet(make_program())
    adjust(wallet, 3_000, "start")
    roles = ("support_agent", "marketing_manager", "administrator")
    staff = [Actor.of_user(StaffMemberFactory(role=role).user) for role in roles]
    return World(wallet, *staff)


_made_once, world = of_each_test(make_world)


@pytest.fixture
def wallet(world: World) -> Wallet:
    return world.wallet


@pytest.fixture
def program(wallet: Wallet) -> Program:
    return wallet.wallet_type.program


@pytest.fixture
def sam(world: World) -> Actor:
    return world.sam


@pytest.fixture
def mia(world: World) -> Actor:
    return world.mia


@pytest.fixture
def ada(world: World) -> Actor:
    return world.ada


def ask(wallet, actor, units=2_000, key="k1", *, now=NOW) -> AdjustmentRequest:
    outcome = adjust_as_staff(
        wallet=wallet, units=units, reason="goodwill", note="Late parcel", actor=actor, key=key,
        now=now,
    )  # fmt: skip
    assert outcome.request is not None
    return outcome.request


def test_an_approved_request_is_posted_as_asked(wallet, sam, mia):
    request = ask(wallet, sam)
    transfer = approve_request(request=request, actor=mia, now=day(1), note="Fine")
    assert (transfer.signed_amount, transfer.key, transfer.note) == (2_000, "k1", "Late parcel")
    assert (transfer.actor, transfer.occurred_at) == (sam.user, day(1))
    request.refresh_from_db()
    assert (request.state, request.decided_by, request.transfer) == ("approved", mia.user, transfer)
    assert spendable(at=day(1)) == 5_000
    assert "Approved by: " in " ".join(explain_transfer(transfer, audience="staff").steps)
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"points.adjustment_asked", "points.adjustment_approved", "points.adjusted"} <= actions


def test_what_was_approved_does_not_count_for_anybodys_day(wallet, sam, mia, program):
    approve_request(request=ask(wallet, sam), actor=mia, now=NOW)
    assert moved_today(sam.user, "support_agent", program, NOW) == 0
    assert moved_today(mia.user, "marketing_manager", program, NOW) == 0


def test_an_approved_adjustment_is_undone_like_any_other(wallet, sam, mia):
    transfer = approve_request(request=ask(wallet, sam), actor=mia, now=NOW)
    undo_as_staff(transfer=transfer, actor=sam, now=NOW)
    assert spendable() == 3_000


def test_nobody_decides_their_own(wallet, mia):
    request = ask(wallet, mia, 20_000)
    for decide in (
        lambda: approve_request(request=request, actor=mia, now=NOW),
        lambda: reject_request(request=request, actor=mia, now=NOW, note="No"),
    ):
        with pytest.raises(LedgerError) as refused:
            decide()
        assert (refused.value.code, refused.value.status) == ("may_not_decide", 403)
    assert spendable() == 3_000


def test_a_manager_approves_up_to_the_managers_limit_and_an_administrator_all(wallet, mia, ada):
    other = Actor.of_user(StaffMemberFactory(role="marketing_manager").user)
    request = ask(wallet, other, 50_000)
    approve_request(request=request, actor=mia, now=NOW)
    large = ask(wallet, other, 40_000, "k2")
    AdjustmentRequest.objects.filter(pk=large.pk).update(units=60_000)
    with pytest.raises(LedgerError) as refused:
        approve_request(request=large, actor=mia, now=NOW)
    assert refused.value.code == "may_not_decide"
    assert approve_request(request=large, actor=ada, now=NOW).amount == 60_000


@pytest.mark.parametrize("role", ["support_agent", "analyst", None])
def test_who_may_not_approve_decides_nothing(wallet, sam, role):
    request = ask(wallet, sam)
    user = StaffMemberFactory(role=role).user if role else UserFactory()
    for actor in (Actor.of_user(user), SYSTEM):
        with pytest.raises(LedgerError):
            approve_request(request=request, actor=actor, now=NOW)
    assert moves() == [("adjustment", 3_000)]


def test_the_balance_is_looked_at_again_and_the_request_waits_on(wallet, sam, mia):
    request = ask(wallet, sam, -2_500)
    adjust(wallet, -1_000, "spent")
    with pytest.raises(InsufficientBalanceError), transaction.atomic():
        approve_request(request=request, actor=mia, now=NOW)
    request.refresh_from_db()
    assert request.state == "waiting"
    adjust(wallet, 600, "earned")
    approve_request(request=request, actor=mia, now=NOW)
    assert spendable() == 100


def test_a_rejection_says_why(wallet, sam, mia):
    request = ask(wallet, sam)
    with pytest.raises(DomainError) as refused:
        reject_request(request=request, actor=mia, now=NOW, note=" ")
    assert refused.value.errors[0].field == "note"
    reject_request(request=request, actor=mia, now=NOW, note="The parcel was on time.")
    request.refresh_from_db()
    assert (request.state, request.decision_note) == ("rejected", "The parcel was on time.")
    assert request.transfer is None
    assert spendable() == 3_000


def test_only_who_asked_withdraws(wallet, sam, mia):
    request = ask(wallet, sam)
    with pytest.raises(LedgerError):
        withdraw_request(request=request, actor=mia, now=NOW)
    withdraw_request(request=request, actor=sam, now=NOW)
    with pytest.raises(ConflictError):
        approve_request(request=request, actor=mia, now=NOW)
    assert spendable() == 3_000


@pytest.mark.parametrize("first", ["approve", "reject", "withdraw"])
def test_what_was_decided_is_decided(wallet, sam, mia, ada, first):
    request = ask(wallet, sam)
    decide = {
        "approve": lambda actor: approve_request(request=request, actor=actor, now=NOW),
        "reject": lambda actor: reject_request(request=request, actor=actor, now=NOW, note="No"),
        "withdraw": lambda actor: withdraw_request(request=request, actor=sam, now=NOW),
    }
    decide[first](mia)
    for again in decide.values():
        with pytest.raises(ConflictError) as refused:
            again(ada)
        assert refused.value.code == "already_decided"
    assert len(moves()) == (2 if first == "approve" else 1)


def test_a_reason_that_is_no_longer_offered_does_not_stop_what_was_asked(wallet, sam, mia):
    request = ask(wallet, sam)
    AdjustmentReason.objects.filter(code="goodwill").update(is_active=False)
    assert approve_request(request=request, actor=mia, now=NOW).reason == "goodwill"


def test_a_request_that_nobody_answers_expires(wallet, sam, mia):
    request = ask(wallet, sam)
    late = NOW + WAITS
    assert list(waiting_requests(late)) == []
    with pytest.raises(ConflictError):
        approve_request(request=request, actor=mia, now=late)
    assert expire_requests(now=late) == 1
    assert expire_requests(now=late) == 0
    request.refresh_from_db()
    assert (request.state, request.decided_at) == ("expired", late)


def test_a_person_counts_what_they_may_decide(wallet, sam, mia, ada):
    other = Actor.of_user(StaffMemberFactory(role="marketing_manager").user)
    ask(wallet, sam)
    ask(wallet, mia, 20_000, "k2")
    large = ask(wallet, other, 30_000, "k3")
    AdjustmentRequest.objects.filter(pk=large.pk).update(units=60_000)

    def count(actor, role, now=NOW) -> int:
        return count_to_decide(actor.user, role, now, now - WAITS)

    assert count(mia, "marketing_manager") == 1
    assert count(other, "marketing_manager") == 2
    assert count(ada, "administrator") == 3
    assert count(ada, "administrator", NOW + WAITS) == 0


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"state": "approved"}, "adjustment_request_decided"),
        ({"state": "rejected", "decided_at": NOW}, "adjustment_request_decided"),
        ({"decided_at": NOW}, "adjustment_request_decided"),
        ({"units": 0}, "adjustment_request_units"),
        ({"state": "unheard_of"}, "adjustment_request_decided"),
    ],
)
def test_the_database_keeps_state_and_decision_together(wallet, sam, changes, constraint):
    request = ask(wallet, sam)
    with pytest.raises(DatabaseError, match=constraint), transaction.atomic():
        AdjustmentRequest.objects.filter(pk=request.pk).update(**changes)


def test_the_database_refuses_a_decision_by_who_asked(wallet, sam):
    request = ask(wallet, sam)
    transfer = Transfer.objects.get()
    with pytest.raises(DatabaseError, match="other_person"), transaction.atomic():
        AdjustmentRequest.objects.filter(pk=request.pk).update(
            state="approved", decided_by=sam.user, decided_at=NOW, transfer=transfer
        )


def test_the_database_keeps_what_was_decided(wallet, sam):
    request = withdraw_request(request=ask(wallet, sam), actor=sam, now=NOW)
    with pytest.raises(DatabaseError, match="update"), transaction.atomic():
        AdjustmentRequest.objects.filter(pk=request.pk).update(state="waiting", decided_at=None)
    with pytest.raises(DatabaseError, match="delete"), transaction.atomic():
        request.delete()
