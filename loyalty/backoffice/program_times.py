"""Pausing a program, going on, and planning its end, in dialogs that say what happens."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loyalty.backoffice.links import program_url
from loyalty.backoffice.program_time_forms import (
    EndingForm,
    PauseForm,
    ResumeForm,
    ending_initial,
)
from loyalty.backoffice.reason_forms import ReasonForm
from loyalty.backoffice.rehearsed_dialogs import RehearsedDialog, answer_dialog
from loyalty.models import Program
from loyalty.selectors.member_tallies import members_in
from loyalty.selectors.program_times import program_state
from loyalty.services.program_endings import (
    EndingDays,
    call_off_ending,
    days_of,
    plan_ending,
    preview_ending,
)
from loyalty.services.program_pauses import pause_program, resume_program
from members.forms import errors_on, posted
from members.policy import acting, staff_view
from members.responses import htmx_redirect

# What the form of an end proposes: a month to earn, and two more to spend.
EARNED_FOR, SPENT_FOR = 30, 90


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def program_pause(request: HttpRequest, code: str) -> HttpResponse:
    """Let a live program rest."""
    program = _live(code)
    form = PauseForm(posted(request), zone=program.zone)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            pause_program(
                program=program, actor=acting(request), now=timezone.now(),
                starts_at=form.instant("starts_at"), ends_at=form.instant("ends_at"),
                spending=form.cleaned_data["spending"], note=form.cleaned_data["reason"],
            )  # fmt: skip
            return _done(request, program, _("%s pauses.") % program.name)
    context = {
        "title": _("Pause %s") % program.name,
        "members": members_in(program),
    }
    return _dialog(request, "program_pause", program, form, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def program_resume(request: HttpRequest, code: str) -> HttpResponse:
    """Go on after a pause, now or on a day; one that has not begun is called off."""
    program = _live(code)
    state = program_state(program, timezone.now())
    form = ResumeForm(posted(request), zone=program.zone)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            resume_program(
                program=program, actor=acting(request), now=timezone.now(),
                at=form.instant("ends_at"),
            )  # fmt: skip
            return _done(request, program, _("Saved: %s goes on.") % program.name)
    begun = state.pause is not None and state.pause.starts_at <= state.at
    context = {
        "title": _("Resume %s") % program.name if begun else _("Change the pause"),
        "pause": state.pause,
        "begun": begun,
    }
    return _dialog(request, "program_resume", program, form, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def program_end(request: HttpRequest, code: str) -> HttpResponse:
    """Plan how a program ends, after saying whom it takes what."""
    program = _live(code)
    proposed = _proposed(program)
    start = ending_initial(proposed, program)
    form = EndingForm(posted(request), initial=start, program=program)

    def look(values: dict[str, Any]) -> dict[str, Any]:
        days = EndingDays(**{item.name: values[item.name] for item in fields(EndingDays)})
        return {"preview": preview_ending(program, days, timezone.now())}

    def act(_values: dict[str, Any]) -> HttpResponse:
        plan_ending(
            program=program, days=form.days(), actor=acting(request), now=timezone.now(),
            note=form.cleaned_data["reason"],
        )  # fmt: skip
        return _done(request, program, _("The end of %s is planned.") % program.name)

    dialog = RehearsedDialog(
        title=_("Plan the end of %s") % program.name,
        verb=_("Plan the end"),
        template="loyalty/backoffice/program_end.html",
        effect="loyalty/backoffice/program_end_effect.html",
        back=program_url(program),
        start=start,
        look=look,
        act=act,
        looks_later=True,
    )
    return answer_dialog(request, form, dialog, {"program": program})


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def program_go_on(request: HttpRequest, code: str) -> HttpResponse:
    """Call the end off, as long as it can be."""
    program = _live(code)
    form = ReasonForm(posted(request))
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            call_off_ending(
                program=program, actor=acting(request), now=timezone.now(),
                note=form.cleaned_data["reason"],
            )  # fmt: skip
            return _done(request, program, _("%s goes on.") % program.name)
    return _dialog(
        request, "program_go_on", program, form, {"title": _("Let %s go on") % program.name}
    )


def _proposed(program: Program) -> EndingDays:
    now = timezone.now()
    planned = program_state(program, now).ending
    if planned is not None:
        return days_of(planned)
    today = now.astimezone(program.zone).date()
    days = (dt.timedelta(days=EARNED_FOR), dt.timedelta(days=SPENT_FOR))
    return EndingDays(today, today + days[0], today + days[1])


def _live(code: str) -> Program:
    found: Program = get_object_or_404(Program, code=code, status=Program.Status.LIVE)
    return found


def _dialog(
    request: HttpRequest, name: str, program: Program, form: ReasonForm, context: dict[str, Any]
) -> HttpResponse:
    context |= {"program": program, "form": form, "back": program_url(program)}
    status = 422 if form.is_bound else 200
    return render(request, f"loyalty/backoffice/{name}.html", context, status=status)


def _done(request: HttpRequest, program: Program, message: str) -> HttpResponse:
    """The whole page changes with it, so the dialog ends in a fresh one."""
    messages.success(request, message)
    return htmx_redirect(request, program_url(program))
