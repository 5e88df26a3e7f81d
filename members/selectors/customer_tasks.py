"""What the team has to do for customers, the most urgent first."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from members.errors import NotFoundError
from members.models import Customer, CustomerTask, User

DONE_SHOWN = 5


def open_tasks(customer: Customer) -> QuerySet[CustomerTask]:
    return customer.tasks.filter(done_at=None).select_related("assignee")


def done_tasks(customer: Customer) -> list[CustomerTask]:
    """The last few."""
    done = customer.tasks.filter(done_at__isnull=False).select_related("done_by")
    return list(done.order_by("-done_at", "-pk")[:DONE_SHOWN])


def tasks_for(user: User) -> QuerySet[CustomerTask]:
    """What this person has to do."""
    return CustomerTask.objects.filter(assignee=user, done_at=None).select_related("customer")


def tasks_of_nobody() -> QuerySet[CustomerTask]:
    """What waits for somebody to take it."""
    return CustomerTask.objects.filter(assignee=None, done_at=None).select_related("customer")


def get_task(customer: Customer, pk: int) -> CustomerTask:
    """One of this customer's, or NotFoundError."""
    task = customer.tasks.filter(pk=pk).first()
    if task is None:
        raise NotFoundError(_("There is no such task."))
    return task
