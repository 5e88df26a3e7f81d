"""Reading jobs."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from members.errors import NotFoundError
from members.models import Job, JobError


def get_job(public_id: UUID) -> Job:
    """One job, or NotFoundError."""
    job = Job.objects.select_related("created_by").filter(public_id=public_id).first()
    if job is None:
        raise NotFoundError(_("There is no such job."))
    return job


def list_job_errors(job: Job, limit: int = 100) -> list[JobError]:
    """The rows a job could not take."""
    return list(job.errors.all()[:limit])
