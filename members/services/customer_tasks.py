"""Tasks of the team about a customer: given, done, and taken up again."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from members.errors import DomainError, FieldError
from members.models import Customer, CustomerTask, StaffMember, User
from members.policy import roles_allowed
from members.selectors.merges import refuse_merged
from members.services.audit import Actor, record_audit

TEXT_LENGTH = 300


@transaction.atomic
def add_task(
    *, customer: Customer, actor: Actor, text: str, due_on: date, assignee: User, now: datetime
) -> CustomerTask:
    """Give somebody of the team something to do for a customer. The same once more, while it is
    still to be done, is the same task."""
    refuse_merged(customer)
    text = " ".join(text.replace("\x00", "").split())
    if not text:
        raise _refused("text", _("Write what is to be done."), "required")
    if len(text) > TEXT_LENGTH:
        message = _("At most %(limit)s characters.") % {"limit": TEXT_LENGTH}
        raise _refused("text", message, "too_long")
    if assignee not in assignable():
        message = _("%s does not look after customers. Choose somebody else.") % assignee
        raise _refused("assignee", message, "not_assignable")
    # Who presses twice waits here, and then finds it.
    Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    said = {"customer": customer, "text": text, "due_on": due_on, "assignee": assignee}
    # There may be several, where one was taken up again.
    known = CustomerTask.objects.filter(**said, done_at=None).order_by("pk").first()
    if known is not None:
        return known
    task = CustomerTask.objects.create(**said, author=actor.user, created_at=now)
    after = {"task": text, "due_on": due_on.isoformat(), "assignee": str(assignee)}
    record_audit(actor=actor, action="customer.task_given", target=customer, after=after)
    return task


@transaction.atomic
def set_task_done(*, task: CustomerTask, actor: Actor, done: bool, now: datetime) -> CustomerTask:
    """Tick it off, or take it up again. Twice changes nothing."""
    row = CustomerTask.objects.select_for_update(of=("self",)).get(pk=task.pk)
    if (row.done_at is not None) == done:
        return row
    row.done_at = now if done else None
    row.done_by = actor.user if done else None
    row.save(update_fields=["done_at", "done_by"])
    record_audit(
        actor=actor, action="customer.task_done" if done else "customer.task_reopened",
        target=row.customer, after={"task": row.text},
    )  # fmt: skip
    return row


def _refused(field: str, message: str, code: str) -> DomainError:
    return DomainError(message, errors=[FieldError(field, message, code)])


def assignable() -> list[User]:
    """Who may be given a task: whoever may write down something about a customer."""
    roles = roles_allowed("customers.annotate")
    members = StaffMember.objects.filter(role__in=roles).select_related("user")
    return sorted((one.user for one in members), key=lambda user: str(user).casefold())
