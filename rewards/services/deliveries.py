"""A reward that is sent, and its task: one begins, goes on and ends with the other. The caller
holds the locks of what was taken; its task is locked after them."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from loyalty.models import Program
from loyalty.rules.calendar import end_of_day
from members.prepared import KeptQuery
from members.services.audit import Actor
from rewards.addresses import Address
from rewards.errors import RedemptionStateError
from rewards.models import FulfillmentStep, FulfillmentTask, FulfillmentTerms, Redemption

Status = FulfillmentTask.Status
# Days to send something, where a program says nothing else.
DAYS = 3


def begin_delivery(taken: Redemption, address: Address | None, now: dt.datetime) -> None:
    """Put what was taken into the queue, if it is one that is sent."""
    if not taken.reward.sent:
        return
    task = FulfillmentTask(
        program_id=taken.reward.program_id, membership=taken.membership, redemption=taken,
        kind=FulfillmentTask.Kind.REWARD, what=taken.reward.name, key=f"reward:{taken.pk}",
        status=Status.AWAITED, created_at=now,
        address=None if address is None else address.model_dump(),
    )  # fmt: skip
    if address is not None and taken.status == Redemption.Status.ISSUED:
        enter_queue(task, now)
    task.save()


def continue_delivery(taken: Redemption, now: dt.datetime) -> None:
    """It was only reserved, and is handed out now."""
    task = _task_of(taken)
    if task is not None and task.status == Status.AWAITED and task.address is not None:
        enter_queue(task, now)
        task.save(update_fields=["status", "due_at"])


def end_delivery(taken: Redemption, actor: Actor, now: dt.datetime) -> None:
    """It is given up: nothing is sent any more. Raises RedemptionStateError where it is on its
    way."""
    task = _task_of(taken)
    if task is None or task.status == Status.CANCELED:
        return
    if task.status == Status.SENT:
        raise RedemptionStateError(_("It has been sent. Note first that it came back."))
    take_step(task, Status.CANCELED, actor, now)


def take_step(
    task: FulfillmentTask, after: str, actor: Actor, now: dt.datetime, reason: str = ""
) -> None:
    """Write one step of a locked task down."""
    FulfillmentStep.objects.create(
        task=task, before=task.status, after=after, at=now, due_before=task.due_at,
        staff=actor.user, reason=reason,
    )  # fmt: skip
    set_status(task, after, now)
    task.save()


def set_status(task: FulfillmentTask, status: str, now: dt.datetime) -> None:
    """Its state, and the times that go with it."""
    if status == Status.SENT:
        task.sent_at = task.sent_at or now
    elif status in FulfillmentTask.OPEN:
        task.sent_at = None
    if task.forgets_address and status not in FulfillmentTask.OPEN:
        task.address = None
    ends = status in (Status.RETURNED, Status.CANCELED)
    task.status, task.closed_at = status, now if ends else None


def enter_queue(task: FulfillmentTask, now: dt.datetime) -> None:
    """It can be sent from now on, within the days of its program."""
    task.status, task.due_at = Status.TO_DO, due_at(task.program, now)


def due_at(program: Program, now: dt.datetime) -> dt.datetime:
    """The end of the last day on which it is in time."""
    today = now.astimezone(program.zone).date()
    return end_of_day(today + dt.timedelta(days=days_of(program)), program.zone)


def days_of(program: Program) -> int:
    found = FulfillmentTerms.objects.filter(program=program).values_list("days", flat=True)
    return found.first() if found else DAYS  # type: ignore[return-value]


def _task_of(taken: Redemption) -> FulfillmentTask | None:
    return _tasks.first(taken.pk)


_tasks = KeptQuery(
    lambda taken: (
        FulfillmentTask.objects.select_related("program", "membership")
        .select_for_update(of=("self",))
        .filter(redemption=taken)
        .order_by()
    )
)
