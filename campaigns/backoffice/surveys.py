"""Surveys: which there are, writing them, and what becomes of them."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.backoffice.list_filter import ListFilter
from campaigns.backoffice.survey_forms import (
    LiveSurveyForm,
    QuestionFormSet,
    SurveyForm,
    TextsForm,
    questions_said,
    questions_shown,
)
from campaigns.models import Survey
from campaigns.selectors.survey_rewards import brings
from campaigns.selectors.surveys import counted_surveys, surveys
from campaigns.services.surveys import (
    change_survey,
    copy_survey,
    create_survey,
    delete_survey,
    end_survey,
    free_code,
    pause_survey,
    publish_survey,
    resume_survey,
)
from campaigns.survey_definitions import definition_of_survey
from campaigns.survey_forms import blank_sheet
from loyalty.backoffice.links import Crumbs
from loyalty.models import Program
from members.errors import DomainError
from members.forms import errors_on, posted
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view
from rewards.texts import LANGUAGES

NAMESPACE = "surveys_backoffice"
ORDERINGS = {
    "newest": ("-created_at", "-pk"), "name": ("title", "pk"), "-name": ("-title", "-pk"),
}  # fmt: skip


@require_safe
@staff_view("programs.view")
def survey_list(request: HttpRequest) -> HttpResponse:
    """All of them, newest first."""
    chosen = ListFilter.of(request, Survey.State.values)
    found: QuerySet[Survey] = counted_surveys().filter(chosen.named("title"))
    if chosen.state:
        found = found.filter(state=chosen.state)
    page = paginate(found, request=request, orderings=ORDERINGS, default="newest")
    context = {
        "title": _("Surveys"),
        "page": page,
        "filter": chosen,
        "programs": list(Program.objects.exclude(status="archived").order_by("name")),
        "may_edit": is_allowed(request.user, "surveys.edit"),
    }
    return render(request, "surveys/backoffice/survey_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("surveys.edit")
def survey_create(request: HttpRequest, code: str) -> HttpResponse:
    """A further survey of a program."""
    program = get_object_or_404(Program, code=code)
    return _edit_page(request, program, None, _("New survey"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("surveys.edit")
def survey_edit(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """A draft can be changed as one likes; once it is live, only how and until when it is asked."""
    survey = find_survey(public_id)
    if survey.state == Survey.State.ENDED:
        raise Http404("It has ended.")
    if survey.state in (Survey.State.LIVE, Survey.State.PAUSED):
        return _live_page(request, survey)
    return _edit_page(request, survey.program, survey, _("Change %s") % survey.title)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("surveys.edit")
def survey_texts(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The survey in another language."""
    survey, language = find_survey(public_id), request.GET.get("language", "")
    if language not in LANGUAGES or survey.state != Survey.State.DRAFT:
        raise Http404("There is no such language, or it is not to be written any more.")
    form = TextsForm(posted(request), survey=survey, language=language)
    if form.is_valid():
        with errors_on(form):
            change_survey(survey=survey, definition=form.definition(), actor=acting(request))
            messages.success(request, _("The texts were saved."))
            return redirect(survey_url(survey))
    context = {
        "title": _("%(survey)s in another language: %(language)s")
        % {"survey": survey.title, "language": LANGUAGES[language]},
        "form": form,
        "back": survey_url(survey),
        "breadcrumbs": crumbs(survey),
    }
    status = 422 if form.errors else 200
    return render(request, "surveys/backoffice/survey_texts.html", context, status=status)


@require_safe
@staff_view("programs.view")
def survey_preview(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """As members find it; nothing can be sent."""
    survey, language = find_survey(public_id), request.GET.get("language", "")
    context = {
        "title": _("As members find it"),
        "survey": survey,
        "sheet": blank_sheet(survey, language if language in LANGUAGES else ""),
        "reward": brings(survey, timezone.now()),
        "languages": [(code, LANGUAGES[code]) for code in languages_of(survey)],
        "breadcrumbs": crumbs(survey),
    }
    return render(request, "surveys/backoffice/survey_preview.html", context)


@require_POST
@staff_view("surveys.edit")
def survey_act(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Ask it, pause it, end it, copy it, or throw a draft away."""
    survey, actor, now = find_survey(public_id), acting(request), timezone.now()
    try:
        match request.POST.get("act"):
            case "publish":
                publish_survey(survey=survey, actor=actor, now=now)
                messages.success(request, _("It is being asked."))
            case "pause":
                pause_survey(survey=survey, actor=actor)
                messages.success(request, _("Nobody is asked until you resume it."))
            case "resume":
                resume_survey(survey=survey, actor=actor)
                messages.success(request, _("It is being asked."))
            case "end":
                end_survey(survey=survey, actor=actor, now=now)
                messages.success(request, _("Nobody is asked any more."))
            case "copy":
                fresh = copy_survey(survey=survey, actor=actor)
                messages.success(request, _("This is a copy. Change it as you like."))
                return redirect(f"{NAMESPACE}:survey_edit", fresh.public_id)
            case "delete":
                delete_survey(survey=survey, actor=actor)
                messages.success(request, _("%s was deleted.") % survey.title)
                return redirect(f"{NAMESPACE}:survey_list")
            case _:
                raise Http404("There is no such thing to do.")
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(survey_url(survey))


def find_survey(public_id: uuid.UUID) -> Survey:
    return get_object_or_404(surveys(), public_id=public_id)


def survey_url(survey: Survey) -> str:
    return reverse(f"{NAMESPACE}:survey", args=[survey.public_id])


def crumbs(survey: Survey | None = None) -> Crumbs:
    found = [(_("Surveys"), reverse(f"{NAMESPACE}:survey_list"))]
    return [*found, (survey.title, survey_url(survey))] if survey else found


def languages_of(survey: Survey) -> list[str]:
    """Those that something is said in, besides the first one."""
    said = {*survey.texts, *(code for item in survey.questions.all() for code in item.texts)}
    return sorted(said & set(LANGUAGES))


def _edit_page(
    request: HttpRequest, program: Program, survey: Survey | None, title: str
) -> HttpResponse:
    data = posted(request)
    form = SurveyForm(data, program=program, survey=survey)
    asked = QuestionFormSet(data, initial=questions_shown(survey), prefix="questions")
    if data is not None and form.is_valid() and asked.is_valid():
        saved = _save(request, form, asked, program, survey)
        if saved is not None and data.get("more"):
            return redirect(reverse(f"{NAMESPACE}:survey_edit", args=[saved.public_id])
                            + "#questions")  # fmt: skip
        if saved is not None:
            messages.success(request, _("The survey was saved."))
            return redirect(survey_url(saved))
    context = {
        "title": title, "program": program, "survey": survey, "form": form, "questions": asked,
        "back": survey_url(survey) if survey else reverse(f"{NAMESPACE}:survey_list"),
        "breadcrumbs": crumbs(survey),
    }  # fmt: skip
    status = 422 if form.errors or (data is not None and not asked.is_valid()) else 200
    return render(request, "surveys/backoffice/survey_form.html", context, status=status)


def _save(
    request: HttpRequest, form: SurveyForm, asked: Any, program: Program, survey: Survey | None
) -> Survey | None:
    """None where something is wrong, which is then on the form."""
    title = slugify(form.cleaned_data["title"])[:56].strip("-") or "survey"
    code = survey.code if survey else free_code(program, title)
    definition = form.definition(code, questions_said(asked, survey))
    if definition is None:
        return None
    saved: Survey | None = None
    with errors_on(form):
        if survey is None:
            saved = create_survey(program=program, definition=definition, actor=acting(request))
        else:
            saved = change_survey(survey=survey, definition=definition, actor=acting(request))
    return saved


def _live_page(request: HttpRequest, survey: Survey) -> HttpResponse:
    form = LiveSurveyForm(posted(request), program=survey.program, survey=survey)
    if form.is_valid():
        with errors_on(form):
            definition = form.changed(definition_of_survey(survey))
            change_survey(survey=survey, definition=definition, actor=acting(request))
            messages.success(request, _("The survey was saved."))
            return redirect(survey_url(survey))
    context = {
        "title": _("Change %s") % survey.title, "survey": survey, "form": form,
        "program": survey.program, "back": survey_url(survey), "breadcrumbs": crumbs(survey),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "surveys/backoffice/survey_live.html", context, status=status)
