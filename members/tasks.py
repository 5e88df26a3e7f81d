"""What workers do for this application. Every task may run twice at once and be killed anywhere."""

from __future__ import annotations

import time
from typing import Any

from celery import shared_task
from django.utils import timezone

from members import slow_figures
from members.services import idempotency, job_runs, outbox, personal_packages, sign_ins

BATCH = 200
# Jobs may take longer than other work: whoever waits sees how far they are and can stop them. One
# that is cut off goes on in another run.
JOB_SECONDS = 24 * 60 * 60
# Well below the interval at which a broker would hand the task to another worker.
LONGEST_RUN = 60.0


@shared_task
def deliver_outbox() -> int:
    """Deliver what waits, batch after batch, and leave the rest to the next run."""
    started, delivered = time.monotonic(), 0
    while time.monotonic() - started < LONGEST_RUN:
        claimed = outbox.deliver_waiting(BATCH)
        delivered += claimed
        if claimed < BATCH:
            break
    return delivered


@shared_task
def prune_outbox() -> int:
    """Forget events delivered long ago."""
    return outbox.prune_delivered()


@shared_task
def prune_idempotency_records() -> int:
    """Forget answers to requests that can no longer be expected to come again."""
    return idempotency.prune_idempotency_records()


@shared_task
def prune_sign_ins() -> int:
    """Forget where people were signed in long ago."""
    return sign_ins.prune_sign_ins(now=timezone.now())


@shared_task
def prune_packages() -> int:
    """Drop files with data of people whose days are over."""
    return personal_packages.prune_packages(now=timezone.now())


@shared_task(time_limit=JOB_SECONDS, soft_time_limit=JOB_SECONDS - 60)
def run_job(job_id: int) -> None:
    """Work on a job; when it is delivered twice, the second finds the first at work and leaves."""
    job_runs.run_job(job_id)


@shared_task(time_limit=JOB_SECONDS, soft_time_limit=JOB_SECONDS - 60)
def run_scheduled(kind: str) -> None:
    """Do what there is to do of a kind; nothing, and no job, when nothing is due."""
    job_runs.run_scheduled(kind=kind, now=timezone.now())


@shared_task
def resume_stale_jobs() -> int:
    """Have the jobs of dead workers go on."""
    return job_runs.resume_stale_jobs(now=timezone.now())


@shared_task
def prune_jobs() -> int:
    """Forget routine jobs of long ago."""
    return job_runs.prune_jobs(now=timezone.now())


@shared_task
def work_out_figures(name: str, asked: dict[str, Any], programs: list[int] | None) -> None:
    """Figures that take longer than somebody waits for a page; twice is as good as once."""
    slow_figures.work_out(name, asked, programs)
