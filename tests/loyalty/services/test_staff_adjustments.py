"""Adjusting as a person: at once, in a day, and above what needs a second person."""

import datetime as dt

import pytest
from django.db import transaction

from loyalty.errors import InsufficientBalanceError, KeyReusedError, LedgerError
from loyalty.models import AdjustmentLimit, AdjustmentRequest, Transfer
from loyalty.selectors.adjustment_limits import limits_of, moved_today
from loyalty.services.adjustment_limits import (
    create_limit,
    provide_limits,
    remove_limit,
    update_limit,
)
from loyalty.services.staff_adjustments import Outcome, adjust_as_staff, undo_as_staff
from members.errors import ConflictError, DomainError
from members.models import AuditEntry, StaffMember
from members.services.audit import SYSTEM, Actor
from tests.factories import StaffMemberFactory, UserFactory
from tests.loyalty.factories import NOW, adjust, day, make_program, make_wallet, spendable


@pytest.fixture
def wallet(program):
    return make_wallet(program)


@pytest.fixture
def sam(db):
    return Actor.of_user(StaffMemberFactory(role="support_agent").user)


@pytest.fixture
def mia(db):
    return Actor.of_user(StaffMemberFactory(role="marketing_manager").user)


@pytest.fixture
def ada(db):
    return Actor.of_user(StaffMemberFactory(role="administrator").user)


def move(wallet, units, actor, key="k1", *, now=NOW, reason="goodwill", note="") -> Outcome:
    return adjust_as_staff(
        wallet=wallet, units=units, reason=reason, note=note, actor=actor, key=key, now=now
    )


def limit_of(role, program=None):
    return AdjustmentLimit.objects.get(role=role, program=program)


def set_limit(role, **values):
    current = {"most_at_once": 5_000, "most_in_a_day": 20_000, "approval_above": 1_000}
    update_limit(actor=SYSTEM, limit=limit_of(role), **(current | values))


def refused(wallet, units, actor, **how) -> str:
    with pytest.raises(LedgerError) as error:
        move(wallet, units, actor, **how)
    assert (error.value.status, error.value.errors[0].field) == (403, "units")
    return error.value.code


def test_an_installation_begins_with_the_known_limits(program):
    found = [
        (row.role, row.most_at_once, row.most_in_a_day, row.approval_above)
        for row in AdjustmentLimit.objects.order_by("most_at_once")
    ]
    assert found == [
        ("support_agent", 5_000, 20_000, 1_000),
        ("marketing_manager", 50_000, 200_000, 10_000),
        ("administrator", None, None, None),
    ]
    assert not limits_of("analyst", program).allows(1)


def test_provided_limits_do_not_overwrite_what_was_set(db):
    set_limit("support_agent", most_at_once=7)
    provide_limits()
    assert limit_of("support_agent").most_at_once == 7


@pytest.mark.parametrize("units", [1_000, -1_000, 1])
def test_within_the_limits_units_move_at_once(wallet, sam, units):
    adjust(wallet, 1_000, "start")
    made = move(wallet, units, sam).transfer
    assert (made.signed_amount, made.actor, made.source) == (units, sam.user, "backoffice")
    assert not AdjustmentRequest.objects.exists()


@pytest.mark.parametrize("units", [5_001, -5_001])
def test_more_than_a_role_may_move_at_once_is_refused(wallet, sam, units):
    assert refused(wallet, units, sam) == "limit_exceeded"
    assert not Transfer.objects.exists()


@pytest.mark.parametrize(("units", "posted"), [(1_000, True), (1_001, False), (-1_001, False)])
def test_above_the_approval_limit_nothing_moves_but_a_request_is_made(wallet, sam, units, posted):
    adjust(wallet, 2_000, "start")
    outcome = move(wallet, units, sam, note="Late parcel")
    assert (outcome.transfer is not None) is posted
    if not posted:
        request = outcome.request
        assert (request.units, request.state, request.asked_by) == (units, "waiting", sam.user)
        assert spendable() == 2_000
        assert AuditEntry.objects.get(action="points.adjustment_asked").after["units"] == units


def test_limits_count_whole_units(db, sam):
    wallet = make_wallet(make_program(unit={"decimals": 2}))
    assert move(wallet, 1_000_00, sam).transfer
    assert move(wallet, 1_000_01, sam, "k2").request
    assert refused(wallet, 5_000_01, sam, key="k3") == "limit_exceeded"


def test_administrators_have_no_limits(wallet, ada):
    assert move(wallet, 10**9, ada).transfer


def test_who_is_no_staff_moves_nothing(wallet, sam):
    for actor in (SYSTEM, Actor.of_user(UserFactory())):
        with pytest.raises(LedgerError) as error:
            move(wallet, 5, actor)
        assert error.value.code == "not_staff"
    StaffMember.objects.filter(user=sam.user).update(role="analyst")
    with pytest.raises(DomainError):  # no reason is offered to analysts
        move(wallet, 5, sam)


def test_the_same_form_twice_moves_once_and_is_not_measured_twice(wallet, sam):
    set_limit("support_agent", most_in_a_day=500)
    first, second = move(wallet, 500, sam), move(wallet, 500, sam)
    assert first.transfer == second.transfer
    with pytest.raises(KeyReusedError), transaction.atomic():
        move(wallet, 400, sam)


def test_the_same_form_twice_asks_once(wallet, sam):
    assert move(wallet, 2_000, sam).request == move(wallet, 2_000, sam).request
    with pytest.raises(KeyReusedError):
        move(wallet, 2_001, sam)
    assert AuditEntry.objects.filter(action="points.adjustment_asked").count() == 1


def test_what_could_not_be_taken_now_is_not_asked_for_either(wallet, sam):
    with pytest.raises(InsufficientBalanceError):
        move(wallet, -2_000, sam)
    assert not AdjustmentRequest.objects.exists()


def test_what_is_moved_in_a_day_adds_up_given_and_taken_alike(wallet, sam, mia):
    set_limit("support_agent", most_in_a_day=1_500)
    move(wallet, 900, sam, "k1")
    move(wallet, -500, sam, "k2")
    assert refused(wallet, 101, sam, key="k3") == "day_limit_exceeded"
    assert move(wallet, 100, sam, "k4").transfer
    # Everybody has a day of their own.
    assert move(wallet, 1_000, mia, "k5").transfer


def test_a_day_begins_in_the_programs_time_zone(db, sam):
    wallet = make_wallet(make_program(time_zone="Asia/Kuala_Lumpur"))
    set_limit("support_agent", most_in_a_day=1_000)
    evening = dt.datetime(2024, 3, 15, 15, 59, tzinfo=dt.UTC)
    move(wallet, 1_000, sam, "k1", now=evening)
    assert refused(wallet, 1, sam, key="k2", now=evening) == "day_limit_exceeded"
    assert move(wallet, 1_000, sam, "k3", now=evening + dt.timedelta(minutes=1)).transfer


def test_requests_do_not_count_for_the_day(wallet, sam, program):
    move(wallet, 2_000, sam)
    assert moved_today(sam.user, "support_agent", program, NOW) == 0


def test_what_was_undone_does_not_count_and_undoing_ones_own_does_not(wallet, sam, program):
    made = move(wallet, 900, sam).transfer
    undo_as_staff(transfer=made, actor=sam, now=NOW)
    assert moved_today(sam.user, "support_agent", program, NOW) == 0


def test_undoing_what_somebody_else_moved_counts_as_moving_it(wallet, sam, mia, program):
    set_limit("support_agent", most_in_a_day=1_000)
    by_mia = move(wallet, 700, mia, "k1").transfer
    by_api = adjust(wallet, 200, "k2", source="api")
    undo_as_staff(transfer=by_mia, actor=sam, now=NOW)
    undo_as_staff(transfer=by_api, actor=sam, now=NOW)
    assert moved_today(sam.user, "support_agent", program, NOW) == 900
    other = move(wallet, 400, mia, "k3").transfer
    with pytest.raises(LedgerError) as error:
        undo_as_staff(transfer=other, actor=sam, now=NOW)
    assert error.value.code == "day_limit_exceeded"


def test_a_role_undoes_no_more_than_it_may_move_at_once(wallet, sam):
    large = adjust(wallet, 9_000, "large")
    with pytest.raises(LedgerError) as error:
        undo_as_staff(transfer=large, actor=sam, now=NOW)
    assert error.value.code == "limit_exceeded"


def test_undoing_twice_is_done_once(wallet, sam):
    made = move(wallet, 900, sam).transfer
    first, _ = undo_as_staff(transfer=made, actor=sam, now=NOW)
    again, replayed = undo_as_staff(transfer=made, actor=sam, now=day(1))
    assert (again, replayed) == (first, True)


def test_a_program_may_have_limits_of_its_own_and_counts_only_its_own_units(db, sam):
    club, cash = make_program("club"), make_program("cash")
    in_club, in_cash = make_wallet(club), make_wallet(cash)
    create_limit(
        actor=SYSTEM, role="support_agent", program=cash,
        most_at_once=50, most_in_a_day=60, approval_above=None,
    )  # fmt: skip
    move(in_club, 1_000, sam, "k1")
    assert refused(in_cash, 51, sam, key="k2") == "limit_exceeded"
    assert move(in_cash, 50, sam, "k3").transfer
    assert refused(in_cash, 11, sam, key="k4") == "day_limit_exceeded"
    assert moved_today(sam.user, "support_agent", club, NOW) == 1_000
    remove_limit(actor=SYSTEM, limit=limit_of("support_agent", cash))
    assert move(in_cash, 900, sam, "k5").transfer
    assert moved_today(sam.user, "support_agent", club, NOW) == 1_950


def test_limits_that_cannot_be_kept_are_refused(program):
    none = {"most_at_once": None, "most_in_a_day": None, "approval_above": None}
    with pytest.raises(DomainError) as refused:
        set_limit("support_agent", most_at_once=-1)
    assert refused.value.errors[0].field == "most_at_once"
    with pytest.raises(DomainError):
        create_limit(actor=SYSTEM, role="analyst", program=program, **none)
    create_limit(actor=SYSTEM, role="support_agent", program=program, **none)
    with pytest.raises(ConflictError):
        create_limit(actor=SYSTEM, role="support_agent", program=program, **none)
    with pytest.raises(ConflictError):
        remove_limit(actor=SYSTEM, limit=limit_of("support_agent"))


def test_changes_of_limits_are_written_down(db):
    set_limit("support_agent", most_at_once=7)
    set_limit("support_agent", most_at_once=7)
    entry = AuditEntry.objects.get(action="adjustment_limit.changed")
    assert (entry.before["most_at_once"], entry.after["most_at_once"]) == (5_000, 7)
