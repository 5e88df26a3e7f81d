"""Tasks of the team about a customer: given, done, and taken up again."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from members.errors import ConflictError, DomainError, FieldError
from members.models import Customer, CustomerTask, StaffMember, User
from members.policy import roles_allowed
from members.selectors.erased import refuse_erased
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
    refuse_erased(Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk))
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
    if not done and row.assignee is not None and row.assignee not in assignable():
        row.assignee, row.released_from = None, str(row.assignee)[:200]
    row.save(update_fields=["done_at", "done_by", "assignee", "released_from"])
    record_audit(
        actor=actor, action="customer.task_done" if done else "customer.task_reopened",
        target=row.customer, after={"task": row.text},
    )  # fmt: skip
    return row


@transaction.atomic
def release_tasks(*, assignee: User, actor: Actor) -> int:
    """Somebody looks after customers no more: what they have not done is nobody's now, says whose
    it was, and waits for whoever takes it. Returns how many there were."""
    rows = list(
        CustomerTask.objects.select_for_update(of=("self",))
        .select_related("customer")
        .filter(assignee=assignee, done_at=None)
        .order_by("pk")
    )
    for row in rows:
        row.assignee, row.released_from = None, str(assignee)[:200]
        record_audit(
            actor=actor, action="customer.task_released", target=row.customer,
            after={"task": row.text, "assignee": row.released_from},
        )  # fmt: skip
    CustomerTask.objects.bulk_update(rows, ["assignee", "released_from"])
    return len(rows)


@transaction.atomic
def take_task(*, task: CustomerTask, actor: Actor) -> CustomerTask:
    """Take on what is nobody's. Again changes nothing; what somebody else has stays theirs."""
    row = CustomerTask.objects.select_for_update(of=("self",)).get(pk=task.pk)
    if actor.user is None or row.assignee_id == actor.user.pk:
        return row
    if row.assignee_id is not None or row.done_at is not None:
        message = _("Somebody has taken this already.")
        raise ConflictError(message, code="taken")
    row.assignee, row.released_from = actor.user, ""
    row.save(update_fields=["assignee", "released_from"])
    record_audit(
        actor=actor, action="customer.task_taken", target=row.customer, after={"task": row.text}
    )
    return row


def _refused(field: str, message: str, code: str) -> DomainError:
    return DomainError(message, errors=[FieldError(field, message, code)])


def assignable() -> list[User]:
    """Who may be given a task: whoever may write down something about a customer."""
    roles = roles_allowed("customers.annotate")
    members = StaffMember.objects.filter(role__in=roles).select_related("user")
    return sorted((one.user for one in members), key=lambda user: str(user).casefold())
