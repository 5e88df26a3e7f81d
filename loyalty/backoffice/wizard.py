"""The wizard: from a few questions to a program. One screen for each step; what was answered stays
on the server, so one may leave and come back."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from loyalty.backoffice.links import program_crumbs, program_url
from loyalty.backoffice.wizard_forms import StepForm
from loyalty.backoffice.wizard_screens import (
    as_answered,
    asked_context,
    figures_context,
    form_of,
    has_figures,
    history_for,
    side_context,
    suggestions,
)
from loyalty.backoffice.wizard_steps import (
    Step,
    further,
    next_step,
    places,
    reachable,
    resume_url,
    step_before,
    step_named,
    step_url,
    steps_of,
)
from loyalty.backoffice.wizard_windows import (
    SEEN,
    changed_words,
    is_stale,
    review_words,
    seen_of,
)
from loyalty.drafted_programs import template_of
from loyalty.models import Program, ProgramDraft
from loyalty.selectors.program_drafts import open_drafts
from loyalty.selectors.programs import definition_of
from loyalty.services.backtests import create_backtest
from loyalty.services.program_drafts import (
    begin_draft,
    discard_draft,
    keep_in_draft,
    launch_draft,
)
from members.backoffice.jobs import hand_over
from members.errors import DomainError
from members.models import Job, User
from members.policy import acting, is_allowed, staff_view
from members.responses import asks_figures

Mode = ProgramDraft.Mode
FIRST = {Mode.STARTER: "what", Mode.FULL: "situation"}


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.create")
def wizard_start(request: HttpRequest) -> HttpResponse:
    """Two ways to begin, and what was begun and not finished."""
    owner = _user(request)
    if request.method == "POST":
        mode = Mode.FULL if request.POST.get("mode") == Mode.FULL else Mode.STARTER
        draft = begin_draft(owner=owner, mode=mode, step=FIRST[mode], now=timezone.now())
        return redirect(step_url(draft, draft.step))
    context = {
        "title": _("New program"),
        "breadcrumbs": program_crumbs(),
        "drafts": [(draft, template_of(draft), resume_url(draft)) for draft in open_drafts(owner)],
    }
    return render(request, "loyalty/backoffice/wizard/start.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.create")
def wizard_step(request: HttpRequest, public_id: UUID, step: str) -> HttpResponse:
    """A step: its question, and the program as it would be."""
    draft = _own(request, public_id)
    if draft.program is not None:
        return redirect(program_url(draft.program))
    found = step_named(draft, step)
    if found is None or not reachable(draft, found):
        return redirect(resume_url(draft))
    now = timezone.now()
    if request.method == "POST" and found.code == "review":
        return _reviewed(request, draft)
    form = form_of(draft, found, request.POST if request.method == "POST" else None, now)
    if request.method == "POST" and "refresh" not in request.POST:
        if form is not None and form.is_valid() and is_stale(request, draft, form):
            form.add_error(None, changed_words())
            return _page(request, draft, found, form, now, status=422, seen=seen_of(draft, form))
        if form is None or form.is_valid():
            answer = _keep(request, draft, found, form, now)
            if answer is not None:
                return answer
        return _page(request, draft, found, form, now, status=422)
    return _page(request, draft, found, form, now)


@require_POST
@staff_view("programs.create")
def wizard_preview(request: HttpRequest, public_id: UUID, step: str) -> HttpResponse:
    """The program and its figures with the answers in the form, as they stand. Saves nothing."""
    draft = _own(request, public_id)
    found = step_named(draft, step)
    if found is None:
        raise Http404
    now = timezone.now()
    form = form_of(draft, found, request.POST, now)
    context = _preview(request, draft, found, form, now)
    return render(request, "loyalty/backoffice/wizard/preview.html", context)


@require_POST
@staff_view("programs.create")
def wizard_discard(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Throw the answers away."""
    discard_draft(draft=_own(request, public_id))
    messages.success(request, _("The answers were thrown away."))
    return redirect("loyalty_backoffice:wizard_start")


@require_POST
@staff_view("programs.create")
def wizard_backtest(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Save the program as a draft, and go through all orders of the year with it."""
    draft = _own(request, public_id)
    actor, now = acting(request), timezone.now()
    try:
        program = launch_draft(draft=draft, actor=actor, now=now, status="draft")
        period = history_for(draft, now).period
        if period is None or not is_allowed(request.user, "backtests.run"):
            return redirect(program_url(program))
        backtest = create_backtest(
            program=program, since=period.since.astimezone(program.zone).date(),
            until=period.last_day.astimezone(program.zone).date(),
            draft=definition_of(program, now), actor=actor, now=now,
        )  # fmt: skip
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect(resume_url(draft))
    if backtest.job is not None and backtest.job.state == Job.State.QUEUED:
        hand_over(request, backtest.job)
    messages.success(request, _("%s was saved as a draft.") % program)
    return redirect(reverse("loyalty_backoffice:backtest_page", args=[backtest.public_id]))


def keep_answers(
    draft: ProgramDraft, step: Step, form: StepForm | None, now: dt.datetime
) -> Step:  # fmt: skip
    """Save the answers of a valid form, and which step the draft has come to. Returns the step that
    follows this one now. Raises DomainError."""

    def following(found: ProgramDraft) -> Step:
        after = next_step(found, step)
        assert after is not None
        return after

    kept = keep_in_draft(
        draft=draft, now=now, **_said(draft, form, now),
        reached=lambda found: further(found, following(found)),
    )  # fmt: skip
    return following(kept)


def _keep(
    request: HttpRequest, draft: ProgramDraft, step: Step, form: StepForm | None, now: dt.datetime
) -> HttpResponse | None:
    """Save the answers and go on; None when the form now says what is wrong."""
    try:
        following = keep_answers(draft, step, form, now)
    except DomainError as error:
        if form is not None:
            form.add_error(None, str(error.message))
        return None
    if "leave" in request.POST:
        messages.success(request, _("Your answers are kept. Go on whenever you like."))
        return redirect("loyalty_backoffice:wizard_start")
    return redirect(step_url(draft, following.code))


def _said(draft: ProgramDraft, form: StepForm | None, now: dt.datetime) -> dict[str, Any]:
    """What a form says, as the draft takes it."""
    if form is None:
        return {}
    if form.part != "template":
        return {"parts": {form.part: form.kept()}}
    chosen, answers = form.cleaned_data["template"], {}
    if chosen != draft.template:
        answers = suggestions(draft, chosen, now)
    if form.cleaned_data.get("program_name"):
        answers["program_name"] = form.cleaned_data["program_name"]
    return {"template": chosen, "parts": {"answers": answers}}


def _reviewed(request: HttpRequest, draft: ProgramDraft) -> HttpResponse:
    """Launch what was looked at; where that is no longer it, it is shown first."""
    if is_stale(request, draft, None):
        messages.warning(request, review_words())
        return redirect(step_url(draft, "review"))
    return _launch(request, draft)


def _launch(request: HttpRequest, draft: ProgramDraft) -> HttpResponse:
    """Make the program. Twice is once."""
    starter = draft.mode == Mode.STARTER
    status = None
    if starter:
        status = "draft" if "as_draft" in request.POST else "live"
    try:
        program = launch_draft(
            draft=draft, actor=acting(request), now=timezone.now(), status=status
        )
    except DomainError as error:
        messages.error(request, "; ".join(str(item.message) for item in error.errors)
                       or str(error.message))  # fmt: skip
        return redirect(resume_url(draft))
    if program.status == Program.Status.LIVE:
        messages.success(
            request, _("%s is live: orders that come in from now on earn.") % program.name
        )
    else:
        messages.success(
            request, _("%s was saved as a draft. Nothing earns before it is live.") % program.name
        )
    return redirect(program_url(program))


def _page(
    request: HttpRequest, draft: ProgramDraft, step: Step, form: StepForm | None, now: dt.datetime,
    *, status: int = 200, seen: str = "",
) -> HttpResponse:  # fmt: skip
    """`seen`: the answers that the page is opened with; else those that it was opened with."""
    before = step_before(draft, step)
    context: dict[str, Any] = {
        "title": step.title,
        "breadcrumbs": [
            *program_crumbs(), (_("New program"), reverse("loyalty_backoffice:wizard_start"))
        ],
        "draft": draft,
        "step": step,
        "form": form,
        "seen": seen or request.POST.get(SEEN) or seen_of(draft, form),
        "places": places(draft, step),
        "total": len(steps_of(draft)),
        "before_url": step_url(draft, before.code) if before else "",
        "loaded_later": has_figures(step) and "refresh" not in request.POST,
        "show_errors": status == 422,
        **asked_context(draft, step, form, now),
    }  # fmt: skip
    if has_figures(step) and "refresh" in request.POST:
        context |= _preview(request, draft, step, form, now)
    elif has_figures(step):
        context |= side_context(draft)
    else:
        context |= side_context(draft) | _figures(request, draft, step, now)
    return render(request, "loyalty/backoffice/wizard/step.html", context, status=status)


def _preview(
    request: HttpRequest, draft: ProgramDraft, step: Step, form: StepForm | None, now: dt.datetime
) -> dict[str, Any]:
    """With the answers of the form, where they are right; else a word that they are not."""
    if form is not None and form.is_bound:
        if not form.is_valid():
            return {"step": step, "incomplete": True, "said": []}
        draft = as_answered(draft, form)
    return {
        "step": step, "draft": draft, **side_context(draft), **_figures(request, draft, step, now)
    }  # fmt: skip


def _figures(
    request: HttpRequest, draft: ProgramDraft, step: Step, now: dt.datetime
) -> dict[str, Any]:
    try:
        whole = asks_figures(request)
        return figures_context(draft, step, acting(request), now, whole=whole)
    except DomainError as error:
        texts = [str(item.message) for item in error.errors] or [str(error.message)]
        return {"refused": texts}


def _own(request: HttpRequest, public_id: UUID) -> ProgramDraft:
    """One's own: nobody reads what others are thinking about."""
    drafts = ProgramDraft.objects.select_related("program").filter(owner=_user(request))
    return get_object_or_404(drafts, public_id=public_id)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
