"""Balances as files, lot by lot: out of a program, and into one."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.import_forms import FILES, SOURCE, Column, checked_file
from loyalty.models import Program, WalletType
from loyalty.services.balance_imports import start_balance_check
from loyalty.services.balance_rows import NAMING
from loyalty.services.import_files import (
    discard_folder,
    discard_old_files,
    new_folder,
    store_file,
)
from loyalty.services.lot_exports import FORMATS, KIND, fetch_export, start_lot_export
from members.backoffice.job_rows import JobProgress
from members.backoffice.jobs import hand_over
from members.csv_files import csv_response
from members.errors import DomainError
from members.forms import errors_on
from members.models import Job
from members.policy import acting, staff_view
from members.responses import file_of_pieces

PIECE = 1 << 16
FORMAT = (
    Column("reference", gettext_lazy("A number of its own, so that it comes in once."), "OLD-17"),
    Column("customer_id", gettext_lazy("Your number of the customer."), "C-17", required=False),
    Column("email", gettext_lazy("Instead: their address."), "ann@example.com", required=False),
    Column("wallet_type", gettext_lazy("The code of the units, where a program has several."),
           "points", required=False),
    Column("units", gettext_lazy("How many are left; below zero: what is owed."), "120"),
    Column("earned_at", gettext_lazy("When they were earned; empty: now."), "2026-01-31",
           required=False),
    Column("matures_at", gettext_lazy("From when on they can be spent; empty: at once."), "",
           required=False),
    Column("expires_at", gettext_lazy("The last day; empty: as the program has it."),
           "2027-12-31", required=False),
    Column("expiry", gettext_lazy("never: for units that stay."), "", required=False),
    Column("holder", gettext_lazy("member, pool or gift_card; empty: a member."), "",
           required=False),
    Column("pool", gettext_lazy("Of a pool: any name that all of its rows have."), "P-3",
           required=False),
    Column("role", gettext_lazy("Who is in the pool: owner or member. Such a row has no units."),
           "owner", required=False),
    Column("pool_name", gettext_lazy("What the pool is called, on its owner's row."), "The Lees",
           required=False),
    Column("code", gettext_lazy("Of a gift card: what its holder has; empty: a new one."),
           "GIFT-7K3M-9QXF", required=False),
    Column("source_reference", gettext_lazy("What they were earned with."), "A-1001",
           required=False),
)  # fmt: skip
SAMPLE = (
    tuple(column.name for column in FORMAT),
    ("OLD-17", "C-17", "", "", "120", "2026-01-31", "", "2099-12-31", "", *[""] * 5, "A-1001"),
    ("OLD-18", "", "bob@example.com", "", "35", "2026-02-14", "", "", "never", *[""] * 6),
    ("OLD-19", "C-18", "", "", "-15", *[""] * 10),
    ("P-3-1", "C-17", *[""] * 7, "pool", "P-3", "owner", "The Lees", "", ""),
    ("P-3-2", "", "", "", "200", *[""] * 4, "pool", "P-3", "", "", "", ""),
)


class BalanceFileForm(forms.Form):
    """A program, and the file."""

    program = forms.ModelChoiceField(
        Program.objects.none(), label=gettext_lazy("Program"), empty_label=None,
        help_text=gettext_lazy("Whoever is in the file becomes a member."),
    )  # fmt: skip
    file = forms.FileField(
        label=gettext_lazy("File with balances"), widget=forms.FileInput(attrs={"accept": FILES})
    )
    source = forms.SlugField(label=SOURCE[0], max_length=32, initial="shop", help_text=SOURCE[1])

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        program = self.fields["program"]
        assert isinstance(program, forms.ModelChoiceField)
        program.queryset = Program.objects.filter(status=Program.Status.LIVE)

    def clean_file(self) -> UploadedFile[bytes]:
        return checked_file(self.cleaned_data["file"], FORMAT, one_of=NAMING)


class LotExportForm(forms.Form):
    """Which balances, and as what."""

    units = forms.ChoiceField(label=gettext_lazy("Balances of"))
    form = forms.ChoiceField(
        label=gettext_lazy("Format"),
        choices=(("csv", gettext_lazy("CSV, for spreadsheets")), ("ndjson", "NDJSON")),
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["units"].choices = _units()  # type: ignore[attr-defined]


def _units() -> list[tuple[str, str]]:
    """Each program, and each of its kinds of units where there are several."""
    found = []
    for program in Program.objects.order_by("name").prefetch_related("wallet_types"):
        kinds: list[WalletType] = list(program.wallet_types.all())
        found.append((f"{program.code}/", program.name))
        if len(kinds) > 1:
            found += [
                (f"{program.code}/{kind.code}", f"{program.name}: {kind.plural}") for kind in kinds
            ]
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("balances.import")
def import_balances(request: HttpRequest) -> HttpResponse:
    """Choose the file; sending it makes the dry run."""
    form = BalanceFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            job = _check(request, form)
            return redirect("loyalty_backoffice:import_page", public_id=job.public_id)
    context = {
        "title": _("Import balances"), "breadcrumbs": _crumbs(), "form": form, "columns": FORMAT,
        "has_live": Program.objects.filter(status=Program.Status.LIVE).exists(),
    }  # fmt: skip
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "loyalty/backoffice/balance_import.html", context, status=status)


@require_safe
@staff_view("balances.import")
def import_balance_sample(request: HttpRequest) -> HttpResponse:
    """A small file in the right format, to fill in."""
    return csv_response("balances.csv", SAMPLE)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("balances.export")
def lot_export_create(request: HttpRequest) -> HttpResponse:
    """Choose which balances; a worker writes the file."""
    form = LotExportForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        code, _slash, wallet_type = form.cleaned_data["units"].partition("/")
        with errors_on(form):
            job = start_lot_export(
                program=Program.objects.get(code=code), wallet_type=wallet_type,
                form=form.cleaned_data["form"], actor=acting(request), now=timezone.now(),
            )  # fmt: skip
            hand_over(request, job)
            return redirect("loyalty_backoffice:lot_export", public_id=job.public_id)
    context = {"title": _("Export balances"), "breadcrumbs": _crumbs(), "form": form}
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "loyalty/backoffice/lot_export_form.html", context, status=status)


@require_safe
@staff_view("balances.export")
def lot_export(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """How far a file is; then the file."""
    job = get_object_or_404(Job, kind=KIND, public_id=public_id)
    context = {
        "job": job, "title": job.label, "progress": JobProgress.of(job),
        "breadcrumbs": [*_crumbs(), (_("Export balances"), _export_url())],
        "program": Program.objects.filter(pk=job.params["program"]).first(),
    }  # fmt: skip
    return render(request, "loyalty/backoffice/lot_export.html", context)


@require_safe
@staff_view("balances.export")
def lot_export_file(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The file itself."""
    job = get_object_or_404(Job, kind=KIND, public_id=public_id)
    path = fetch_export(job=job, actor=acting(request))
    kind = dict(zip(FORMATS, ("text/csv", "application/x-ndjson"), strict=True))
    file = path.open("rb")
    pieces = iter(lambda: file.read(PIECE), b"")
    return file_of_pieces(pieces, path.name, kind[job.params["format"]])


def _check(request: HttpRequest, form: BalanceFileForm) -> Job:
    discard_old_files(timezone.now())
    folder, data = new_folder(), form.cleaned_data
    try:
        job = start_balance_check(
            program=data["program"], name=data["file"].name, source=data["source"],
            path=store_file(folder, f"balances-{data['file'].name}", data["file"].chunks()),
            actor=acting(request),
        )  # fmt: skip
    except DomainError:
        discard_folder(folder)
        raise
    hand_over(request, job)
    return job


def _export_url() -> str:
    return reverse("loyalty_backoffice:lot_export_create")


def _crumbs() -> list[tuple[str, str]]:
    return [(_("Imports"), reverse("loyalty_backoffice:import_list"))]
