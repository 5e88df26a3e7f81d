"""What the merchant pledges: the form that says it, and putting it live."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from loyalty.backoffice.charity_forms import PledgeForm
from loyalty.backoffice.giving_links import giving_crumbs, giving_url
from loyalty.models import Pledge, Program
from loyalty.selectors.charities import charities_in, pledge_definition, pledges
from loyalty.services.pledges import change_pledge, create_pledge
from members.forms import errors_on, posted
from members.policy import acting, staff_view


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def pledge_create(request: HttpRequest, code: str) -> HttpResponse:
    """A new pledge; it is a draft until it is put live."""
    program = get_object_or_404(Program, code=code)
    if not charities_in(program):
        messages.info(request, _("Make a charity first: a pledge is given to one."))
        return redirect(giving_url(program))
    form = PledgeForm(posted(request), program=program, pledge=None, now=timezone.now())
    if form.is_valid() and (definition := form.definition()):
        with errors_on(form):
            create_pledge(program=program, definition=definition, actor=acting(request))
            messages.success(request, _("The pledge is a draft. Put it live when it is right."))
            return redirect(giving_url(program))
    context = {"title": _("New pledge"), "submit": _("Save as draft")}
    return _form_page(request, program, form, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def pledge_edit(
    request: HttpRequest, code: str, charity_code: str, pledge_code: str
) -> HttpResponse:
    """For events from now on; what was counted stays."""
    pledge = _pledge(code, charity_code, pledge_code)
    program = pledge.charity.account.program
    form = PledgeForm(posted(request), program=program, pledge=pledge, now=timezone.now())
    if form.is_valid() and (definition := form.definition()):
        with errors_on(form):
            change_pledge(pledge=pledge, definition=definition, actor=acting(request))
            messages.success(request, _("The pledge was changed."))
            return redirect(giving_url(program))
    context = {"title": _("Change %s") % pledge.name, "submit": _("Save"), "pledge": pledge}
    return _form_page(request, program, form, context)


@require_POST
@staff_view("programs.edit")
def pledge_state(
    request: HttpRequest, code: str, charity_code: str, pledge_code: str
) -> HttpResponse:
    """Put it live, or archive it."""
    pledge = _pledge(code, charity_code, pledge_code)
    wanted = request.POST.get("status", "")
    words = {
        Pledge.Status.LIVE: _("It counts from now on."),
        Pledge.Status.ARCHIVED: _("Nothing more is counted. What was given stays given."),
    }
    if wanted in words:
        definition = pledge_definition(pledge).model_copy(update={"status": wanted})
        change_pledge(pledge=pledge, definition=definition, actor=acting(request))
        messages.success(request, words[Pledge.Status(wanted)])
    return HttpResponseRedirect(giving_url(pledge.charity.account.program))


def _pledge(code: str, charity_code: str, pledge_code: str) -> Pledge:
    return get_object_or_404(
        pledges(), charity__account__program__code=code, charity__account__code=charity_code,
        code=pledge_code,
    )  # fmt: skip


def _form_page(
    request: HttpRequest, program: Program, form: PledgeForm, context: dict[str, Any]
) -> HttpResponse:
    shown = {
        "program": program, "form": form, "breadcrumbs": giving_crumbs(program),
        "back": giving_url(program), **context,
    }  # fmt: skip
    return render(
        request, "giving/backoffice/pledge_form.html", shown, status=422 if form.errors else 200
    )
