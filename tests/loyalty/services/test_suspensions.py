"""A member is suspended, and takes part again."""

import pytest

from loyalty.models import Membership
from loyalty.services.leaving import leave_program
from loyalty.services.suspensions import resume_membership, suspend_membership
from members.errors import ConflictError, DomainError
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.loyalty.factories import day, make_program, order, record, spendable
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
