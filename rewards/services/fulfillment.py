"""What is sent: given by hand, packed, sent, come back; each step once, and back again.

Locks: what was taken (with its wallet and voucher), then its task. A redemption that is sent is
used; one that comes back is canceled, or sent again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.errors import KeyReusedError
from loyalty.models import Membership, Program
from loyalty.selectors.memberships import memberships
from members.errors import DomainError, FieldError
from members.models import User
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically
from rewards.addresses import Address
from rewards.errors import TaskStateError
from rewards.models import FulfillmentTask, FulfillmentTerms, Redemption
from rewards.selectors.fulfillment import tasks
from rewards.services.deliveries import enter_queue, set_status, take_step
from rewards.services.redemption_locks import lock_wallets_of
from rewards.services.redemptions import cancel_redemption, reissue_redemption, use_redemption

Kind = FulfillmentTask.Kind
Status = FulfillmentTask.Status
# What may follow on what, when somebody says so.
NEXT: dict[str, tuple[str, ...]] = {
    Status.AWAITED: (Status.CANCELED,),
    Status.TO_DO: (Status.PACKED, Status.CANCELED),
    Status.PACKED: (Status.SENT, Status.CANCELED),
    Status.SENT: (Status.RETURNED,),
    Status.RETURNED: (Status.TO_DO, Status.CANCELED),
    Status.CANCELED: (),
}


def give_by_hand(
    *, membership: Membership, kind: str, what: str, words: str, address: Address | None,
    key: str, actor: Actor, now: dt.datetime,
) -> FulfillmentTask:  # fmt: skip
    """A surprise gift or a note for a member. The same key again gives nothing more."""
    if kind not in (Kind.SURPRISE, Kind.NOTE):
        raise DomainError(_("Choose what it is."), errors=[FieldError("kind", _("Choose one."))])
    if kind == Kind.NOTE and not words.strip():
        wrong = FieldError("words", _("Say what the note says."))
        raise DomainError(_("A note has words."), errors=[wrong])

    def give() -> FulfillmentTask:
        member = memberships().select_for_update(of=("self",)).get(pk=membership.pk)
        known = tasks().filter(key=key).first()
        if known is not None:
            if known.membership_id != member.pk:
                raise KeyReusedError(_("This key belongs to another task."))
            return known
        task = FulfillmentTask(
            program=member.program, membership=member, kind=kind, what=what, words=words.strip(),
            status=Status.AWAITED, key=key, created_at=now,
            address=None if address is None else address.model_dump(),
        )  # fmt: skip
        if address is not None:
            enter_queue(task, now)
        task.save()
        _audit("fulfillment.given", task, actor)
        return task

    return run_atomically(give)


def set_address(
    *, task: FulfillmentTask, address: Address, actor: Actor, now: dt.datetime
) -> FulfillmentTask:
    """Where it goes to; what only waited for that can be packed. Raises TaskStateError once it is
    sent."""

    def change(found: FulfillmentTask) -> None:
        if found.status not in (*FulfillmentTask.OPEN, Status.RETURNED):
            raise TaskStateError(_("It is not to be sent any more."))
        found.address = address.model_dump()
        reserved = found.redemption is not None and (
            found.redemption.status == Redemption.Status.RESERVED
        )
        if found.status == Status.AWAITED and not reserved:
            enter_queue(found, now)
        found.save()
        # Where somebody lives is not for the log.
        _audit("fulfillment.addressed", found, actor)

    return _with_locked(task, change)


def assign_task(*, task: FulfillmentTask, assignee: User | None, actor: Actor) -> FulfillmentTask:
    """Who sees to it; None: nobody yet."""

    def change(found: FulfillmentTask) -> None:
        if found.assignee_id == (assignee.pk if assignee else None):
            return
        found.assignee = assignee
        found.save(update_fields=["assignee"])
        _audit("fulfillment.assigned", found, actor, assignee=str(assignee) if assignee else "")

    return _with_locked(task, change)


def advance_task(
    *, task: FulfillmentTask, to: str, actor: Actor, now: dt.datetime, reason: str = "",
    carrier: str = "", tracking_number: str = "", source: str = "backoffice",
) -> FulfillmentTask:  # fmt: skip
    """Go on to `to`; being there already changes nothing. Raises TaskStateError where that does
    not follow on what it is."""

    def change(found: FulfillmentTask) -> None:
        if found.status == to:
            return
        if to not in NEXT[found.status]:
            raise TaskStateError(
                _("It is “%(now)s”: “%(then)s” does not follow on that.")
                % {"now": found.get_status_display(), "then": str(dict(Status.choices).get(to, to))}
            )
        if to == Status.SENT:
            found.carrier, found.tracking_number = carrier.strip(), tracking_number.strip()
        if to == Status.CANCELED and found.redemption is not None:
            if found.status == Status.RETURNED:
                # It was sent, and so used; now it is here again.
                reissue_redemption(redemption=found.redemption, actor=actor, now=now)
            # Cancels the task with it.
            cancel_redemption(
                redemption=found.redemption, reason=reason, source=source, actor=actor, now=now
            )
            found.refresh_from_db()
            return
        back = found.status == Status.RETURNED
        _need_address(found, to)
        take_step(found, to, actor, now, reason)
        _keep_redemption(found, actor, now)
        if back:
            enter_queue(found, now)
            found.save()
        _audit("fulfillment.advanced", found, actor, reason=reason, status=to)

    return _with_locked(task, change)


def undo_step(*, task: FulfillmentTask, actor: Actor, now: dt.datetime) -> FulfillmentTask:
    """Take the last step back. Raises TaskStateError where there is none, or its units have come
    back with it."""

    def change(found: FulfillmentTask) -> None:
        step = found.steps.filter(undone_at=None).last()
        gone = found.redemption is not None and found.redemption.status in (
            Redemption.Status.CANCELED, Redemption.Status.EXPIRED,
        )  # fmt: skip
        if step is None or step.after != found.status or gone:
            raise TaskStateError(_("There is no step to take back."))
        _need_address(found, step.before)
        step.undone_at = now
        step.save(update_fields=["undone_at"])
        found.due_at = step.due_before
        set_status(found, step.before, now)
        found.save()
        _keep_redemption(found, actor, now)
        _audit("fulfillment.undone", found, actor, status=step.before)

    return _with_locked(task, change)


@transaction.atomic
def set_days(*, program: Program, days: int, actor: Actor) -> None:
    """How soon a program sends from now on; what is in the queue keeps its day."""
    before = FulfillmentTerms.objects.filter(program=program).values_list("days", flat=True).first()
    if before == days:
        return
    FulfillmentTerms.objects.update_or_create(program=program, defaults={"days": days})
    record_audit(
        actor=actor, action="fulfillment.days", target=program,
        before={} if before is None else {"days": before}, after={"days": days},
    )  # fmt: skip


def forget_addresses(*, memberships: Sequence[Membership], actor: Actor) -> int:
    """Forget where members live, wherever nothing is on its way to them. Returns of how many
    parcels."""

    def forget() -> int:
        done = FulfillmentTask.objects.filter(
            membership__in=memberships, address__isnull=False,
            status__in=[Status.AWAITED, Status.SENT, Status.RETURNED, Status.CANCELED],
        )  # fmt: skip
        forgotten = done.update(address=None)
        if forgotten:
            record_audit(
                actor=actor, action="fulfillment.forgotten", target=memberships[0].customer,
                after={"count": forgotten},
            )  # fmt: skip
        return forgotten

    return run_atomically(forget)


def _need_address(task: FulfillmentTask, to: str) -> None:
    if to in (Status.TO_DO, Status.PACKED) and task.address is None:
        raise TaskStateError(_("Say first where it goes to."))


def _keep_redemption(task: FulfillmentTask, actor: Actor, now: dt.datetime) -> None:
    """What was taken is used once it is sent, and to be used where that is taken back."""
    if task.redemption is None:
        return
    if task.status in (Status.SENT, Status.RETURNED):
        use_redemption(redemption=task.redemption, actor=actor, now=now)
    else:
        reissue_redemption(redemption=task.redemption, actor=actor, now=now)


def _with_locked(
    task: FulfillmentTask, change: Callable[[FulfillmentTask], None]
) -> FulfillmentTask:
    """Change the task as it is now, what was taken for it locked before it."""

    def work() -> FulfillmentTask:
        if task.redemption_id is not None:
            _lock_redemption(task.redemption_id)
        found = tasks().select_for_update(of=("self",)).get(pk=task.pk)
        change(found)
        return found

    return run_atomically(work)


def _lock_redemption(pk: int) -> None:
    """Its wallet first: units may come back with it."""
    lock_wallets_of([Redemption.objects.select_related("spent").get(pk=pk)])
    Redemption.objects.select_for_update().filter(pk=pk).values_list("pk").first()


def _audit(action: str, task: FulfillmentTask, actor: Actor, reason: str = "", **more: str) -> None:
    record_audit(
        actor=actor, action=action, target=task.membership.customer, about=task.membership,
        after={"what": task.what, **more}, reason=reason,
    )  # fmt: skip
