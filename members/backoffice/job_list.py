"""All long work on one page: what runs now, what has ended and how, and what can be begun."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from members.backoffice.forms import JobFilterForm
from members.backoffice.job_rows import JobRow
from members.backoffice.jobs import hand_over
from members.errors import DomainError, NotFoundError
from members.formatting import format_number
from members.job_access import count_failed_jobs, startable_kinds, visible_jobs, visible_kinds
from members.jobs import job_kind
from members.list_files import ListFile, hand_out
from members.models import Job
from members.paging import paginate
from members.policy import acting, require, staff_view
from members.responses import is_htmx
from members.services.job_runs import start_work

PAGE = 25
# More than this do not run or wait in practice; what is beyond shows up as these end.
OPEN_SHOWN = 20
OPEN = (Job.State.QUEUED, Job.State.RUNNING)


FILE: ListFile[Job] = ListFile(
    "jobs",
    {
        "id": lambda row: row.public_id,
        "kind": lambda row: row.kind,
        "label": lambda row: row.label,
        "state": lambda row: row.state,
        "done": lambda row: row.done,
        "total": lambda row: row.total,
        "started_by": lambda row: row.created_by.email if row.created_by else "",
        "created_at": lambda row: row.created_at,
        "started_at": lambda row: row.started_at,
        "finished_at": lambda row: row.finished_at,
    },
)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("jobs.view")
def job_list(request: HttpRequest) -> HttpResponse:
    """Every job that the filters in the URL leave: first what runs, then what has ended."""
    kinds = visible_kinds(request.user)
    form = JobFilterForm(request.GET, kinds=[(kind.key, str(kind.label)) for kind in kinds])
    jobs = form.chosen_from(visible_jobs(request.user).select_related("created_by"))
    if request.method == "POST":
        return hand_out(request, FILE, jobs, orderings={"": ("-pk",)})
    page = paginate(
        jobs.exclude(state__in=OPEN),
        request=request,
        orderings={"newest": ("-pk",)},
        default="newest",
        per_page=PAGE,
    )
    context = {
        "form": form,
        "kinds": kinds,
        "file": FILE.offered(request),
        "summary": _summary(count_failed_jobs(request.user)),
        "open_rows": _open_rows(jobs, request),
        "page": page,
        "rows": [JobRow.of(job) for job in page.items],
        "filtered": any(request.GET.get(name) for name in form.fields),
        "startable": startable_kinds(request.user),
    }
    template = "backoffice/job_list.html"
    return render(request, f"{template}#results" if is_htmx(request) else template, context)


@require_POST
@staff_view("jobs.view")
def start(request: HttpRequest, key: str) -> HttpResponse:
    """Begin a kind of work by hand; when it runs already, that is said and nothing else happens."""
    kind = job_kind(key)
    require(request.user, kind.run_permission)
    if not kind.start_label:
        raise NotFoundError(_("There is no such work to start."))
    try:
        job = start_work(kind=key, actor=acting(request), now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect("backoffice:job_list")
    if job is None:
        messages.info(request, _("There is nothing to do."))
        return redirect("backoffice:job_list")
    hand_over(request, job)
    return redirect("backoffice:job", job.public_id)


def _open_rows(jobs: QuerySet[Job], request: HttpRequest) -> list[JobRow]:
    """What runs and waits, on the first page only."""
    if request.GET.get("cursor"):
        return []
    found = jobs.filter(state__in=OPEN).order_by("-state", "pk")[:OPEN_SHOWN]
    return [JobRow.of(job) for job in found]


def _summary(failed: int) -> str:
    if not failed:
        return _("Long work runs here in the background. You can close the page meanwhile.")
    return ngettext(
        "%(count)s job failed and waits for somebody.",
        "%(count)s jobs failed and wait for somebody.",
        failed,
    ) % {"count": format_number(failed)}
