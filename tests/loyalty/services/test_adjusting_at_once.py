"""People at the same moment: real threads with connections of their own."""

import pytest

from loyalty.errors import LedgerError
from loyalty.models import AdjustmentLimit, Transfer
from loyalty.services.adjustment_requests import (
    approve_request,
    reject_request,
    withdraw_request,
)
from loyalty.services.staff_adjustments import adjust_as_staff, undo_as_staff
from members.errors import ConflictError
from members.services.audit import Actor
from tests.factories import StaffMemberFactory
from tests.loyalty.factories import NOW, adjust, make_program, make_wallet, spendable
from tests.loyalty.ledger.racing import THREADS, at_once

pytestmark = pytest.mark.django_db(transaction=True)


def staff(role="support_agent") -> Actor:
    return Actor.of_user(StaffMemberFactory(role=role).user)


def move(wallet, units, actor, key):
    return adjust_as_staff(
        wallet=wallet, units=units, reason="goodwill", note="", actor=actor, key=key, now=NOW
    )


def test_a_person_in_many_windows_never_moves_more_than_their_day_allows():
    program = make_program()
    wallets = [make_wallet(program, f"c{number}") for number in range(THREADS)]
    AdjustmentLimit.objects.filter(role="support_agent").update(most_in_a_day=1_000)
    sam = staff()

    def work(number):
        try:
            return move(wallets[number], 300, sam, f"k{number}")
        except LedgerError as error:
            return error.code

    found = at_once(work)
    assert found.count("day_limit_exceeded") == THREADS - 3
    assert sum(Transfer.objects.values_list("amount", flat=True)) == 900


def test_undoing_others_in_many_windows_keeps_to_the_day_too():
    wallet = make_wallet(make_program())
    AdjustmentLimit.objects.filter(role="support_agent").update(most_in_a_day=1_000)
    given = [adjust(wallet, 300, f"k{number}") for number in range(THREADS)]
    sam = staff()

    def work(number):
        try:
            return undo_as_staff(transfer=given[number], actor=sam, now=NOW)
        except LedgerError as error:
            return error.code

    assert at_once(work).count("day_limit_exceeded") == THREADS - 3
    assert spendable() == 300 * (THREADS - 3)


def test_the_same_form_from_many_windows_asks_once():
    wallet, sam = make_wallet(make_program()), staff()
    found = at_once(lambda _number: move(wallet, 2_000, sam, "k1").request.pk)
    assert len(set(found)) == 1


def test_many_approvals_at_once_post_once():
    wallet, sam = make_wallet(make_program()), staff()
    request = move(wallet, 2_000, sam, "k1").request
    deciders = [staff("marketing_manager") for _ in range(THREADS)]

    def work(number):
        try:
            return approve_request(request=request, actor=deciders[number], now=NOW).pk
        except ConflictError as error:
            return error.code

    found = at_once(work)
    assert found.count("already_decided") == THREADS - 1
    assert Transfer.objects.count() == 1
    assert spendable() == 2_000


def test_approving_rejecting_and_withdrawing_at_once_decide_once():
    program = make_program()
    wallet, sam, mia = make_wallet(program), staff(), staff("marketing_manager")
    for turn in range(6):
        request = move(wallet, 2_000, sam, f"k{turn}").request
        before = spendable()

        def work(number, request=request):
            try:
                if number == 0:
                    return approve_request(request=request, actor=mia, now=NOW)
                if number == 1:
                    return reject_request(request=request, actor=mia, now=NOW, note="No")
                return withdraw_request(request=request, actor=sam, now=NOW)
            except ConflictError as error:
                return error.code

        assert at_once(work, threads=3).count("already_decided") == 2
        request.refresh_from_db()
        moved = spendable() - before
        assert moved == (2_000 if request.state == "approved" else 0)
