"""Importing order histories: upload, watch, read what was refused, go on or stop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.backoffice.import_forms import LINE_FORMAT, ORDER_FORMAT, SAMPLES, ImportForm
from loyalty.backoffice.import_undos import undo_context
from loyalty.models import Program
from loyalty.services.balance_imports import KIND as BALANCES
from loyalty.services.balance_imports import totals_of
from loyalty.services.import_files import (
    discard_folder,
    discard_old_files,
    new_folder,
    store_file,
    store_no_lines,
)
from loyalty.services.import_jobs import is_dry
from loyalty.services.import_kinds import confirm_import
from loyalty.services.imports import KIND, start_import
from members.backoffice.job_rows import JobProgress
from members.backoffice.jobs import hand_over
from members.csv_files import csv_response
from members.errors import DomainError
from members.file_cells import harmless
from members.job_access import may_run
from members.models import Job, JobError
from members.paging import paginate
from members.policy import acting, staff_view
from members.services.jobs import cancel_job, retry_job

SHOWN_ERRORS = 50
# Where files of each kind are brought.
PLACES = {KIND: "import_create", BALANCES: "import_balances"}
OPEN = (Job.State.QUEUED, Job.State.RUNNING)


@require_safe
@staff_view("imports.view")
def import_list(request: HttpRequest) -> HttpResponse:
    """Every import there was, the newest first."""
    page = paginate(
        _imports().annotate(error_count=Count("errors")),
        request=request,
        orderings={"": ("-pk",)},
        default="",
    )
    return render(request, "loyalty/backoffice/import_list.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("imports.run")
def import_create(request: HttpRequest) -> HttpResponse:
    """Choose the files; the format is explained beside them."""
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        job = _start(request, form)
        if job is not None:
            return redirect(_job_url(job))
    context = {
        "title": _("Import orders"),
        "breadcrumbs": [(_("Imports"), reverse("loyalty_backoffice:import_list"))],
        "form": form,
        "has_live": Program.objects.filter(status=Program.Status.LIVE).exists(),
        "formats": [
            ("orders", _("Orders"), ORDER_FORMAT),
            ("lines", _("Order lines"), LINE_FORMAT),
        ],
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "loyalty/backoffice/import_form.html", context, status=status)


@require_safe
@staff_view("imports.run")
def import_sample(request: HttpRequest, name: str) -> HttpResponse:
    """A small file in the right format, to fill in."""
    if name not in SAMPLES:
        raise Http404
    return csv_response(f"{name}.csv", SAMPLES[name])


@require_safe
@staff_view("imports.view")
def import_page(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One import: how far it is, how it ended, and every row that was refused."""
    job = get_object_or_404(_imports(), public_id=public_id)
    errors = job.errors.all()
    context = {
        "job": job,
        "title": job.label,
        "breadcrumbs": [(_("Imports"), reverse("loyalty_backoffice:import_list"))],
        "program": Program.objects.filter(pk=job.params.get("program")).first(),
        "is_open": job.state in OPEN,
        "progress": JobProgress.of(job),
        "errors": errors[:SHOWN_ERRORS],
        "error_count": errors.count(),
        "counts": _counts(job),
        "dry_run": is_dry(job),
        "may_run": may_run(request.user, job),
        "brings_balances": job.kind == BALANCES,
        "totals": totals_of(job) if job.kind == BALANCES else (),
        **undo_context(job),
    }
    return render(request, "loyalty/backoffice/import_page.html", context)


@require_safe
@staff_view("imports.view")
def import_errors(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The refused rows as a file, to correct and import again."""
    job = get_object_or_404(_imports(), public_id=public_id)
    head = ("file", "row", "column", "value", "reason")
    return csv_response(f"import-{job.pk}-errors.csv", _with_head(head, job.errors.iterator()))


@require_POST
@staff_view("imports.run")
def import_confirm(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Bring in what a dry run has tried."""
    job = _runnable(request, public_id)
    try:
        confirmed = confirm_import(job=job, actor=acting(request))
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect(_job_url(job))
    hand_over(request, confirmed)
    return redirect(_job_url(confirmed))


@require_POST
@staff_view("imports.run")
def import_resume(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Go on where it stopped, or run a canceled one again; nothing is counted twice."""
    job = _runnable(request, public_id)
    needed = ("balances",) if job.kind == BALANCES else ("orders", "lines")
    if not all(Path(job.params.get(name, "")).is_file() for name in needed):
        messages.error(request, _("The files of this import are gone. Upload them again."))
        return redirect(f"loyalty_backoffice:{PLACES[job.kind]}")
    try:
        hand_over(request, retry_job(job=job, actor=acting(request)))
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(_job_url(job))


@require_POST
@staff_view("imports.run")
def import_cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Stop it; what was imported stays."""
    job = _runnable(request, public_id)
    cancel_job(job=job, actor=acting(request))
    messages.success(request, _("The import stops. What was imported until now stays."))
    return redirect(_job_url(job))


def _imports() -> QuerySet[Job]:
    return Job.objects.filter(kind__in=(KIND, BALANCES)).select_related("created_by")


def _runnable(request: HttpRequest, public_id: UUID) -> Job:
    """An import that this person may lead: balances are not for all who bring in orders."""
    job = get_object_or_404(_imports(), public_id=public_id)
    if not may_run(request.user, job):
        raise PermissionDenied("Imports of this kind are not for this role.")
    return job


def _start(request: HttpRequest, form: ImportForm) -> Job | None:
    """Keep the files and start; None when the form now says why not."""
    discard_old_files(timezone.now())
    data = form.cleaned_data
    folder = new_folder()
    lines = data["lines"]
    try:
        job = start_import(
            program=data["program"],
            orders_path=store_file(
                folder, f"orders-{data['orders'].name}", data["orders"].chunks()
            ),
            lines_path=store_file(folder, f"lines-{lines.name}", lines.chunks())
            if lines
            else store_no_lines(folder),
            actor=acting(request),
            source=data["source"],
        )
    except DomainError as error:
        discard_folder(folder)
        form.add_error(None, str(error.message))
        return None
    hand_over(request, job)
    return job


def _job_url(job: Job) -> str:
    return reverse("loyalty_backoffice:import_page", args=[job.public_id])


def _counts(job: Job) -> list[tuple[str, str, int]]:
    """What became of the rows of a finished import, with an icon each."""
    words = {
        "created": (_("Would come in") if is_dry(job) else _("Imported"), "circle-check"),
        "updated": (_("Changed"), "refresh"),
        "unchanged": (_("Were here already"), "equal"),
        "refused": (_("Refused"), "alert-circle"),
    }
    return [(*words[key], job.result[key]) for key in words if key in job.result]


def _with_head(head: tuple[str, ...], errors: Iterable[JobError]) -> Iterator[tuple[str, ...]]:
    yield head
    for error in errors:
        yield (error.file, str(error.row), error.column, harmless(error.value), error.reason)
