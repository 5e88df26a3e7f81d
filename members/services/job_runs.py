"""Having work done: queued for a worker, run piece by piece, by the schedule, and again after a
kill.

Nothing here knows a kind of work; each is registered in `members.jobs`. Whoever asks for a job that
another run has gets nothing and leaves, so every function may be called twice, and at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.db.models import F, Max, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from members.errors import ConflictError, NotFoundError
from members.jobs import JobKind, Work, job_kind, job_kinds
from members.models import Job
from members.origins import JOB, coming_by
from members.program_scope import of_all_programs
from members.services.audit import SYSTEM, Actor
from members.services.job_logs import Level, log_line
from members.services.jobs import (
    abandoned_run,
    claim_job,
    running,
    save_checkpoint,
    start_or_resume_job,
)
from members.services.transactions import run_atomically

logger = logging.getLogger(__name__)

State = Job.State
RUN_TASK = "members.tasks.run_job"
# A job that nobody was asked to take may just be about to be: by a command that runs it itself.
UNASKED = timedelta(minutes=1)
# A message can be lost. One too many is harmless, so this is soon enough and not too often.
ASKED_AGAIN = timedelta(minutes=10)
ROUTINE_KEPT = timedelta(days=7)
TROUBLE_KEPT = timedelta(days=90)
PRUNED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Step:
    """What one piece of work leaves behind: where the next begins, and how far everything is."""

    checkpoint: dict[str, Any]
    done: int
    total: int | None = None
    # The result so far. Without one, what earlier pieces have left stays.
    result: dict[str, Any] | None = None


# Does the piece after `job.checkpoint`, in a transaction that also keeps what it returns; None when
# nothing is left. It may be called again for the same piece, after the first try was rolled back.
Chunk = Callable[[Job], Step | None]


def place_in_list(job: Job) -> int:
    """Where a job goes on that does a list in its params, which was made at their `now`. Whoever
    starts a failed run again gives it what is due by then, and a place in another list says
    nothing."""
    same = job.checkpoint.get("now") == job.params.get("now")
    place: int = job.checkpoint.get("place", 0) if same else 0
    return place


def checkpoint_in_list(job: Job, place: int) -> dict[str, Any]:
    return {"place": place, "now": job.params.get("now")}


def queue_job(job: Job) -> bool:
    """Ask for a worker. Without a broker the job waits, and `resume_stale_jobs` asks again."""
    try:
        current_app.signature(RUN_TASK, args=[job.pk]).apply_async(retry=False)
    except (KombuError, RedisError, OSError) as error:
        logger.warning("no worker could be asked for job %s: %s", job.pk, type(error).__name__)
        return False
    Job.objects.filter(pk=job.pk, state=State.QUEUED).update(queued_at=timezone.now())
    return True


@of_all_programs()
def run_job(job_id: int) -> None:
    """Work on a waiting job as its kind does; nothing happens when there is no such job."""
    key = Job.objects.filter(pk=job_id).values_list("kind", flat=True).first()
    run = job_kind(key).run if key else None
    if run is not None:
        with coming_by(JOB, str(key)):
            run(job_id)


def run_in_chunks(job_id: int, chunk: Chunk) -> Job | None:
    """Work on a waiting job piece by piece; None when another run has it.

    A piece and the note that it is done are one transaction, so that a kill at any moment loses a
    piece at most, and none is done twice.
    """
    job = claim_job(job_id)
    if job is None:
        return None
    with running(job) as progress:
        progress.look()
        while (ahead := run_atomically(lambda: _advance(job, chunk))) is not None:
            job.checkpoint, job.result = ahead.checkpoint, ahead.result
            progress.update(ahead.done, ahead.total)
    return Job.objects.get(pk=job_id)


def start_work(*, kind: str, actor: Actor, now: datetime) -> Job | None:
    """A waiting job for what there is to do of a kind, to be queued; None when there is nothing."""
    known = _startable(kind)
    work = known.find_work(now) if known.find_work else None
    if work is None:
        return None
    return _job_of(known, work, actor)


def run_scheduled(*, kind: str, now: datetime) -> Job | None:
    """Do what there is to do of a kind, for the schedule. When nothing is due there is no job, and
    when the last one still runs it is left alone."""
    known = _startable(kind)
    work = known.find_work(now) if known.find_work else None
    if work is None or known.run is None:
        return None
    try:
        job = _job_of(known, work, SYSTEM)
    except ConflictError:
        return None
    known.run(job.pk)
    return Job.objects.get(pk=job.pk)


def resume_stale_jobs(*, now: datetime) -> int:
    """Queue again what nobody works on although it is not done; return how many jobs that were."""
    kinds = [kind.key for kind in job_kinds() if kind.run is not None]
    jobs = Job.objects.filter(kind__in=kinds)
    forgotten = _forgotten(jobs, now)
    released = [job for job in jobs.filter(state=State.RUNNING) if _release(job, now)]
    queued = 0
    for job in [*forgotten, *released]:
        if not queue_job(job):
            break
        queued += 1
    return queued


def prune_jobs(*, now: datetime) -> int:
    """Forget routine runs that went well, and much later those that did not; return how many. The
    newest of each kind stays, so that one sees when it last ran."""
    removed = 0
    for kind in (kind for kind in job_kinds() if kind.routine):
        jobs = Job.objects.filter(kind=kind.key, created_by=None).order_by("pk")
        newest = jobs.aggregate(pk=Max("pk"))["pk"] or 0
        old = Q(state=State.SUCCEEDED, finished_at__lt=now - ROUTINE_KEPT) | Q(
            state__in=[State.FAILED, State.CANCELED], finished_at__lt=now - TROUBLE_KEPT
        )
        removed += _remove(jobs.filter(old).exclude(pk=newest))
    return removed


def _advance(job: Job, chunk: Chunk) -> Job | None:
    """Do one piece on a copy: what a try has noted that is rolled back must be gone with it."""
    attempt = copy(job)
    step = chunk(attempt)
    if step is None:
        return None
    save_checkpoint(attempt, step.checkpoint, done=step.done, total=step.total, result=step.result)
    return attempt


def _startable(key: str) -> JobKind:
    kind = job_kind(key)
    if kind.find_work is None or kind.run is None:
        raise NotFoundError(_("There is no such work to start."))
    return kind


def _job_of(kind: JobKind, work: Work, actor: Actor) -> Job:
    return start_or_resume_job(
        kind=kind.key,
        label=str(work.label),
        fingerprint=work.fingerprint,
        params=work.params,
        total=work.total,
        actor=actor,
    )


def _release(job: Job, now: datetime) -> bool:
    """Take a job from a dead worker; false when the worker lives, or the job is not to go on."""
    run = Job.objects.filter(abandoned_run(job, now), pk=job.pk, started_at=job.started_at)
    if job.cancel_requested:
        run.update(state=State.CANCELED, finished_at=now)
        return False
    if not run.update(state=State.QUEUED, queued_at=None):
        return False
    log_line(job, _("Its worker is gone. Another one goes on with it."), level=Level.WARNING)
    return True


def _forgotten(jobs: QuerySet[Job], now: datetime) -> list[Job]:
    """Waiting jobs for which nobody was asked, or so long ago that the message must be lost."""
    waiting = jobs.filter(state=State.QUEUED).alias(since=Coalesce("heartbeat_at", "created_at"))
    unasked = Q(queued_at=None, since__lt=now - UNASKED)
    return list(waiting.filter(unasked | Q(queued_at__lt=now - ASKED_AGAIN)).order_by(F("pk")))


def _remove(jobs: QuerySet[Job]) -> int:
    removed = 0
    while chunk := list(jobs.values_list("pk", flat=True)[:PRUNED_AT_ONCE]):
        Job.objects.filter(pk__in=chunk).delete()
        removed += len(chunk)
    return removed
