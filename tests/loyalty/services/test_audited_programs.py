"""What is written down about a customer says of which program it is, so that those whose role is
limited to it read it, and those of others do not."""

from __future__ import annotations

import pytest

from loyalty.launch_definitions import LaunchDefinition
from loyalty.models import Program, Transfer
from loyalty.services.activity_decisions import (
    approve_activity,
    reject_activity,
    reverse_activity,
)
from loyalty.services.invitations import decline_invitation, invite_customer
from loyalty.services.joining import join_program
from loyalty.services.launches import plan_launch
from loyalty.services.memberships import enroll_customer
from loyalty.services.occasion_reversals import undo_occasion
from loyalty.services.occasions import give_occasions
from members.audit import target_of
from members.models import AuditEntry, Customer
from members.program_scope import limited_to
from members.selectors.audit import entries_of, filter_entries
from members.services.audit import SYSTEM
from tests.factories import CustomerFactory
from tests.loyalty.factories import NOW, day, make_program
from tests.loyalty.services import test_activities, test_occasions

pytestmark = pytest.mark.django_db


def program_of(action: str) -> int | None:
    return AuditEntry.objects.get(action=action).program


def test_joining_and_invitations() -> None:
    program, other = make_program("beans", enrollment="explicit"), make_program("tea")
    ann: Customer = CustomerFactory(email="ann@example.com")
    candidate = invite_customer(customer=ann, program=program, actor=SYSTEM, now=NOW)
    assert program_of("candidate.invited") == program.pk
    decline_invitation(candidate=candidate, actor=SYSTEM, now=NOW)
    assert program_of("candidate.declined") == program.pk
    enroll_customer(customer=ann, program=program, source="staff", at=NOW, actor=SYSTEM)
    assert program_of("membership.enrolled") == program.pk
    with limited_to([program.pk]):
        assert len(entries_of(ann)) == filter_entries(target=target_of(ann)).count() == 3
    with limited_to([other.pk]):
        assert not filter_entries(target=target_of(ann)).exists()
        assert not entries_of(ann)


def test_waiting_for_a_launch() -> None:
    program: Program = make_program()
    launch = LaunchDefinition.model_validate(
        {"phases": [{"kind": "everyone", "starts_on": day(5).date()}]}
    )
    plan_launch(program=program, launch=launch, actor=SYSTEM, now=NOW)
    ann: Customer = CustomerFactory()
    join_program(customer=ann, program=program, source="link", at=NOW, actor=SYSTEM)
    assert program_of("candidate.waiting") == program.pk


def test_a_gift_for_a_day_that_is_taken_back() -> None:
    program = test_occasions.club()
    test_occasions.member(program, "1990-03-15")
    assert give_occasions(NOW) == 1
    undo_occasion(
        transfer=Transfer.objects.get(), actor=SYSTEM, source="backoffice", now=day(1), note="Error"
    )
    assert program_of("occasion.reversed") == program.pk


def test_activities_that_concern_one_program() -> None:
    program = test_activities.club(approval=True)
    first, second = test_activities.tell(test_activities.told(), test_activities.told("R2"))
    test_activities.decided(approve_activity, first.activity, day(2))
    assert program_of("activity.approved") == program.pk
    test_activities.decided(reverse_activity, first.activity)
    assert program_of("activity.reversed") == program.pk
    # It brought nothing in any program: whoever sees the person reads it.
    test_activities.decided(reject_activity, second.activity)
    assert program_of("activity.rejected") is None
