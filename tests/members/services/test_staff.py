"""The team: inviting, changing roles, removing, and never losing the last administrator."""

import threading
from collections.abc import Callable

import pytest
from django.core import mail
from django.db import connection
from pytest_django import DjangoCaptureOnCommitCallbacks

from members.errors import ConflictError, DomainError
from members.models import AuditEntry, StaffMember, User
from members.services.audit import Actor
from members.services.staff import change_role, invite_again, invite_staff, remove_staff
from tests.factories import CustomerFactory, StaffMemberFactory, UserFactory

Role = StaffMember.Role


def of(user: User) -> StaffMember:
    return StaffMember.objects.get(user=user)


@pytest.mark.django_db
def test_an_invited_person_gets_a_mail_that_says_who_and_where(
    actor: Actor, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        invited = invite_staff(
            actor=actor, email="Noor@Example.com", name="Noor", role=Role.ANALYST
        )
    assert (invited.user.email, invited.role) == ("noor@example.com", Role.ANALYST)
    assert not invited.user.has_usable_password()
    (message,) = mail.outbox
    assert message.to == ["noor@example.com"]
    for words in ("Ada Admin", "Analyst", "noor@example.com", "/accounts/login/code/"):
        assert words in message.body


@pytest.mark.django_db
def test_somebody_removed_before_the_mail_went_out_gets_none(
    actor: Actor, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        invited = invite_staff(actor=actor, email="n@example.com", name="Noor", role=Role.ANALYST)
        remove_staff(actor=actor, staff_member=invited)
    assert mail.outbox == []


@pytest.mark.django_db
def test_a_customer_can_be_invited_and_stays_a_customer(actor: Actor) -> None:
    customer = CustomerFactory(with_user=True)
    invited = invite_staff(
        actor=actor, email=customer.email.upper(), name="Noor", role=Role.ANALYST
    )
    assert invited.user == customer.user
    assert User.objects.filter(email=customer.email).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "field"),
    [({"email": "noor@"}, "email"), ({"name": " "}, "name"), ({"role": "owner"}, "role")],
)
def test_a_wrong_detail_is_named(actor: Actor, values: dict[str, str], field: str) -> None:
    fine = {"email": "noor@example.com", "name": "Noor", "role": Role.ANALYST}
    with pytest.raises(DomainError) as caught:
        invite_staff(actor=actor, **(fine | values))
    assert [error.field for error in caught.value.errors] == [field]
    assert not User.objects.filter(email="noor@example.com").exists()


@pytest.mark.django_db
def test_nobody_is_invited_twice(actor: Actor, agent: User) -> None:
    with pytest.raises(ConflictError):
        invite_staff(actor=actor, email=agent.email, name="Sam", role=Role.ANALYST)


@pytest.mark.django_db
def test_the_invitation_can_be_sent_again_until_the_first_sign_in(
    actor: Actor, agent: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        invite_again(actor=actor, staff_member=of(agent))
    assert len(mail.outbox) == 1
    User.objects.filter(pk=agent.pk).update(last_login=agent.date_joined)
    with pytest.raises(ConflictError):
        invite_again(actor=actor, staff_member=of(agent))


@pytest.mark.django_db
def test_a_role_is_changed_and_written_down(actor: Actor, agent: User) -> None:
    change_role(actor=actor, staff_member=of(agent), role=Role.ANALYST)
    assert of(agent).role == Role.ANALYST
    entry = AuditEntry.objects.get()
    assert (entry.before, entry.after) == ({"role": "support_agent"}, {"role": "analyst"})


@pytest.mark.django_db
def test_the_same_role_again_leaves_no_trace(actor: Actor, agent: User) -> None:
    change_role(actor=actor, staff_member=of(agent), role=Role.SUPPORT_AGENT)
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db
def test_nobody_changes_the_own_role_or_removes_themselves(
    actor: Actor, administrator: User
) -> None:
    StaffMemberFactory(administrator=True)
    with pytest.raises(ConflictError) as caught:
        change_role(actor=actor, staff_member=of(administrator), role=Role.ANALYST)
    assert caught.value.code == "own_role"
    with pytest.raises(ConflictError):
        remove_staff(actor=actor, staff_member=of(administrator))
    assert of(administrator).role == Role.ADMINISTRATOR


@pytest.mark.django_db
def test_the_last_administrator_stays(administrator: User) -> None:
    somebody = Actor(label="Setia")
    for act in (
        lambda: change_role(actor=somebody, staff_member=of(administrator), role=Role.ANALYST),
        lambda: remove_staff(actor=somebody, staff_member=of(administrator)),
    ):
        with pytest.raises(ConflictError) as caught:
            act()
        assert caught.value.code == "last_administrator"
    assert of(administrator).role == Role.ADMINISTRATOR


@pytest.mark.django_db
def test_an_administrator_who_may_not_sign_in_does_not_count(administrator: User) -> None:
    other = StaffMemberFactory(administrator=True)
    User.objects.filter(pk=administrator.pk).update(is_active=False)
    with pytest.raises(ConflictError):
        remove_staff(actor=Actor(label="Setia"), staff_member=other)


@pytest.mark.django_db
def test_a_removed_person_keeps_the_sign_in_but_not_the_back_office(
    actor: Actor, agent: User
) -> None:
    remove_staff(actor=actor, staff_member=of(agent))
    assert User.objects.filter(pk=agent.pk).exists()
    assert not StaffMember.objects.filter(user=agent).exists()
    with pytest.raises(ConflictError):
        remove_staff(actor=actor, staff_member=StaffMember(pk=0, user=agent))


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_remove_each_other_at_once_leave_one() -> None:
    one, other = StaffMemberFactory(administrator=True), StaffMemberFactory(administrator=True)
    gate, refused = threading.Barrier(2), []

    def remove(mover: StaffMember, moved: StaffMember) -> None:
        gate.wait()
        try:
            remove_staff(actor=Actor.of_user(mover.user), staff_member=moved)
        except ConflictError as error:
            refused.append(error.code)
        finally:
            connection.close()

    run_together(lambda: remove(one, other), lambda: remove(other, one))
    assert StaffMember.objects.filter(role=Role.ADMINISTRATOR).count() == 1
    assert len(refused) == 1


def run_together(*acts: Callable[[], None]) -> None:
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)


@pytest.mark.django_db
def test_a_stranger_has_no_role() -> None:
    assert not hasattr(UserFactory(), "staff_member")
