"""Lists of codes that came from elsewhere: how many are left, and more of them."""

from __future__ import annotations

import io

from django import forms
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.models import Program
from members.formatting import format_number
from members.forms import errors_on, posted
from members.policy import acting, is_allowed, staff_view
from members.responses import dialog_done
from rewards.backoffice.links import NAMESPACE, catalogue_crumbs
from rewards.models import Voucher, VoucherPool
from rewards.services.voucher_pools import create_voucher_pool, import_vouchers

LARGEST_FILE = 50 * 1024 * 1024


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

    def lines(self) -> io.TextIOBase:
        file = self.cleaned_data["file"]
        if file:
            return io.TextIOWrapper(file, encoding="utf-8", errors="replace")
        return io.StringIO(self.cleaned_data["pasted"])


@require_safe
@staff_view("programs.view")
def pool_list(request: HttpRequest, code: str) -> HttpResponse:
    """Every list of a program with how many codes are left in it."""
    program = get_object_or_404(Program, code=code)
    waiting = Q(vouchers__status=Voucher.Status.WAITING)
    pools = program.voucher_pools.annotate(
        left=Count("vouchers", filter=waiting), all=Count("vouchers")
    )
    context = {
        "program": program,
        "title": _("Lists of codes"),
        "breadcrumbs": catalogue_crumbs(program),
        "pools": pools,
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


def _list_url(program: Program) -> str:
    return reverse(f"{NAMESPACE}:voucher_pool_list", args=[program.code])


def _dialog(request: HttpRequest, form: forms.Form, context: dict[str, object]) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, "rewards/backoffice/voucher_pool_form.html", context, status=status)
