"""Enrolling from a file: upload, then the job's own page shows progress and refused rows."""

from __future__ import annotations

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.import_forms import FILES, Column, checked_file
from loyalty.backoffice.links import program_crumbs
from loyalty.models import Program
from loyalty.services.enrollment_files import COLUMNS, NAMING, start_enrollment_import
from loyalty.services.import_files import (
    discard_folder,
    discard_old_files,
    new_folder,
    store_file,
)
from members.backoffice.jobs import hand_over
from members.csv_files import csv_response
from members.errors import DomainError
from members.models import Job
from members.policy import acting, staff_view

FORMAT = (
    Column("external_id", gettext_lazy("Your number of the customer."), "C-17", required=False),
    Column("email", gettext_lazy("Their address."), "ann@example.com", required=False),
    Column("phone", gettext_lazy("Their number."), "+60123456789", required=False),
    Column("given_name", gettext_lazy("First name."), "Ann", required=False),
    Column("family_name", gettext_lazy("Last name."), "Lee", required=False),
    Column("locale", gettext_lazy("Their language."), "en", required=False),
    Column("gender", gettext_lazy("female, male or other."), "female", required=False),
    Column("country", gettext_lazy("Two letters."), "MY", required=False),
    Column("birthday", gettext_lazy("Year, month and day."), "1990-02-28", required=False),
    Column("tags", gettext_lazy("Several with semicolons between them."), "vip", required=False),
    Column(
        "answer_favorite_taste",
        gettext_lazy("What they chose where you ask them about themselves, by the codes of question"
                     " and choices; several with semicolons."),
        "dark", required=False,
    ),
    Column(
        "since", gettext_lazy("Member since; empty: from now on."), "2026-03-31", required=False
    ),
    Column(
        "consent_email_offers",
        gettext_lazy("Whether they want to be told: yes, no, or the day of their yes. So for each"
                     " way and topic."),
        "2025-05-04", required=False,
    ),
    Column(
        "consent_at", gettext_lazy("When they said so, where no day is beside it."), "2025-05-04",
        required=False,
    ),
    Column(
        "consent_source", gettext_lazy("How you know it; empty: the name of the file."),
        "Newsletter form", required=False,
    ),
)  # fmt: skip
SAMPLE = (
    COLUMNS,
    ("C-17", "ann@example.com", "+60123456789", "Ann", "Lee", "en", "female", "2026-03-31"),
    ("", "bob@example.com", "", "Bob", "", "", "", ""),
)


class EnrollmentFileForm(forms.Form):
    """The file; what is wrong with it as a whole is said at once."""

    people = forms.FileField(
        label=gettext_lazy("People"), widget=forms.FileInput(attrs={"accept": FILES})
    )

    def clean_people(self) -> UploadedFile[bytes]:
        return checked_file(self.cleaned_data["people"], FORMAT, one_of=NAMING)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("imports.run")
def enrollment_file(request: HttpRequest, code: str) -> HttpResponse:
    """Choose the file; its format is explained beside it."""
    program = get_object_or_404(Program, code=code, status=Program.Status.LIVE)
    form = EnrollmentFileForm(request.POST or None, request.FILES or None)
    if form.is_bound and form.is_valid():
        job = _start(request, program, form)
        if job is not None:
            return redirect("backoffice:job", job.public_id)
    context = {
        "program": program,
        "title": _("Enroll from a file"),
        "breadcrumbs": [
            *program_crumbs(program),
            (_("Members"), reverse("loyalty_backoffice:program_members", args=[program.code])),
        ],
        "form": form,
        "columns": FORMAT,
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "loyalty/backoffice/enrollment_file.html", context, status=status)


@require_safe
@staff_view("imports.run")
def enrollment_sample(request: HttpRequest) -> HttpResponse:
    """A small file in the right format, to fill in."""
    return csv_response("people.csv", SAMPLE)


def _start(request: HttpRequest, program: Program, form: EnrollmentFileForm) -> Job | None:
    """Keep the file and start; None when the form now says why not."""
    discard_old_files(timezone.now())
    folder, people = new_folder(), form.cleaned_data["people"]
    try:
        path = store_file(folder, f"people-{people.name}", people.chunks())
        job = start_enrollment_import(
            program=program, path=path, name=people.name, actor=acting(request)
        )
    except DomainError as error:
        discard_folder(folder)
        form.add_error(None, str(error.message))
        return None
    hand_over(request, job)
    return job
