"""Background work of this application: each loads what it needs and calls one service."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from loyalty.services import imports, refunds

# Years of orders take longer than other work may; whoever waits sees the progress and can cancel.
IMPORT_SECONDS = 24 * 60 * 60


@shared_task(
    acks_late=True,
    reject_on_worker_lost=True,
    time_limit=IMPORT_SECONDS,
    soft_time_limit=IMPORT_SECONDS,
)
def run_import(job_id: int) -> None:
    """Work on an import; safe to deliver twice, since a job is claimed by one worker."""
    imports.run_import(job_id)


@shared_task
def link_parked_refunds() -> int:
    """Bring refunds to orders that came in the same moment; nothing to do is the rule."""
    return refunds.link_parked_refunds(now=timezone.now())
