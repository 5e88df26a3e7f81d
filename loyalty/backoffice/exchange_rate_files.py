"""Taking a file of exchange rates in: tried first, and kept as a whole or not at all."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.import_forms import Column
from loyalty.services.exchange_rate_files import COLUMNS, Imported, import_rates
from members.csv_files import csv_response
from members.errors import DomainError
from members.forms import add_domain_errors
from members.policy import acting, staff_view

LARGEST = 2_000_000
SHOWN = 50
FORMAT = (
    Column("date", gettext_lazy("From which day on it counts."), "2026-03-31"),
    Column("from", gettext_lazy("The currency of which one is …"), "USD"),
    Column("to", gettext_lazy("… so much of this one."), "EUR"),
    Column("rate", gettext_lazy("How much, with a point."), "0.9215"),
    Column("source", gettext_lazy("Who published it."), "ECB", required=False),
)
SAMPLE = (COLUMNS, ("2026-03-30", "USD", "EUR", "0.9203", "ECB"),
          ("2026-03-31", "USD", "EUR", "0.9215", "ECB"))  # fmt: skip


class RateFileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("The file"),
        widget=forms.FileInput(attrs={"accept": ".csv"}),
        help_text=gettext_lazy("CSV in UTF-8, at most 20,000 rows."),
    )
    trying = forms.BooleanField(
        label=gettext_lazy("Only try: say what it would do, and keep nothing"),
        required=False,
        initial=True,
    )

    def clean_file(self) -> UploadedFile[bytes]:
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST:
            raise forms.ValidationError(_("The file is larger than 2 MB. Split it up."))
        return file


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("limits.manage")
def exchange_rate_import(request: HttpRequest) -> HttpResponse:
    """Choose the file, try it, take it in."""
    form = RateFileForm(request.POST or None, request.FILES or None)
    found: Imported | None = None
    if request.method == "POST" and form.is_valid():
        found = _take(request, form)
        if found is not None and not found.errors and not form.cleaned_data["trying"]:
            messages.success(request, _("The file is in the table: %s.") % _counts(found))
            return redirect("loyalty_backoffice:exchange_rate_list")
    back = reverse("loyalty_backoffice:exchange_rate_list")
    context: dict[str, Any] = {
        "title": _("Import exchange rates"),
        "breadcrumbs": [(_("Exchange rates"), back)],
        "back": back,
        "form": form,
        "columns": FORMAT,
        "found": found,
        "counts": _counts(found) if found else "",
        "errors": found.errors[:SHOWN] if found else [],
        "more": max(len(found.errors) - SHOWN, 0) if found else 0,
    }
    wrong = form.is_bound and (form.errors or (found is not None and found.errors))
    status = 422 if wrong else 200
    return render(request, "loyalty/backoffice/exchange_rate_import.html", context, status=status)


@require_safe
@staff_view("limits.manage")
def exchange_rate_sample(_request: HttpRequest) -> HttpResponse:
    """A small file in the right format, to fill in."""
    return csv_response("rates.csv", SAMPLE)


def _take(request: HttpRequest, form: RateFileForm) -> Imported | None:
    """None when the form now says why not."""
    data = form.cleaned_data
    try:
        return import_rates(
            data["file"].read(), actor=acting(request), now=timezone.now(), trying=data["trying"]
        )
    except DomainError as error:
        add_domain_errors(form, error)
        return None


def _counts(found: Imported) -> str:
    words = {"created": _("new: %s"), "changed": _("changed: %s"), "unchanged": _("as before: %s")}
    return ", ".join(
        word % found.counts[name] for name, word in words.items() if name in found.counts
    )
