"""A shop's own export into Setia, in three steps: the file, its columns, and a dry run."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.shop_import_forms import ColumnsForm, ExportForm, WhereToForm
from loyalty.selectors.exchange_rates import uncounted_currencies
from loyalty.services.import_files import discard_old_files
from loyalty.shop_exports.dry_runs import (
    KIND,
    dry_run_of,
    errors_of,
    has_page_for,
    report_of,
    start_dry_run,
    start_upload,
    upload_key,
)
from loyalty.shop_exports.uploads import Upload, find_upload, keep_upload
from members.backoffice.job_rows import JobProgress
from members.backoffice.jobs import hand_over
from members.csv_files import csv_response
from members.file_cells import harmless
from members.formatting import format_money, format_number
from members.forms import errors_on
from members.models import Job
from members.policy import acting, staff_view

SHOWN_ROWS = 4
SHOWN_ERRORS = 50
SHOWN_STATES = 8
GONE = "loyalty_backoffice:import_upload"


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("imports.run")
def import_upload(request: HttpRequest) -> HttpResponse:
    """Step 1: the file, as the shop exports it."""
    form = ExportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        discard_old_files(timezone.now())
        file = form.cleaned_data["file"]
        with errors_on(form):
            upload = keep_upload(
                owner=request.user.pk or 0, name=file.name or "", chunks=file.chunks()
            )
            return redirect("loyalty_backoffice:import_columns", key=upload.key)
    context = {"title": _("Import orders"), "breadcrumbs": _crumbs(), "form": form}
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "loyalty/backoffice/import_upload.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("imports.run")
def import_columns(request: HttpRequest, key: str) -> HttpResponse:
    """Step 2: which column is what. Sending it makes the dry run."""
    upload = find_upload(key, owner=request.user.pk or 0)
    if upload is None or upload.job:
        return _elsewhere(request, upload)
    table = upload.table()
    data = request.POST if request.method == "POST" else None
    form = ColumnsForm(data, table=table, choices=upload.choices)
    if data is not None and form.is_valid():
        with errors_on(form):
            job = start_dry_run(upload=upload, choices=form.choices(), actor=acting(request))
            hand_over(request, job)
            return redirect("loyalty_backoffice:import_check", key=key)
    context = {
        "title": _("Which column is what?"),
        "breadcrumbs": _crumbs(),
        "upload": upload,
        "form": form,
        "guessed": len(upload.choices.columns),
        "header": table.header,
        "rows": table.sample[:SHOWN_ROWS],
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "loyalty/backoffice/import_mapping.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("imports.run")
def import_check(request: HttpRequest, key: str) -> HttpResponse:
    """Step 3: how far the dry run is, then what would come in and what would not; the button brings
    it in."""
    upload = find_upload(key, owner=request.user.pk or 0)
    if upload is None or upload.job:
        return _elsewhere(request, upload)
    tried = dry_run_of(upload)
    if tried is None:
        return redirect("loyalty_backoffice:import_columns", key=key)
    report = report_of(tried)
    if report is None:
        return _still_tried(request, upload, tried)
    form = WhereToForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            job = start_upload(upload=upload, program=form.program(), actor=acting(request))
            hand_over(request, job)
            return redirect("loyalty_backoffice:import_page", public_id=job.public_id)
    errors = errors_of(tried)
    context = {
        **_of_check(upload),
        "form": form,
        "errors": errors[:SHOWN_ERRORS],
        "error_count": len(errors),
        **_figures(report),
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "loyalty/backoffice/import_check.html", context, status=status)


@require_safe
@staff_view("imports.run")
def import_check_errors(request: HttpRequest, key: str) -> HttpResponse:
    """The rows that would be left out, to be corrected."""
    upload = find_upload(key, owner=request.user.pk or 0)
    if upload is None:
        return _elsewhere(request, None)
    rows = (
        (str(row), harmless(column), harmless(value), reason)
        for row, column, value, reason in errors_of(dry_run_of(upload))
    )
    return csv_response("rows-left-out.csv", [("row", "column", "value", "reason"), *rows])


@require_safe
@staff_view("imports.view")
def import_of_dry_run(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """From the work of a dry run to what it found, for whoever brought the file."""
    job = get_object_or_404(Job, kind=KIND, public_id=public_id)
    if not has_page_for(job, request.user):
        return redirect("backoffice:job", public_id=public_id)
    return redirect("loyalty_backoffice:import_check", key=upload_key(job))


def _still_tried(request: HttpRequest, upload: Upload, job: Job) -> HttpResponse:
    """The bar of a dry run, or why it has not come to its end."""
    context = {**_of_check(upload), "job": job, "progress": JobProgress.of(job)}
    return render(request, "loyalty/backoffice/import_dry_run.html", context)


def _of_check(upload: Upload) -> dict[str, Any]:
    """What the third step has in its head, while the file is tried and afterwards."""
    return {
        "title": _("Before anything is imported"),
        "breadcrumbs": _crumbs(),
        "upload": upload,
        "columns_url": reverse("loyalty_backoffice:import_columns", args=[upload.key]),
    }


def _elsewhere(request: HttpRequest, upload: Upload | None) -> HttpResponse:
    """Of an upload that is gone to a new one; of one that was started to its import."""
    if upload is not None:
        return redirect("loyalty_backoffice:import_page", public_id=upload.job)
    messages.error(request, _("This file is not here any more. Upload it again."))
    return redirect(GONE)


def _figures(report: dict[str, Any]) -> dict[str, Any]:
    """The counts of a dry run, in words."""
    taken = report["orders"] + report["returns"]
    first, last = _moment(report["first"]), _moment(report["last"])
    uncounted = sorted(uncounted_currencies(report["money"], first, last)) if first and last else []
    return {
        "report": report,
        "taken": taken,
        "money": [
            format_money(Decimal(total), currency) for currency, total in report["money"].items()
        ],
        "uncounted": ", ".join(uncounted),
        "first": first,
        "last": last,
        "left_out": sum(report["left_out"].values()),
        "states": ", ".join(report["left_out"]),
        "counted": " · ".join(
            f"{state} {format_number(count)}"
            for state, count in list(report.get("states", {}).items())[:SHOWN_STATES]
        ),
        "unread": sum(report.get("unread_emails", {}).values()),
        "unread_emails": ", ".join(list(report.get("unread_emails", {}))[:SHOWN_STATES]),
        "shown": [
            {**order, "at": _moment(order["at"]), "total": Decimal(order["total"])}
            for order in report["shown"]
        ],
    }


def _moment(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None


def _crumbs() -> list[tuple[str, str]]:
    return [(_("Imports"), reverse("loyalty_backoffice:import_list"))]
