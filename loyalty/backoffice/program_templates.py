"""The kinds of programs to start from: all of them, and one with what it promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.links import program_crumbs, program_url
from loyalty.definitions import ProgramDefinition
from loyalty.program_templates.kinds import ProgramTemplate, build, read_answers
from loyalty.program_templates.registry import SECTIONS, TEMPLATES, template_named
from loyalty.services.program_starts import start_program, suggest_code
from loyalty.template_words import in_brief, in_full
from members.choices import currencies, time_zones
from members.errors import DomainError
from members.policy import acting, staff_view
from members.selectors.merchants import get_merchant

BRIEF = 4


@dataclass(frozen=True, slots=True)
class Shown:
    """A template on the page of all of them."""

    template: ProgramTemplate
    sentences: list[str]
    more: bool


class StartForm(forms.Form):
    """What a program needs besides what its template says."""

    program_name = forms.CharField(label=gettext_lazy("What is it called?"), max_length=120)
    code = forms.SlugField(
        label=gettext_lazy("Short name"),
        max_length=64,
        required=False,
        help_text=gettext_lazy(
            "For files, commands and the API: a-z, 0-9, hyphens. Empty: made of the name."
        ),
    )
    currency = forms.ChoiceField(label=gettext_lazy("Currency"))
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        merchant = get_merchant()
        for name, choices, own in (
            ("currency", currencies(merchant.currency), merchant.currency),
            ("time_zone", time_zones(merchant.time_zone), merchant.time_zone),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices, field.initial = choices, own

    def answers(self) -> dict[str, Any]:
        """As `read_answers` takes them."""
        said = dict(self.cleaned_data)
        return said | {"code": said["code"].lower() or suggest_code(said["program_name"])}


@require_safe
@staff_view("programs.create")
def template_gallery(request: HttpRequest) -> HttpResponse:
    """Every kind of program, by family."""
    shown = [_shown(template) for template in TEMPLATES]
    context = {
        "title": _("New program"),
        "breadcrumbs": program_crumbs(),
        "sections": [
            (label, [item for item in shown if item.template.family in families])
            for label, families in SECTIONS
        ],
    }
    return render(request, "loyalty/backoffice/template_gallery.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.create")
def template_page(request: HttpRequest, template: str) -> HttpResponse:
    """One kind with what it promises; sent, a draft of it."""
    found = template_named(template)
    if found is None:
        raise Http404
    form = StartForm(request.POST or None, initial={"program_name": found.name})
    if request.method == "POST" and form.is_valid():
        answer = _start(request, found, form)
        if answer is not None:
            return answer
    context = {
        "title": found.name,
        "breadcrumbs": [*program_crumbs(), (_("New program"), _gallery_url())],
        "template": found,
        "form": form,
        "sections": in_full(_example(found)),
        "back": _gallery_url(),
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "loyalty/backoffice/template_page.html", context, status=status)


def _start(request: HttpRequest, template: ProgramTemplate, form: StartForm) -> HttpResponse | None:
    """The draft's page; None when the form now says what is wrong."""
    try:
        program = start_program(
            template=template,
            answers=read_answers(template, form.answers()),
            actor=acting(request),
            now=timezone.now(),
        )
    except DomainError as error:
        for item in error.errors:
            name = item.field if item.field in form.fields else None
            form.add_error(name, str(item.message))
        if not error.errors:
            form.add_error(None, str(error.message))
        return None
    messages.success(
        request, _("%s was saved as a draft. Nothing counts before it is live.") % program
    )
    return redirect(program_url(program))


def _shown(template: ProgramTemplate) -> Shown:
    sentences = in_brief(_example(template))
    return Shown(template, sentences[:BRIEF], len(sentences) > BRIEF)


def _example(template: ProgramTemplate) -> ProgramDefinition:
    """The program of its defaults, in the merchant's currency."""
    answers = read_answers(
        template,
        {
            "program_name": str(template.name), "code": template.code,
            "currency": get_merchant().currency,
        },
    )  # fmt: skip
    return build(template, answers)


def _gallery_url() -> str:
    return reverse("loyalty_backoffice:template_gallery")
