"""What undoing is, whatever a file brought: asked for with a reason, refused where there is nothing
to undo, and done by a job that goes through what the import kept, batch by batch.

A piece and the note that it is done are one transaction, so an undo that was killed goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from loyalty.models import Program
from loyalty.services.import_jobs import said_of
from members.errors import ConflictError, DomainError, FieldError
from members.formatting import format_number
from members.models import Job
from members.policy import is_allowed
from members.services.audit import Actor, record_audit
from members.services.job_runs import Step
from members.services.jobs import start_or_resume_job

ENDED = (Job.State.SUCCEEDED, Job.State.CANCELED, Job.State.FAILED)
B = TypeVar("B", bound=Model)


@dataclass(frozen=True, slots=True)
class Piece:
    """What came of a part of a batch: counts by what was done, how far the work has come by it, and
    the place after it; None: the batch has no more."""

    counts: Counter[str]
    done: int = 0
    ahead: int | None = None


# By phase, in their order: does the next part of a batch, from a place on.
Work = Mapping[str, Callable[[B, int, Job], Piece]]


def check_asked(reason: str, actor: Actor, *, erase: bool) -> str:
    """The reason, as it is kept. Raises DomainError where there is none, or where people are to be
    erased by somebody who may not."""
    reason = reason.strip()
    if not reason:
        raise DomainError(_("Say why."), errors=[FieldError("reason", _("Say why."), "required")])
    if erase and actor.user is not None and not is_allowed(actor.user, "customers.erase"):
        message = _("Your role may not erase customers.")
        raise DomainError(message, code="not_allowed", errors=[FieldError("erase", message)])
    return reason


def check_left(job: Job, *, known: bool, left: bool, unknown: str) -> None:
    """Raise ConflictError, saying why an import cannot be undone; `unknown`: what to do where Setia
    did not keep what it brought."""
    if job.state not in ENDED:
        raise ConflictError(_("The import still runs. Cancel it first."), code="job_running")
    if not known:
        raise ConflictError(unknown, code="nothing_kept")
    if not left:
        raise ConflictError(_("There is nothing left to undo."), code="nothing_left")


def open_undo(kind: str, row: Job) -> Job | None:
    """What undoes this import, as long as it waits, runs, or has failed and may go on. `kind`: of
    the jobs that undo such imports."""
    states = (Job.State.QUEUED, Job.State.RUNNING, Job.State.FAILED)
    return Job.objects.filter(kind=kind, fingerprint=str(row.pk), state__in=states).first()


def refuse_while_undone(kind: str, row: Job) -> None:
    """Raise DomainError for an import that would bring in what is just being taken out."""
    if open_undo(kind, row) is not None:
        raise DomainError(
            _("This import is being undone. Wait until that has ended."), code="being_undone"
        )


def begin_undo(
    kind: str, row: Job, *, reason: str, actor: Actor, erase: bool, about: Program | None,
    due: Mapping[str, int], total: int,
) -> Job:  # fmt: skip
    """A waiting job of this kind that undoes the import `row`; `due`: what the log says of it."""
    record_audit(
        actor=actor, action="import.undone", target=row, about=about, reason=reason,
        after={**due, "erase": erase},
    )  # fmt: skip
    return start_or_resume_job(
        kind=kind, label=_("Undo: %s") % row.label, fingerprint=str(row.pk), actor=actor,
        params={
            "import": row.pk, "erase": erase, "reason": reason,
            **said_of(actor, dry_run=False),
        },
        total=total,
    )  # fmt: skip


def go_on(begun: Job, actor: Actor) -> Job:
    """The same job, as it was asked for then."""
    return start_or_resume_job(
        kind=begun.kind, label=begun.label, fingerprint=begun.fingerprint, actor=actor
    )


def next_piece(
    job: Job, batches: QuerySet[B], work: Work[B], counted: tuple[str, ...]
) -> Step | None:
    """Do the next piece of a phase, batch by batch, those that came last first."""
    # It may have been let go on since the undo was canceled.
    if not Job.objects.filter(pk=job.params["import"], state__in=ENDED).exists():
        raise DomainError(_("The import still runs. Cancel it first."), code="job_running")
    phases = list(work)
    at: dict[str, Any] = job.checkpoint or {"phase": phases[0]}
    batch, place = _batch(batches, at), at.get("place", 0)
    while batch is None:
        if at["phase"] == phases[-1]:
            return None
        at = {"phase": phases[phases.index(at["phase"]) + 1]}
        batch = _batch(batches, at)
    piece = work[at["phase"]](batch, place, job)
    return Step(
        {"phase": at["phase"], "batch": batch.pk, "place": piece.ahead or 0},
        job.done + piece.done,
        result={name: job.result.get(name, 0) + piece.counts[name] for name in counted},
    )


def _batch(batches: QuerySet[B], at: Mapping[str, Any]) -> B | None:
    """The one that a phase is at, or comes to next."""
    if "batch" in at:
        batches = batches.filter(**{"pk__lte" if at["place"] else "pk__lt": at["batch"]})
    return batches.order_by("-pk").first()


def counts_in_words(job: Job, words: Mapping[str, str]) -> str:
    """What came of it, for people; `words` by what is counted, with %s for how many."""
    counted = [
        words[name] % format_number(job.result[name]) for name in words if job.result.get(name)
    ]
    return ", ".join(counted) or _("Nothing to undo")
