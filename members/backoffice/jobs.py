"""One job: how far it is and how fast, what it says, what it refused; stop it and have it go on."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from members.backoffice.job_rows import JobProgress, job_url, result_words
from members.errors import DomainError
from members.job_access import may_run, visible_job
from members.jobs import job_kind
from members.models import Customer, Job, JobError
from members.paging import paginate
from members.policy import acting, require, staff_view
from members.selectors.jobs import list_job_errors
from members.services.job_runs import queue_job
from members.services.jobs import cancel_job, retry_job

ERRORS_SHOWN = 100
LINES_SHOWN = 30
# What is noted under these is of people, by their public id.
PEOPLE = ("members", "customers")


@require_safe
@staff_view("jobs.view")
def job(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One job; the page may be closed and comes back to the same bar."""
    work = visible_job(request.user, public_id)
    kind = job_kind(work.kind)
    errors = list_job_errors(work, limit=ERRORS_SHOWN + 1)
    ended_badly = work.state in {Job.State.FAILED, Job.State.CANCELED}
    allowed = may_run(request.user, work)
    context = {
        "job": work,
        "kind": kind,
        "breadcrumbs": [(_("Jobs"), reverse("backoffice:job_list"))],
        "own_page": job_url(work) if kind.page and kind.has_page_for(work, request.user) else "",
        "progress": JobProgress.of(work),
        "words": result_words(work) if work.state != Job.State.FAILED else "",
        "errors": errors[:ERRORS_SHOWN],
        "people": _people(errors[:ERRORS_SHOWN]),
        "more_errors": len(errors) > ERRORS_SHOWN,
        "undo_page": reverse(kind.undo_page, args=[work.public_id])
        if kind.undo_page and allowed and not work.is_open
        else "",
        "may_cancel": allowed and work.is_open,
        "may_give_up": allowed and work.state == Job.State.FAILED,
        "may_retry": allowed and ended_badly and kind.run is not None,
    }
    return render(request, "backoffice/job.html", context)


def _people(errors: Sequence[JobError]) -> list[tuple[Customer, str]]:
    """Whom the work left as they are, and why; nobody where it says something else."""
    if any(error.file not in PEOPLE or not _is_public_id(error.value) for error in errors):
        return []
    named = {error.value: error.reason for error in errors}
    found = {str(item.public_id): item for item in Customer.objects.filter(public_id__in=named)}
    return [(found[value], reason) for value, reason in named.items() if value in found]


def _is_public_id(value: str) -> bool:
    try:
        return str(UUID(value)) == value
    except ValueError:
        return False


@require_safe
@staff_view("jobs.view")
def progress(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The bar alone, which asks for itself every two seconds. Once the work has ended, its page is
    loaded anew, and a list of jobs is told."""
    work = visible_job(request.user, public_id)
    in_list = request.GET.get("in") == "list"
    context = {"progress": JobProgress.of(work, in_list=in_list)}
    response = render(request, "backoffice/job_progress.html", context)
    if not work.is_open and in_list:
        trigger_client_event(response, "jobs-changed", {})
    elif not work.is_open:
        response["HX-Refresh"] = "true"
    return response


@require_safe
@staff_view("jobs.view")
def log(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What the job has said, newest first; read anew while it runs, unless one has paged back."""
    work = visible_job(request.user, public_id)
    page = paginate(
        work.log_lines.all(),
        request=request,
        orderings={"newest": ("-pk",)},
        default="newest",
        per_page=LINES_SHOWN,
    )
    context = {
        "title": _("Log"),
        "panel_id": "job-log",
        "panel_icon": "list-details",
        "summary": work.label,
        "breadcrumbs": [(_("Jobs"), reverse("backoffice:job_list")), (work.label, job_url(work))],
        "page": page,
        "live": work.is_open and not page.previous_cursor,
    }
    return render(request, "backoffice/job_log.html", context)


@require_POST
@staff_view("jobs.view")
def cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Stop the work; what is done stays done."""
    work = _runnable(request, public_id)
    cancel_job(job=work, actor=acting(request))
    messages.success(request, _("The job stops. What is done so far stays."))
    return redirect("backoffice:job", public_id)


@require_POST
@staff_view("jobs.view")
def retry(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Go on where it stopped."""
    work = _runnable(request, public_id)
    try:
        hand_over(request, retry_job(job=work, actor=acting(request)))
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect("backoffice:job", public_id)


def hand_over(request: HttpRequest, work: Job) -> None:
    """Have a worker begin, and say so when none can be asked."""
    if not queue_job(work):
        messages.warning(
            request,
            _("No worker could be reached. The job waits, and begins once one is there."),
        )


def _runnable(request: HttpRequest, public_id: UUID) -> Job:
    work = visible_job(request.user, public_id)
    require(request.user, job_kind(work.kind).run_permission)
    return work
