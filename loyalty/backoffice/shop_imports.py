"""A shop's own export into Setia, in three steps: the file, its columns, and a dry run."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.csv_files import csv_response
from loyalty.backoffice.shop_import_forms import ColumnsForm, ExportForm, WhereToForm
from loyalty.services.import_files import discard_old_files
from loyalty.shop_exports.uploads import (
    Upload,
    errors_of,
    find_upload,
    keep_upload,
    start_upload,
    try_upload,
)
from members.backoffice.jobs import hand_over
from members.file_cells import harmless
from members.formatting import format_money, format_number
from members.forms import errors_on
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
            try_upload(upload, form.choices(), now=timezone.now())
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
    """Step 3: what would come in and what would not; the button brings it in."""
    upload = find_upload(key, owner=request.user.pk or 0)
    if upload is None or upload.job:
        return _elsewhere(request, upload)
    if upload.report is None:
        return redirect("loyalty_backoffice:import_columns", key=key)
    form = WhereToForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            job = start_upload(upload=upload, program=form.program(), actor=acting(request))
            hand_over(request, job)
            return redirect("loyalty_backoffice:import_page", public_id=job.public_id)
    errors = errors_of(upload)
    context = {
        "title": _("Before anything is imported"),
        "breadcrumbs": _crumbs(),
        "upload": upload,
        "columns_url": reverse("loyalty_backoffice:import_columns", args=[key]),
        "form": form,
        "errors": errors[:SHOWN_ERRORS],
        "error_count": len(errors),
        **_figures(upload.report),
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
        for row, column, value, reason in errors_of(upload)
    )
    return csv_response("rows-left-out.csv", [("row", "column", "value", "reason"), *rows])


def _elsewhere(request: HttpRequest, upload: Upload | None) -> HttpResponse:
    """Of an upload that is gone to a new one; of one that was started to its import."""
    if upload is not None:
        return redirect("loyalty_backoffice:import_page", public_id=upload.job)
    messages.error(request, _("This file is not here any more. Upload it again."))
    return redirect(GONE)


def _figures(report: dict[str, Any]) -> dict[str, Any]:
    """The counts of a dry run, in words."""
    taken = report["orders"] + report["returns"]
    return {
        "report": report,
        "taken": taken,
        "money": [
            format_money(Decimal(total), currency) for currency, total in report["money"].items()
        ],
        "first": _moment(report["first"]),
        "last": _moment(report["last"]),
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
