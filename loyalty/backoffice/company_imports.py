"""Importing companies and their buyers from a file; the work is a job, on the page of jobs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.companies import company_crumbs
from loyalty.backoffice.import_forms import Column, checked_file
from loyalty.models import Program
from loyalty.services.company_files import COLUMNS
from loyalty.services.company_imports import start_company_import
from loyalty.services.import_files import (
    discard_folder,
    discard_old_files,
    new_folder,
    store_file,
)
from members.backoffice.job_rows import job_url
from members.backoffice.jobs import hand_over
from members.csv_files import csv_response
from members.errors import DomainError
from members.forms import add_domain_errors
from members.models import Job
from members.policy import acting, staff_view

FORMAT = (
    Column("company_id", gettext_lazy("Your number of the company, on every row."), "K-17"),
    Column("name", gettext_lazy("Its name; needed where it is new."), "Hart Supplies", False),
    Column("legal_name", gettext_lazy("As it is registered."), "Hart Supplies GmbH", False),
    Column("registration_number", gettext_lazy("Of the register."), "HRB 12345 B", False),
    Column("vat_number", gettext_lazy("Looked at for its form."), "DE123456789", False),
    Column("billing_email", gettext_lazy("Where invoices go."), "office@example.com", False),
    Column("address", gettext_lazy("In one line."), "Long Lane 1, Berlin", False),
    Column("employees", gettext_lazy("How many there are."), "40", False),
    Column("tags", gettext_lazy("With commas between them."), "office, key-account", False),
    Column("manager", gettext_lazy("E-mail of the account manager."), "mia@example.com", False),
    Column("customer_id", gettext_lazy("Your number of the buyer, or the next."), "C-17"),
    Column("email", gettext_lazy("The buyer's e-mail address."), "ann@example.com", False),
    Column("given_name", gettext_lazy("Of a buyer who is not known yet."), "Ann", False),
    Column("family_name", gettext_lazy("Of a buyer who is not known yet."), "Hart", False),
    Column("role", gettext_lazy("owner, approver or buyer. Empty: buyer."), "owner", False),
)
SAMPLE = (
    COLUMNS,
    ("K-17", "Hart Supplies", "Hart Supplies GmbH", "HRB 12345 B", "DE123456789",
     "office@example.com", "Long Lane 1, Berlin", "40", "office", "", "C-17", "ann@example.com",
     "Ann", "Hart", "owner"),
    ("K-17", "", "", "", "", "", "", "", "", "", "C-18", "", "", "", "approver"),
    ("K-17", "", "", "", "", "", "", "", "", "", "C-19", "", "", "", "buyer"),
)  # fmt: skip


class CompanyImportForm(forms.Form):
    """A program, and the file."""

    program = forms.ModelChoiceField(
        Program.objects.filter(status=Program.Status.LIVE), label=gettext_lazy("Program"),
        empty_label=None,
        help_text=gettext_lazy("Buyers who are no members yet become members of it."),
    )  # fmt: skip
    file = forms.FileField(
        label=gettext_lazy("The file"),
        widget=forms.FileInput(attrs={"accept": ".csv,.gz"}),
        help_text=gettext_lazy("CSV in UTF-8, at most 20,000 rows, one for each buyer."),
    )

    def clean_file(self) -> UploadedFile[bytes]:
        return checked_file(self.cleaned_data["file"], FORMAT[:1])


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("imports.run")
def company_import(request: HttpRequest) -> HttpResponse:
    """Choose the file; its columns are explained beside it."""
    form = CompanyImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        job = _start(request, form)
        if job is not None:
            return redirect(job_url(job))
    context: dict[str, Any] = {
        "title": _("Import companies"),
        "breadcrumbs": company_crumbs(),
        "back": reverse("loyalty_backoffice:company_list"),
        "form": form,
        "has_live": Program.objects.filter(status=Program.Status.LIVE).exists(),
        "columns": FORMAT,
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "loyalty/backoffice/company_import.html", context, status=status)


@require_safe
@staff_view("imports.run")
def company_import_sample(_request: HttpRequest) -> HttpResponse:
    """A small file in the right format, to fill in."""
    return csv_response("companies.csv", SAMPLE)


def _start(request: HttpRequest, form: CompanyImportForm) -> Job | None:
    """Keep the file and start; None when the form now says why not."""
    discard_old_files(timezone.now())
    data, folder = form.cleaned_data, new_folder()
    path = store_file(folder, data["file"].name, data["file"].chunks())
    try:
        job = start_company_import(program=data["program"], path=path, actor=acting(request))
    except DomainError as error:
        discard_folder(folder)
        add_domain_errors(form, error)
        return None
    hand_over(request, job)
    return job
