"""Long work: started once, seen while it runs, stopped, and continued where it was.

A worker that was killed leaves a job that says it is running; without a heartbeat for `STALE` it
may be taken over. `started_at` marks the one run that may write: a worker that comes back from the
dead finds another run in charge and stops before it does anything twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from members.errors import ConflictError
from members.models import Job, JobError
from members.services.audit import SYSTEM, Actor, record_audit

State = Job.State
STALE = timedelta(minutes=2)
WRITTEN_EVERY = 1.0
_OPEN = (State.QUEUED, State.RUNNING, State.FAILED)


class JobStoppedError(Exception):
    """The job was canceled or taken over; its worker must stop now."""


def start_or_resume_job(
    *,
    kind: str,
    label: str,
    fingerprint: str,
    params: dict[str, Any] | None = None,
    actor: Actor,
    total: int = 0,
) -> Job:
    """Return a waiting job for this work: the unfinished one with its checkpoint, or a new one."""
    try:
        with transaction.atomic():
            job = Job.objects.select_for_update().filter(
                kind=kind, fingerprint=fingerprint, state__in=_OPEN
            ).first()  # fmt: skip
            if job is None:
                job = Job.objects.create(
                    kind=kind, label=label[:200], fingerprint=fingerprint, params=params or {},
                    total=total, created_by=actor.user,
                )  # fmt: skip
            else:
                _resume(job, params)
            if actor is not SYSTEM:
                record_audit(actor=actor, action="job.started", target=job)
            return job
    except IntegrityError:
        # Somebody else started the same work in this moment.
        return start_or_resume_job(
            kind=kind, label=label, fingerprint=fingerprint, params=params, actor=actor, total=total
        )


def claim_job(job_id: int) -> Job | None:
    """Take a waiting job for this worker, or one whose worker is dead; None if there is neither."""
    now = timezone.now()
    free = Q(state=State.QUEUED) | Q(state=State.RUNNING, heartbeat_at__lt=now - STALE)
    claimed = Job.objects.filter(free, pk=job_id).update(
        state=State.RUNNING,
        started_at=now,
        heartbeat_at=now,
        finished_at=None,
        error="",
        done_before=F("done"),
    )
    return Job.objects.get(pk=job_id) if claimed else None


def save_checkpoint(
    job: Job, checkpoint: dict[str, Any], *, done: int, total: int | None = None
) -> None:
    """Note how far the work is, in the transaction that did it; raise if the run is not ours."""
    job.checkpoint, job.done = checkpoint, done
    job.total = job.total if total is None else total
    _write(job, checkpoint=checkpoint, done=done, total=job.total)


@contextmanager
def running(job: Job) -> Iterator[JobProgress]:
    """Do a claimed job's work; how the block ends decides: done, failed or canceled."""
    try:
        yield JobProgress(job)
    except JobStoppedError:
        _end(job, State.CANCELLED, only=Q(cancel_requested=True))
    except BaseException as error:
        fail_job(job, f"{type(error).__name__}: {error}")
        raise
    else:
        finish_job(job, job.result)


def finish_job(job: Job, result: dict[str, Any]) -> None:
    """End a run well."""
    job.result = result
    _end(job, State.SUCCEEDED, result=result)


def fail_job(job: Job, error: str) -> None:
    """End a run badly; `start_or_resume_job` continues it from its checkpoint."""
    job.error = error[:2000]
    _end(job, State.FAILED, error=job.error)


@transaction.atomic
def cancel_job(*, job: Job, actor: Actor) -> Job:
    """Stop a job: at once when nobody works on it, else at its worker's next look."""
    now = timezone.now()
    record_audit(actor=actor, action="job.cancelled", target=job)
    idle = Q(state__in=[State.QUEUED, State.FAILED])
    dead = Q(state=State.RUNNING, heartbeat_at__lt=now - STALE)
    stopped = Job.objects.filter(idle | dead, pk=job.pk).update(
        state=State.CANCELLED, cancel_requested=True, finished_at=now
    )
    if not stopped:
        Job.objects.filter(pk=job.pk, state=State.RUNNING).update(cancel_requested=True)
    return Job.objects.get(pk=job.pk)


def record_job_errors(job: Job, errors: Iterable[JobError]) -> None:
    """Keep the rows that were refused; the same row twice is one row."""
    rows = list(errors)
    for row in rows:
        row.job = job
    JobError.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)


class JobProgress:
    """Tells how far a run is, as often as the work likes and as seldom as the database should see.

    Call it outside the work's transaction, otherwise nobody sees the figure before the commit.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self._written = 0.0

    def update(self, done: int, total: int | None = None) -> None:
        """Note a figure, and raise JobStoppedError when the work is to stop."""
        self.job.done = done
        self.job.total = self.job.total if total is None else total
        now = time.monotonic()
        if now - self._written >= WRITTEN_EVERY:
            self._written = now
            self.look()

    def look(self) -> None:
        """Write the figure now and see whether somebody wants the work to stop."""
        _write(self.job, done=self.job.done, total=self.job.total)
        if Job.objects.filter(pk=self.job.pk, cancel_requested=True).exists():
            raise JobStoppedError(_("The job was canceled."))


def _resume(job: Job, params: dict[str, Any] | None) -> None:
    alive = job.heartbeat_at is not None and job.heartbeat_at > timezone.now() - STALE
    if job.state == State.RUNNING and alive:
        raise ConflictError(_("This is already running."), code="job_running")
    job.state = State.QUEUED
    job.error, job.cancel_requested = "", False
    if params is not None:
        job.params = params
    job.save(update_fields=["state", "error", "cancel_requested", "params"])


def _own_run(job: Job) -> QuerySet[Job]:
    return Job.objects.filter(pk=job.pk, state=State.RUNNING, started_at=job.started_at)


def _write(job: Job, **values: Any) -> None:
    if not _own_run(job).update(heartbeat_at=timezone.now(), **values):
        raise JobStoppedError(_("Another worker has taken the job over."))


def _end(job: Job, state: Job.State, *, only: Q | None = None, **values: Any) -> None:
    rows = _own_run(job).filter(only) if only is not None else _own_run(job)
    ended = rows.update(
        state=state, done=job.done, total=job.total, finished_at=timezone.now(), **values
    )
    if ended:
        job.state = state
