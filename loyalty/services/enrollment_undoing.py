"""Undoing an enrollment from a file: whom it made members leaves again, unless they have done
something since, or something was done with them. Nobody is deleted.

So there is no second way to end a membership. Who has left is passed over, so a second run changes
nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.ledger.posting import lock_wallets
from loyalty.models import EnrollmentBatch, Membership, Program
from loyalty.selectors.enrollment_undos import (
    EnrollmentUndoPreview,
    preview_enrollment_undo,
    why_they_stay,
)
from loyalty.selectors.memberships import wallet_ids
from loyalty.services.enrollment_files import KIND, UNDO
from loyalty.services.import_jobs import actor_of
from loyalty.services.imported_people import AT_ONCE as ERASED_AT_ONCE
from loyalty.services.imported_people import erase_people
from loyalty.services.leaving import leave_program
from loyalty.services.undo_jobs import (
    Piece,
    Work,
    begin_undo,
    check_asked,
    check_left,
    counts_in_words,
    go_on,
    next_piece,
    open_undo,
)
from members.models import Customer, Job, JobError
from members.services.audit import Actor
from members.services.job_runs import Step, run_in_chunks
from members.services.jobs import record_job_errors

AT_ONCE = 50
# People of a file are written one by one, with two times taken one after the other.
ONE_WRITE = dt.timedelta(milliseconds=100)


@transaction.atomic
def start_enrollment_undo(*, job: Job, reason: str, actor: Actor, erase: bool = False) -> Job:
    """A waiting job that undoes this enrollment, to be queued; the unfinished one if there is one,
    as it was asked for then.

    `erase`: the details of people whom the file brought, and of whom nothing else is known, are
    emptied afterwards. Raises DomainError where there is nothing to undo.
    """
    row = Job.objects.select_for_update(no_key=True).get(pk=job.pk, kind=KIND)
    reason = check_asked(reason, actor, erase=erase)
    begun = open_undo(UNDO, row)
    if begun is not None:
        return go_on(begun, actor)
    preview = preview_enrollment_undo(row)
    refuse_enrollment_undo(row, preview, erase=erase)
    return begin_undo(
        UNDO, row, reason=reason, actor=actor, erase=erase, due={"members": preview.due},
        about=Program.objects.filter(pk=row.params["program"]).first(),
        total=preview.due + preview.gone + preview.kept,
    )  # fmt: skip


def refuse_enrollment_undo(
    job: Job, preview: EnrollmentUndoPreview, *, erase: bool = False
) -> None:
    """Raise ConflictError, saying why it cannot be undone."""
    unknown = _(
        "Setia did not keep whom this file brought: it brought nobody new, or is older than"
        " that. End memberships where they are."
    )
    left = bool(preview.due or (erase and preview.made))
    check_left(job, known=preview.known, left=left, unknown=unknown)


def run_enrollment_undo(job_id: int) -> Job | None:
    """Undo what is left; None when another run has it."""
    return run_in_chunks(job_id, _piece)


def enrollment_undo_words(job: Job) -> str:
    """What came of it, for people."""
    words = {
        "left": _("%s members left"),
        "gone": _("%s had left already"),
        "kept": _("%s stay as they are"),
        "erased": _("%s customers erased"),
    }
    return counts_in_words(job, words)


def _piece(job: Job) -> Step | None:
    # Who is erased is known once all have left who leave.
    work: Work[EnrollmentBatch] = {"members": _members_leave}
    counted: tuple[str, ...] = ("left", "gone", "kept")
    if job.params["erase"]:
        work, counted = {**work, "people": _people_erased}, (*counted, "erased")
    batches = EnrollmentBatch.objects.filter(job=job.params["import"])
    return next_piece(job, batches, work, counted)


def _members_leave(batch: EnrollmentBatch, place: int, job: Job) -> Piece:
    ahead = place + AT_ONCE
    some = batch.members[place:ahead]
    counts = have_leave(some, batch.at, job)
    return Piece(counts, len(some), ahead if ahead < len(batch.members) else None)


def _people_erased(batch: EnrollmentBatch, place: int, job: Job) -> Piece:
    ahead = place + ERASED_AT_ONCE
    counts = erase_brought(batch.customers[place:ahead], job)
    return Piece(counts, ahead=ahead if ahead < len(batch.customers) else None)


def have_leave(keys: list[int], since: dt.datetime, job: Job) -> Counter[str]:
    """These members leave, who may."""
    found = Membership.objects.filter(pk__in=keys)
    # Whoever buys waits, and then is a member no more; as everywhere, before the people.
    lock_wallets(wallet_ids(found))
    people = found.values("customer")
    list(Customer.objects.select_for_update().filter(pk__in=people).order_by("pk"))
    members = list(found.select_related("customer").order_by("pk"))
    why, actor, now = why_they_stay(members, since), actor_of(job), timezone.now()
    counts: Counter[str] = Counter()
    for member in members:
        if member.pk not in why and member.status == Membership.Status.LEFT:
            counts["gone"] += 1
        elif member.pk not in why:
            leave_program(membership=member, actor=actor, now=now)
            counts["left"] += 1
    record_job_errors(
        job,
        [
            JobError(
                file="members", row=member.pk, column="customer",
                value=str(member.customer.public_id), reason=why[member.pk],
            )
            for member in members
            if member.pk in why
        ],
    )  # fmt: skip
    counts["kept"] += len(why)
    return counts


def erase_brought(keys: list[int], job: Job) -> Counter[str]:
    """These people, who are a member of nothing any more; nobody enrolls them meanwhile."""
    list(Customer.objects.select_for_update().filter(pk__in=keys).order_by("pk"))
    staying = Membership.objects.filter(customer__in=keys).exclude(status=Membership.Status.LEFT)
    members = set(staying.values_list("customer", flat=True))
    return erase_people([key for key in keys if key not in members], job, one_write=ONE_WRITE)
