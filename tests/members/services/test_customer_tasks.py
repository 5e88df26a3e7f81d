"""Tasks of the team about a customer, and their tags."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from members.errors import ConflictError, DomainError
from members.models import AuditEntry, Customer, CustomerTask, StaffMember, User
from members.selectors.customer_tasks import (
    count_overdue,
    done_tasks,
    open_tasks,
    tasks_for,
)
from members.selectors.customers import tagged_customers
from members.services.audit import SYSTEM, Actor
from members.services.customer_tags import add_tag, remove_tag
from members.services.customer_tasks import add_task, assignable, set_task_done
from members.services.customers import erase_customer_details
from members.services.merging import merge_customers, undo_merge
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
    assert count_overdue(agent, date(2026, 5, 5)) == 1
    assert count_overdue(agent, DAY) == 0
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
