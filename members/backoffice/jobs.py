"""Long work as it is seen: how far it is, how fast, what it refused, and a way to stop it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from babel.dates import format_timedelta
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from members.formatting import active_locale, format_number
from members.models import Job
from members.policy import acting, staff_view
from members.selectors.jobs import get_job, list_job_errors
from members.services.jobs import cancel_job

ERRORS_SHOWN = 100
RUNNING = (Job.State.QUEUED, Job.State.RUNNING)


@dataclass(frozen=True, slots=True)
class JobProgress:
    """What the progress component is told of a job."""

    job: Job
    poll_url: str
    value: int | None
    rate: str
    time_left: str

    @classmethod
    def of(cls, job: Job) -> JobProgress:
        speed = _speed(job)
        return cls(
            job,
            reverse("backoffice:job_progress", args=[job.public_id]),
            job.done if job.total else None,
            _rate(job, speed),
            _time_left(job, speed),
        )


@require_safe
@staff_view("home.view")
def job(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One job; the page may be closed and comes back to the same bar."""
    work = get_job(public_id)
    errors = list_job_errors(work, limit=ERRORS_SHOWN + 1)
    context = {
        "job": work,
        "progress": JobProgress.of(work),
        "errors": errors[:ERRORS_SHOWN],
        "more_errors": len(errors) > ERRORS_SHOWN,
        "may_cancel": work.state in RUNNING,
    }
    return render(request, "backoffice/job.html", context)


@require_safe
@staff_view("home.view")
def progress(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The bar alone, which asks for itself every two seconds; once done, the page as a whole."""
    work = get_job(public_id)
    response = render(request, "backoffice/job_progress.html", {"progress": JobProgress.of(work)})
    if work.state not in RUNNING:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@staff_view("imports.run")
def cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Stop the work; what is done stays done."""
    cancel_job(job=get_job(public_id), actor=acting(request))
    messages.success(request, _("The job stops. What is done so far stays."))
    return redirect("backoffice:job", public_id)


def _speed(job: Job) -> float:
    """Steps per second from the begin of this run to its last word."""
    if job.started_at is None or job.heartbeat_at is None or job.state != Job.State.RUNNING:
        return 0.0
    seconds = (job.heartbeat_at - job.started_at).total_seconds()
    return (job.done - job.done_before) / seconds if seconds > 1 else 0.0


def _rate(job: Job, speed: float) -> str:
    if job.state != Job.State.RUNNING:
        return _("%(done)s done") % {"done": format_number(job.done)} if job.done else ""
    return _("%(number)s a second") % {"number": format_number(round(speed))} if speed >= 1 else ""


def _time_left(job: Job, speed: float) -> str:
    if speed <= 0 or job.total <= job.done:
        return ""
    left = timedelta(seconds=(job.total - job.done) / speed)
    return _("%(time)s left") % {"time": format_timedelta(left, locale=active_locale())}
