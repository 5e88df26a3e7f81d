"""Lists of codes that came from elsewhere: how many are left, and more of them."""

from __future__ import annotations

import io
from uuid import uuid4

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.models import Program
from loyalty.services.import_files import new_folder, store_file
from members.backoffice.job_rows import job_url
from members.formatting import format_number
from members.forms import errors_on, posted
from members.policy import acting, is_allowed, staff_view
from members.responses import dialog_done
from members.services.job_runs import queue_job
from rewards.backoffice.links import NAMESPACE, catalog_crumbs
from rewards.models import VoucherPool
from rewards.selectors.voucher_pools import pools_of
from rewards.services.generated_vouchers import MOST, start_generation
from rewards.services.voucher_files import start_voucher_import
from rewards.services.voucher_pools import create_voucher_pool, import_vouchers

LARGEST_FILE = 50 * 1024 * 1024
# Larger ones are read by a worker.
AT_ONCE = 256 * 1024


class PoolForm(forms.Form):
    name = forms.CharField(label=_l("Name"), max_length=80, help_text=_l("As Cinema tickets."))


class CodesForm(forms.Form):
    """Codes as a file or as they are pasted."""

    file = forms.FileField(
        label=_l("File"), required=False,
        help_text=_l("CSV or text, a code on each line, at most 50 MB."),
    )  # fmt: skip
    pasted = forms.CharField(
        label=_l("Or paste them"), required=False, max_length=200_000,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "class": "mono"}),
    )  # fmt: skip

    def clean(self) -> dict[str, object]:
        cleaned: dict[str, object] = super().clean() or {}
        file = cleaned.get("file")
        if not file and not cleaned.get("pasted"):
            self.add_error("file", _("Choose a file or paste some codes."))
        if file and file.size > LARGEST_FILE:  # type: ignore[attr-defined]
            self.add_error("file", _("The file is larger than 50 MB."))
        return cleaned

    @property
    def is_large(self) -> bool:
        file = self.cleaned_data["file"]
        return bool(file) and file.size > AT_ONCE

    def lines(self) -> io.TextIOBase:
        file = self.cleaned_data["file"]
        if file:
            return io.TextIOWrapper(file, encoding="utf-8", errors="replace")
        return io.StringIO(self.cleaned_data["pasted"])


class GenerateForm(forms.Form):
    count = forms.IntegerField(label=_l("How many"), min_value=1, max_value=MOST)
    code_prefix = forms.RegexField(
        r"^[A-Za-z0-9]{0,8}$", label=_l("Codes begin with"), required=False, max_length=8,
        help_text=_l("Capital letters and digits, as TEA."),
    )  # fmt: skip
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)


@require_safe
@staff_view("programs.view")
def pool_list(request: HttpRequest, code: str) -> HttpResponse:
    """Every list of a program with how many codes are left in it."""
    program = get_object_or_404(Program, code=code)
    context = {
        "program": program,
        "title": _("Lists of codes"),
        "breadcrumbs": catalog_crumbs(program),
        "pools": pools_of(program),
        "may_edit": is_allowed(request.user, "programs.edit"),
    }
    return render(request, "rewards/backoffice/voucher_pool_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def pool_create(request: HttpRequest, code: str) -> HttpResponse:
    """A further list, empty at first."""
    program = get_object_or_404(Program, code=code)
    back = _list_url(program)
    form = PoolForm(posted(request))
    if form.is_valid():
        name = form.cleaned_data["name"]
        with errors_on(form):
            create_voucher_pool(
                program=program, code=slugify(name)[:64] or "codes", name=name,
                actor=acting(request),
            )  # fmt: skip
            return dialog_done(
                request, url=back, changed="voucher-pools", message=_("The list was made.")
            )
    context = {"title": _("New list of codes"), "form": form, "submit": _("Make it"), "back": back}
    return _dialog(request, form, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def pool_fill(request: HttpRequest, code: str, pool_code: str) -> HttpResponse:
    """More codes; those that are known already are left alone."""
    pool = get_object_or_404(VoucherPool, program__code=code, code=pool_code)
    back = _list_url(pool.program)
    form = CodesForm(posted(request), request.FILES or None)
    if form.is_valid():
        if form.is_large:
            return _import_later(request, pool, form.cleaned_data["file"])
        with errors_on(form):
            found = import_vouchers(pool=pool, lines=form.lines(), actor=acting(request))
            words = {
                "added": format_number(found.added), "known": format_number(found.known),
                "refused": format_number(found.refused),
            }  # fmt: skip
            if not found.added and found.wrong:
                number, why = found.wrong[0]
                form.add_error(None, _("Line %(line)s: %(why)s") % {"line": number, "why": why})
            else:
                message = _("%(added)s added, %(known)s known already, %(refused)s refused.")
                return dialog_done(
                    request, url=back, changed="voucher-pools", message=message % words
                )
    context = {
        "title": _("Add codes to %s") % pool.name, "form": form, "submit": _("Add them"),
        "back": back, "multipart": True,
    }  # fmt: skip
    return _dialog(request, form, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def pool_generate(request: HttpRequest, code: str, pool_code: str) -> HttpResponse:
    """Codes that nobody can guess, made by a worker; sent twice, they are made once."""
    pool = get_object_or_404(VoucherPool, program__code=code, code=pool_code)
    form = GenerateForm(posted(request))
    if form.is_valid():
        with errors_on(form):
            job, known = start_generation(
                pool=pool, count=form.cleaned_data["count"], key=form.cleaned_data["key"],
                prefix=form.cleaned_data["code_prefix"].upper(), actor=acting(request),
            )  # fmt: skip
            if not known:
                queue_job(job)
            return dialog_done(request, url=job_url(job), message=_("The codes are being made."))
    context = {
        "title": _("Make codes for %s") % pool.name, "form": form, "submit": _("Make them"),
        "back": _list_url(pool.program),
    }  # fmt: skip
    return _dialog(request, form, context)


def _import_later(
    request: HttpRequest, pool: VoucherPool, file: UploadedFile[bytes]
) -> HttpResponse:
    name = file.name or "codes.csv"
    path = store_file(new_folder(), name, file.chunks())
    job = start_voucher_import(pool=pool, path=path, name=name, actor=acting(request))
    queue_job(job)
    return dialog_done(request, url=job_url(job), message=_("The file is being read."))


def _list_url(program: Program) -> str:
    return reverse(f"{NAMESPACE}:voucher_pool_list", args=[program.code])


def _dialog(request: HttpRequest, form: forms.Form, context: dict[str, object]) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, "rewards/backoffice/voucher_pool_form.html", context, status=status)
