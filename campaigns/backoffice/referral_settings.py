"""What a program promises for bringing friends: how it goes, what it brings, writing it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.backoffice.referral_forms import ReferralForm, ReferralTextsForm
from campaigns.backoffice.referral_menu import NAMESPACE
from campaigns.models import ReferralProgram
from campaigns.referral_definitions import ReferralDefinition, definition_of, read_definition
from campaigns.referral_words import promise_sentences, told_referrals
from campaigns.selectors.referrals import spent_of
from campaigns.services.referral_programs import (
    discard_draft,
    pause_referrals,
    publish_terms,
    resume_referrals,
    write_terms,
)
from campaigns.slow_figures import REFERRAL_RESULT
from loyalty.backoffice.links import Crumbs
from loyalty.models import Program
from members.errors import DomainError
from members.forms import errors_on, posted
from members.policy import acting, is_allowed, staff_view
from members.responses import figures_for
from rewards.texts import LANGUAGES, other_languages


def crumbs(program: Program | None = None) -> Crumbs:
    found = [(_("Referrals"), reverse(f"{NAMESPACE}:referral_list"))]
    return [*found, (program.name, program_url(program))] if program else found


def program_url(program: Program, name: str = "referral_program") -> str:
    return reverse(f"{NAMESPACE}:{name}", args=[program.code])


@require_safe
@staff_view("programs.view")
def referral_program(request: HttpRequest, code: str) -> HttpResponse:
    """Numbers first, then what is promised."""
    program = get_object_or_404(Program, code=code)
    row = ReferralProgram.objects.filter(program=program).select_related("author").first()
    terms = row.terms.first() if row else None
    definition = definition_of(terms) if terms else None
    draft = read_definition(row.draft) if row and row.draft else None
    said = draft or definition
    figures = figures_for(request, REFERRAL_RESULT, timezone.now(), program=program.pk)
    context = {
        "title": _("Referrals of %s") % program.name, "breadcrumbs": crumbs(), "program": program,
        "row": row, "terms": terms, "status": row.status if row else "draft",
        "sentences": promise_sentences(definition, program) if definition else [],
        "draft_sentences": promise_sentences(draft, program) if draft else [],
        "figures": figures, "result": figures and figures.value,
        "budget": _budget(program, definition),
        "may_edit": is_allowed(request.user, "rules.draft"),
        "may_publish": is_allowed(request.user, "rules.publish"),
        "is_writer": bool(row and row.draft and row.author == request.user),
        "languages": other_languages(""),
        "told": told_referrals(said, program) if said else None,
    }  # fmt: skip
    return render(request, "referrals/backoffice/referral_program.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rules.draft")
def referral_edit(request: HttpRequest, code: str) -> HttpResponse:
    """A draft; friends who come meanwhile come by what is published."""
    program = get_object_or_404(Program, code=code)
    form = ReferralForm(posted(request), program=program, definition=written(program))
    if request.method == "POST" and form.is_valid():
        definition = form.definition()
        if definition is not None:
            with errors_on(form):
                write_terms(
                    program=program, definition=definition, actor=acting(request),
                    now=timezone.now(),
                )  # fmt: skip
                messages.success(request, _("Saved. It holds once it is published."))
                return redirect(program_url(program))
    context = {
        "title": _("What bringing friends brings"), "form": form, "program": program,
        "breadcrumbs": crumbs(program), "back": program_url(program),
        "show_errors": bool(form.errors),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "referrals/backoffice/referral_form.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rules.draft")
def referral_texts(request: HttpRequest, code: str) -> HttpResponse:
    """What people read in another language."""
    program, language = get_object_or_404(Program, code=code), request.GET.get("language", "")
    if language not in LANGUAGES:
        raise Http404("There is no such language.")
    definition = written(program)
    told = told_referrals(definition.model_copy(update={"texts": {}}), program)
    usual = {name: getattr(told, name) for name in told.__slots__}
    form = ReferralTextsForm(posted(request), definition=definition, language=language, usual=usual)
    if form.is_valid():
        with errors_on(form):
            write_terms(
                program=program, definition=form.definition(), actor=acting(request),
                now=timezone.now(),
            )  # fmt: skip
            messages.success(request, _("The texts were saved. They are told once published."))
            return redirect(program_url(program))
    context = {
        "title": _("Referrals in another language: %s") % LANGUAGES[language], "form": form,
        "breadcrumbs": crumbs(program), "back": program_url(program),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "campaigns/backoffice/campaign_texts.html", context, status=status)


@require_POST
@staff_view("rules.publish")
def referral_state(request: HttpRequest, code: str) -> HttpResponse:
    """Publish what is written, throw it away, pause, go on."""
    program = get_object_or_404(Program, code=code)
    how: dict[str, Any] = {"program": program, "actor": acting(request), "now": timezone.now()}
    try:
        match request.POST.get("do"):
            case "publish":
                publish_terms(**how)
                messages.success(request, _("It holds for friends who come from now on."))
            case "discard":
                discard_draft(**how)
                messages.success(request, _("The draft was thrown away."))
            case "pause":
                pause_referrals(**how)
                messages.success(request, _("It rests: nobody comes by a link now."))
            case "resume":
                resume_referrals(**how)
                messages.success(request, _("It goes on."))
            case _:
                raise Http404("There is no such thing to do.")
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(program_url(program))


def written(program: Program) -> ReferralDefinition:
    """What was written last."""
    row = ReferralProgram.objects.filter(program=program).first()
    if row is None:
        return ReferralDefinition()
    terms = row.terms.first()
    if row.draft:
        return read_definition(row.draft)
    return definition_of(terms) if terms else ReferralDefinition()


def _budget(program: Program, definition: ReferralDefinition | None) -> dict[str, Any] | None:
    """What was used of it, in whichever is nearer to its end."""
    if definition is None:
        return None
    spent = spent_of([program.pk]).get(program.pk)
    found = []
    for limit, name in ((definition.budget_units, "units"), (definition.budget_money, "money")):
        if limit:
            used = getattr(spent, name) if spent else 0
            percent = min(100, int(used * 100 / limit))
            found.append({"used": used, "whole": limit, "percent": percent,
                          "is_money": name == "money"})  # fmt: skip
    return max(found, key=lambda item: item["percent"], default=None)
