"""Tasks of the team about a customer, and their tags."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from members.errors import ConflictError, DomainError
from members.models import AuditEntry, Customer, CustomerTask, StaffMember, User
from members.selectors.customer_tasks import (
    done_tasks,
    open_tasks,
    tasks_for,
    tasks_of_nobody,
)
from members.selectors.customers import tagged_customers
from members.services.audit import SYSTEM, Actor
from members.services.customer_tags import add_tag, remove_tag
from members.services.customer_tasks import (
    add_task,
    assignable,
    set_task_done,
    take_task,
)
from members.services.customers import erase_customer_details
from members.services.merging import merge_customers, undo_merge
from members.services.staff import change_role, remove_staff
from tests.factories import CustomerFactory, StaffMemberFactory

pytestmark = pytest.mark.django_db
DAY = date(2026, 5, 4)


@pytest.fixture
def anna() -> Customer:
    return CustomerFactory(given_name="Anna")


def give(customer: Customer, agent: User, text: str = "Call back", due: date = DAY) -> CustomerTask:
    return add_task(
        customer=customer, actor=Actor.of_user(agent), text=text, due_on=due, assignee=agent,
        now=timezone.now(),
    )  # fmt: skip


def done(task: CustomerTask, agent: User, is_done: bool = True) -> CustomerTask:
    return set_task_done(task=task, actor=Actor.of_user(agent), done=is_done, now=timezone.now())


def test_a_task_is_on_the_list_of_who_has_it_until_it_is_done(anna: Customer, agent: User) -> None:
    later, task = give(anna, agent, "Send a card", date(2026, 6, 1)), give(anna, agent)
    assert list(tasks_for(agent)) == [task, later]
    assert tasks_for(agent).filter(due_on__lt=date(2026, 5, 5)).get() == task
    assert not tasks_for(agent).filter(due_on__lt=DAY).exists()
    done(task, agent)
    assert list(tasks_for(agent)) == [later]
    assert list(open_tasks(anna)) == [later]
    [finished] = done_tasks(anna)
    assert (finished.pk, finished.done_by) == (task.pk, agent)
    done(task, agent, is_done=False)
    assert list(tasks_for(agent)) == [task, later]


def test_twice_is_once(anna: Customer, agent: User) -> None:
    task = give(anna, agent)
    assert give(anna, agent, "  Call   back ").pk == task.pk
    first = done(task, agent)
    assert done(task, agent).done_at == first.done_at
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["customer.task_given", "customer.task_done"]
    assert give(anna, agent).pk != task.pk


@pytest.mark.parametrize(("text", "code"), [(" \n", "required"), ("x" * 301, "too_long")])
def test_an_empty_or_endless_task_is_refused(
    anna: Customer, agent: User, text: str, code: str
) -> None:
    with pytest.raises(DomainError) as caught:
        give(anna, agent, text)
    assert (caught.value.errors[0].field, caught.value.errors[0].code) == ("text", code)


def test_who_only_reads_is_given_nothing(anna: Customer, agent: User) -> None:
    analyst = StaffMemberFactory(role=StaffMember.Role.ANALYST).user
    assert assignable() == [agent]
    with pytest.raises(DomainError) as caught:
        give(anna, analyst)
    assert caught.value.errors[0].field == "assignee"


def test_tasks_go_along_with_a_merge_and_back(anna: Customer, agent: User) -> None:
    ana = CustomerFactory(given_name="Ana")
    task = give(ana, agent)
    merge, _replayed = merge_customers(
        kept=anna, merged=ana, actor=SYSTEM, source="api", now=timezone.now(), reason=""
    )
    assert list(open_tasks(anna)) == [task]
    ana.refresh_from_db()
    with pytest.raises(ConflictError):
        give(ana, agent, "Another")
    undo_merge(merge=merge, actor=SYSTEM, source="api", now=timezone.now())
    assert list(open_tasks(ana)) == [task]


def test_erased_customers_have_no_tasks_nor_are_they_in_the_log(
    anna: Customer, agent: User
) -> None:
    give(anna, agent, "Call Secretname")
    erase_customer_details(customer=anna, actor=Actor.of_user(agent))
    assert not CustomerTask.objects.exists()
    assert "Secretname" not in str(list(AuditEntry.objects.values("before", "after")))


def test_the_database_holds_that_what_is_not_done_was_done_by_nobody(
    anna: Customer, agent: User
) -> None:
    task = give(anna, agent)
    with pytest.raises(IntegrityError), transaction.atomic():
        CustomerTask.objects.filter(pk=task.pk).update(done_by=agent)
    with pytest.raises(IntegrityError), transaction.atomic():
        CustomerTask.objects.filter(pk=task.pk).update(text="")


def test_one_tag_more_or_less_leaves_the_others(anna: Customer, agent: User) -> None:
    actor = Actor.of_user(agent)
    stale = Customer.objects.get(pk=anna.pk)
    add_tag(customer=anna, actor=actor, tag=" vip ")
    add_tag(customer=stale, actor=actor, tag="press")
    add_tag(customer=stale, actor=actor, tag="vip")
    assert Customer.objects.get().tags == ["vip", "press"]
    remove_tag(customer=stale, actor=actor, tag="vip")
    remove_tag(customer=stale, actor=actor, tag="vip")
    assert Customer.objects.get().tags == ["press"]
    assert AuditEntry.objects.filter(action="customer.updated").count() == 3
    with pytest.raises(DomainError) as caught:
        add_tag(customer=anna, actor=actor, tag="x" * 65)
    assert caught.value.errors[0].field == "tags"


def test_customers_are_found_by_their_tag(anna: Customer, agent: User) -> None:
    CustomerFactory(tags=["vip-guest"])
    add_tag(customer=anna, actor=Actor.of_user(agent), tag="vip")
    assert list(tagged_customers("vip")) == [anna]
    assert tagged_customers("").count() == 2
    assert not tagged_customers("vi\x00p").exists()


def test_two_that_say_the_same_are_no_error_for_a_third(anna: Customer, agent: User) -> None:
    """One was done, given again, and taken up again."""
    first = give(anna, agent)
    done(first, agent)
    second = give(anna, agent)
    done(first, agent, is_done=False)
    assert second != first
    assert give(anna, agent) == first
    assert CustomerTask.objects.count() == 2


def test_what_somebody_leaves_undone_is_nobodys_and_says_whose_it_was(
    anna: Customer, agent: User
) -> None:
    StaffMemberFactory(administrator=True)
    task, finished = give(anna, agent), give(anna, agent, "Send a card")
    done(finished, agent)
    person = StaffMember.objects.get(user=agent)
    change_role(actor=SYSTEM, staff_member=person, role=StaffMember.Role.MARKETING_MANAGER)
    task.refresh_from_db()
    assert task.assignee == agent
    change_role(actor=SYSTEM, staff_member=person, role=StaffMember.Role.ANALYST)
    task.refresh_from_db()
    assert (task.assignee, task.released_from) == (None, str(agent))
    assert list(tasks_of_nobody()) == [task]
    entry = AuditEntry.objects.get(action="customer.task_released")
    assert entry.after == {"task": "Call back", "assignee": str(agent)}
    finished.refresh_from_db()
    assert finished.assignee == agent
    other = StaffMemberFactory().user
    take_task(task=task, actor=Actor.of_user(other))
    assert list(tasks_for(other)) == [task]
    remove_staff(actor=SYSTEM, staff_member=StaffMember.objects.get(user=other))
    assert list(tasks_of_nobody()) == [task]
    # What is taken up again after they left is nobody's, too.
    done(finished, agent, is_done=False)
    assert set(tasks_of_nobody()) == {task, finished}


def test_what_somebody_has_is_not_taken_from_them(anna: Customer, agent: User) -> None:
    task, other = give(anna, agent), StaffMemberFactory().user
    with pytest.raises(ConflictError):
        take_task(task=task, actor=Actor.of_user(other))
    assert take_task(task=task, actor=Actor.of_user(agent)).assignee == agent
    with pytest.raises(IntegrityError), transaction.atomic():
        CustomerTask.objects.update(released_from="Noor")
