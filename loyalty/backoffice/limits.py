"""Settings: how far each role may go when it moves units by hand."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.backoffice.adjustment_settings_forms import LimitForm, NewLimitForm
from loyalty.models import AdjustmentLimit, Program
from loyalty.selectors.adjustment_limits import list_limits
from loyalty.services.adjustment_limits import create_limit, remove_limit, update_limit
from members.errors import DomainError
from members.forms import errors_on, posted
from members.policy import acting, staff_view
from members.responses import dialog_done


@dataclass(frozen=True, slots=True)
class Group:
    """The limits of one program, or of all that have none of their own."""

    program: Program | None
    limits: list[AdjustmentLimit]


@require_safe
@staff_view("limits.view")
def limit_list(request: HttpRequest) -> HttpResponse:
    """The limits for every program, then those of single ones."""
    groups = [
        Group(program, list(limits))
        for program, limits in groupby(list_limits(), key=lambda limit: limit.program)
    ]
    context = {"groups": groups, "any_program": Program.objects.exists()}
    return render(request, "loyalty/backoffice/limit_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("limits.manage")
def limit_create(request: HttpRequest) -> HttpResponse:
    """Limits for one program."""
    form = NewLimitForm(posted(request))
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            limit = create_limit(actor=acting(request), **form.cleaned_data)
            return _done(
                request,
                _("In %(program)s, other limits hold from now on for: %(role)s.")
                % {"program": limit.program, "role": limit.get_role_display()},
            )
    return _dialog(request, form, _("Limits for one program"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("limits.manage")
def limit_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """How far one role may go."""
    limit = get_object_or_404(AdjustmentLimit.objects.select_related("program"), pk=pk)
    form = LimitForm(posted(request), limit=limit)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            update_limit(actor=acting(request), limit=limit, **form.cleaned_data)
            return _done(request, _("The limits are saved and hold from now on."))
    place = limit.program.name if limit.program else _("every program")
    title = _("%(role)s, in %(place)s") % {"role": limit.get_role_display(), "place": place}
    return _dialog(request, form, title)


@require_POST
@staff_view("limits.manage")
def limit_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Go by the limits for every program again."""
    limit = get_object_or_404(AdjustmentLimit.objects.select_related("program"), pk=pk)
    try:
        remove_limit(actor=acting(request), limit=limit)
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("The limits for every program hold again."))
    return redirect(_url())


def _dialog(request: HttpRequest, form: LimitForm, title: str) -> HttpResponse:
    context = {"title": title, "form": form, "submit": _("Save limits"), "back": _url()}
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/settings_dialog.html", context, status=status)


def _done(request: HttpRequest, message: str) -> HttpResponse:
    return dialog_done(request, url=_url(), changed="limit", message=message)


def _url() -> str:
    return reverse("loyalty_backoffice:limit_list")
