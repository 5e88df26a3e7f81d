"""A member is suspended, and takes part again."""

import pytest
from django.db import IntegrityError, transaction

from loyalty.models import Absence, Membership, Order
from loyalty.selectors.rulebooks import fresh_terms
from loyalty.services.joining import join_program
from loyalty.services.judgments import explain_order
from loyalty.services.leaving import leave_program
from loyalty.services.reconciliation import member_refs
from loyalty.services.suspensions import resume_membership, suspend_membership
from members.errors import ConflictError, DomainError
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    day,
    give_back,
    make_program,
    order,
    record,
    refund,
    spendable,
)
from tests.loyalty.planning import join, make_club, member, pass_time, pay

pytestmark = pytest.mark.django_db


def suspend(found: Membership, at: int = 1, reason: str = "Returns too much") -> Membership:
    return suspend_membership(membership=found, reason=reason, actor=SYSTEM, now=day(at))


def resume(found: Membership, at: int = 5) -> Membership:
    return resume_membership(membership=found, reason="Talked", actor=SYSTEM, now=day(at))


def test_who_is_suspended_earns_nothing_until_it_is_lifted() -> None:
    ann = member(make_program())
    record(order("A", "10", at=day(0)))
    suspend(ann)
    record(order("B", "20", at=day(2)))
    assert spendable("c1", day(3)) == 10
    resume(ann)
    record(order("C", "40", at=day(6)))
    assert spendable("c1", day(7)) == 50


def test_what_was_bought_while_suspended_earns_nothing_though_it_is_told_later() -> None:
    ann = member(make_program())
    suspend(ann)
    resume(ann, 5)
    record(order("A", "10", at=day(3)))
    # Before, and from the moment on at which it was lifted.
    record(order("B", "20", at=day(0)), order("C", "40", at=day(5)))
    assert spendable("c1", day(6)) == 60


def test_an_order_from_then_earns_nothing_either_when_something_of_it_comes_back_later() -> None:
    ann = member(make_program())
    suspend(ann)
    record(order("A", "10", at=day(3)))
    resume(ann, 5)
    give_back(refund("R", "4", of="A", at=day(6)))
    assert spendable("c1", day(7)) == 0
    [judged] = explain_order(Order.objects.get(external_id="A"))
    assert "took no part then" in judged.reason


def test_who_left_and_comes_back_earns_nothing_for_the_time_between() -> None:
    ann = member(make_program())
    leave_program(membership=ann, actor=SYSTEM, now=day(1))
    join_program(
        customer=ann.customer, program=ann.program, source="account", at=day(5), actor=SYSTEM
    )
    record(order("A", "10", at=day(3)), order("B", "40", at=day(6)))
    assert spendable("c1", day(7)) == 40


def test_each_time_is_kept_and_what_is_told_by_activities_goes_by_it_too() -> None:
    ann = member(make_program())
    for since, until in ((1, 2), (4, 6)):
        suspend(ann, since)
        resume(ann, until)
    kept = Absence.objects.order_by("pk").values_list("began_at", "ended_at")
    assert list(kept) == [(day(1), day(2)), (day(4), day(6))]
    [known] = member_refs([ann.customer_id], fresh_terms()).values()
    assert [at for at in range(8) if known.earns_at(day(at))] == [0, 2, 3, 6, 7]


def test_the_database_keeps_one_absence_open_at_a_time() -> None:
    ann = member(make_program())
    suspend(ann)
    with pytest.raises(IntegrityError), transaction.atomic():
        Absence.objects.create(membership=ann, began_at=day(2))
    with pytest.raises(IntegrityError), transaction.atomic():
        Absence.objects.update(ended_at=day(0))


def test_again_changes_nothing_and_each_is_written_down_once_with_its_reason() -> None:
    ann = member(make_program())
    for act in (suspend, suspend, resume, resume):
        act(ann)
    found = AuditEntry.objects.filter(action__startswith="membership.").exclude(
        action="membership.enrolled"
    )
    assert list(found.order_by("pk").values_list("action", "reason")) == [
        ("membership.suspended", "Returns too much"), ("membership.resumed", "Talked"),
    ]  # fmt: skip


def test_a_reason_is_needed_and_who_has_left_is_not_suspended() -> None:
    ann = member(make_program())
    with pytest.raises(DomainError) as error:
        suspend(ann, reason=" ")
    assert error.value.errors[0].field == "reason"
    suspend(ann)
    with pytest.raises(ConflictError, match="not active"):
        leave_program(membership=ann, actor=SYSTEM, now=day(2))
    resume(ann)
    leave_program(membership=ann, actor=SYSTEM, now=day(6))
    for act in (suspend, resume):
        with pytest.raises(ConflictError):
            act(ann, 7)


def test_a_plan_of_who_is_suspended_is_not_renewed() -> None:
    ann = member(make_club())
    found = join(ann)
    pay(found, day(0))
    suspend(ann)
    pass_time(day(40))
    found.refresh_from_db()
    assert (found.state, found.ended_why) == ("canceled", "left")
