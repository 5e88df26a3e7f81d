"""Long work: started once, seen while it runs, stopped, and continued where it was.

A worker that was killed leaves a job that says it is running; as soon as its process is known to
be gone, or without a heartbeat for `STALE`, it may be taken over. `started_at` marks the one run
that may write: a worker that comes back from the dead finds another run in charge and stops before
it does anything twice.

What queues jobs, runs them piece by piece and takes them over is in `members.services.job_runs`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from members.errors import ConflictError, DomainError
from members.formatting import format_number
from members.jobs import job_kind
from members.models import Job, JobError
from members.prepared import run_prepared
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.interruptions import is_interruption
from members.services.job_logs import Level, log_line
from members.services.job_workers import is_dead, this_worker

logger = logging.getLogger(__name__)

State = Job.State
STALE = timedelta(minutes=2)
PULSE = 20.0
# So many runs in a row without any progress, and it is the work that ends its workers.
MOST_ATTEMPTS = 5
# Seconds between two figures of how far a run is.
WRITTEN_EVERY = 1.0
# Seconds between the tries to reach a database that went away.
RECOVERY = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 0.0)
_OPEN = (State.QUEUED, State.RUNNING, State.FAILED)
# Of one's own run, every second of all that runs.
_LOOK = """
    UPDATE members_job SET heartbeat_at = %s, done = %s, total = %s
     WHERE id = %s AND state = 'running' AND started_at = %s
    RETURNING cancel_requested
"""


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
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        return None
    free = Job.objects.filter(Q(state=State.QUEUED) | abandoned_run(job, now), pk=job_id)
    if job.attempts >= MOST_ATTEMPTS and _given_up(job, free, now):
        return None
    further = When(done__gt=F("done_before"), then=Value(1))
    claimed = free.update(
        state=State.RUNNING,
        started_at=now,
        heartbeat_at=now,
        finished_at=None,
        error="",
        worker=this_worker(),
        attempts=Case(further, default=F("attempts") + 1),
        done_before=F("done"),
    )
    if not claimed:
        return None
    job = Job.objects.get(pk=job_id)
    log_line(job, _begin(job))
    return job


def abandoned_run(job: Job, now: datetime) -> Q:
    """The condition under which this job is one whose worker is gone; it changes with every run, so
    two who both see the worker dead do not both act on it."""
    stale = Q(state=State.RUNNING, heartbeat_at__lt=now - STALE)
    if job.state == State.RUNNING and is_dead(job.worker):
        return stale | Q(state=State.RUNNING, worker=job.worker, started_at=job.started_at)
    return stale


def save_checkpoint(
    job: Job,
    checkpoint: dict[str, Any],
    *,
    done: int,
    total: int | None = None,
    result: dict[str, Any] | None = None,
) -> None:
    """Note how far the work is, in the transaction that did it; raise if the run is not ours."""
    job.checkpoint, job.done = checkpoint, done
    job.total = job.total if total is None else total
    job.result = job.result if result is None else result
    _write(job, checkpoint=checkpoint, done=done, total=job.total, result=job.result)


@contextmanager
def running(job: Job) -> Iterator[JobProgress]:
    """Do a claimed job's work; how the block ends decides: done, failed, canceled, or waiting again
    when it was interrupted through no fault of its own."""
    with _pulse(job):
        try:
            yield JobProgress(job)
        except JobStoppedError:
            _end(job, State.CANCELED, only=Q(cancel_requested=True))
        except BaseException as error:
            if is_interruption(error):
                _interrupted(job, error)
            else:
                fail_job(job, _reason(error))
            raise
        else:
            finish_job(job, job.result)


def finish_job(job: Job, result: dict[str, Any]) -> None:
    """End a run well."""
    job.result = result
    _end(job, State.SUCCEEDED, result=result)


def fail_job(job: Job, error: str) -> None:
    """End a run badly; `retry_job` and `start_or_resume_job` continue it from its checkpoint."""
    job.error = error[:2000]
    _end(job, State.FAILED, error=job.error)


@transaction.atomic
def cancel_job(*, job: Job, actor: Actor) -> Job:
    """Stop a job: at once when nobody works on it, else at its worker's next look. One that has
    ended stays as it ended."""
    now = timezone.now()
    current = Job.objects.select_for_update().get(pk=job.pk)
    if current.state in {State.SUCCEEDED, State.CANCELED}:
        return current
    record_audit(actor=actor, action="job.cancelled", target=job)
    log_line(job, _("%(who)s wants it to stop.") % {"who": actor.label})
    idle = Q(state__in=[State.QUEUED, State.FAILED])
    stopped = Job.objects.filter(idle | abandoned_run(current, now), pk=job.pk).update(
        state=State.CANCELED, cancel_requested=True, finished_at=now
    )
    if not stopped:
        Job.objects.filter(pk=job.pk, state=State.RUNNING).update(cancel_requested=True)
    return Job.objects.get(pk=job.pk)


def retry_job(*, job: Job, actor: Actor) -> Job:
    """Have a failed or canceled job go on from its checkpoint; one that waits just waits on."""
    try:
        with transaction.atomic():
            current = Job.objects.select_for_update().get(pk=job.pk)
            if current.state == State.SUCCEEDED:
                raise ConflictError(_("This has been done already."), code="job_done")
            _resume(current, None)
            record_audit(actor=actor, action="job.retried", target=current)
            log_line(current, _("%(who)s lets it go on.") % {"who": actor.label})
            return current
    except IntegrityError as error:
        raise ConflictError(
            _("The same work was started anew in the meantime."), code="job_superseded"
        ) from error


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

    def begin_at(self, done: int) -> None:
        """Say that so much was done when this run began, where only the work itself can tell."""
        self.job.done_before = done
        _write(self.job, done_before=done)

    def look(self) -> None:
        """Write the figure now and see whether somebody wants the work to stop."""
        job = self.job
        values = [timezone.now(), job.done, job.total, job.pk, job.started_at]
        stop = [requested for (requested,) in run_prepared(_LOOK, values)]
        if not stop:
            raise _taken_over()
        if stop[0]:
            raise JobStoppedError(_("The job was canceled."))


def _resume(job: Job, params: dict[str, Any] | None) -> None:
    fresh = job.heartbeat_at is not None and job.heartbeat_at > timezone.now() - STALE
    if job.state == State.RUNNING and fresh and not is_dead(job.worker):
        raise ConflictError(_("This is already running."), code="job_running")
    if job.state in {State.FAILED, State.CANCELED}:
        job.attempts = 0
    job.state, job.finished_at = State.QUEUED, None
    job.error, job.cancel_requested = "", False
    if params is not None:
        job.replaced, job.params = job.params, params
    job.save(
        update_fields=["state", "attempts", "finished_at", "error", "cancel_requested", "params"]
    )


@contextmanager
def _pulse(job: Job) -> Iterator[None]:
    """Show that the run is alive, from a thread of its own: a single step may take minutes."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(PULSE):
            try:
                _own_run(job).update(heartbeat_at=timezone.now())
            except DatabaseError as error:
                # The work itself will notice too; until then this tries again.
                logger.warning("no sign of life of job %s: %s", job.pk, type(error).__name__)
            finally:
                connection.close()

    thread = threading.Thread(target=beat, name=f"pulse of job {job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _interrupted(job: Job, error: BaseException) -> None:
    """Let the job wait for a worker again. A database that is away may be back in a moment; when it
    is not, the job will be taken over once its last sign of life is old."""
    for pause in RECOVERY:
        try:
            _release(job, error)
        except DatabaseError as failure:
            logger.warning("job %s was interrupted: %s", job.pk, type(failure).__name__)
            time.sleep(pause)
        else:
            return


def _release(job: Job, error: BaseException) -> None:
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
    # Without a sign of life it is at once among those that nobody was asked to take.
    if _own_run(job).update(state=State.QUEUED, queued_at=None, heartbeat_at=None):
        words = _("Interrupted (%(error)s). It goes on by itself.") % {"error": _reason(error)}
        log_line(job, words, level=Level.WARNING)


def _reason(error: BaseException) -> str:
    """What went wrong, for people where somebody has written it for them."""
    if isinstance(error, DomainError):
        return str(error.message)
    return " ".join(f"{type(error).__name__}: {error}".split()).strip(": ")


def _given_up(job: Job, free: QuerySet[Job], now: datetime) -> bool:
    """Fail a job that would only end one worker after another."""
    error = _("Its worker ended %(count)s times in a row without getting any further.") % {
        "count": format_number(job.attempts)
    }
    vain = free.filter(attempts__gte=MOST_ATTEMPTS, done__lte=F("done_before"))
    given_up = vain.update(state=State.FAILED, error=error, finished_at=now)
    if given_up:
        log_line(job, _("Failed: %(error)s") % {"error": error}, level=Level.ERROR)
    return bool(given_up)


def _begin(job: Job) -> str:
    if not job.done or job_kind(job.kind).begins_anew:
        return _("Begun.")
    counts = {"done": format_number(job.done), "total": format_number(job.total)}
    if job.total:
        return _("Goes on at %(done)s of %(total)s.") % counts
    return _("Goes on at %(done)s.") % counts


def _own_run(job: Job) -> QuerySet[Job]:
    return Job.objects.filter(pk=job.pk, state=State.RUNNING, started_at=job.started_at)


def _write(job: Job, **values: Any) -> None:
    if not _own_run(job).update(heartbeat_at=timezone.now(), **values):
        raise _taken_over()


def _taken_over() -> JobStoppedError:
    return JobStoppedError(_("Another worker has taken the job over."))


def _end(job: Job, state: Job.State, *, only: Q | None = None, **values: Any) -> None:
    rows = _own_run(job).filter(only) if only is not None else _own_run(job)
    ended = rows.update(
        state=state, done=job.done, total=job.total, finished_at=timezone.now(), **values
    )
    if ended:
        job.state = state
        _log_end(job)


def _log_end(job: Job) -> None:
    if job.state == State.FAILED:
        log_line(job, _("Failed: %(error)s") % {"error": job.error}, level=Level.ERROR)
    elif job.state == State.CANCELED:
        log_line(job, _("Stopped."), level=Level.WARNING)
    else:
        log_line(job, _("Done."))
