"""What people are asked about themselves: the questions, and what was answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods, require_safe

from members.forms import errors_on, posted
from members.free_codes import code_stem, first_free
from members.languages import own_names
from members.models import ProfileQuestion
from members.models.profile_questions import QUESTION_CODE, QUESTION_WORDS
from members.policy import acting, is_allowed, staff_view
from members.responses import dialog_done
from members.selectors.merchants import get_merchant
from members.selectors.profile_questions import asked
from members.services.profile_questions import (
    LONGEST_TEXT,
    change_question,
    create_question,
    put_question_away,
)

ACTION = "segments.edit"
# Between the code of a choice and its words.
BETWEEN = "|"


class QuestionForm(forms.Form):
    """A question; what is empty in another language is as in the merchant's own. Each line is a
    choice: its words, or its code, a stroke and its words."""

    field_order = ("text", "kind", "choices", "code")
    code = forms.RegexField(
        QUESTION_CODE, label=_l("Code"), max_length=40, error_messages={"invalid": QUESTION_WORDS},
        help_text=_l("For files and programs, like “favorite_taste”. It does not change."),
    )  # fmt: skip
    kind = forms.ChoiceField(
        label=_l("What can be chosen"), choices=ProfileQuestion.Kind.choices,
        widget=forms.RadioSelect, initial=ProfileQuestion.Kind.ONE,
    )  # fmt: skip
    text = forms.CharField(label=_l("Question"), max_length=LONGEST_TEXT)
    choices = forms.CharField(label=_l("Choices"), widget=forms.Textarea(attrs={"rows": 5}))
    completes = forms.BooleanField(
        label=_l("A profile is complete only with an answer"), required=False,
        help_text=_l("Counts for the activity “profile complete”, which rules can reward."),
    )  # fmt: skip
    is_away = forms.BooleanField(
        label=_l("Asked no more"), required=False,
        help_text=_l("What people said stays, and segments can go on asking for it."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, question: ProfileQuestion | None = None) -> None:
        self.question = question
        super().__init__(data, initial=_initial(question) if question is not None else {})
        help_text = _("One in each line.")
        if question is None:
            del self.fields["is_away"]
        else:
            del self.fields["code"], self.fields["kind"]
            help_text = _(
                "One in each line. What is before the stroke stays when you call a choice"
                " otherwise; a line that you take out is offered no more."
            )
        self.fields["choices"].help_text = help_text
        self.languages = [one for one in own_names() if one[0] != get_merchant().locale]
        # Choices have their codes once they are saved.
        for code, language in self.languages if question is not None else ():
            said = question.texts.get(code, {}) if question is not None else {}
            self.fields[f"text_{code}"] = forms.CharField(
                label=f"{_('Question')} · {language}", max_length=LONGEST_TEXT, required=False,
                initial=said.get("text", ""),
            )  # fmt: skip
            self.fields[f"choices_{code}"] = forms.CharField(
                label=f"{_('Choices')} · {language}", required=False,
                widget=forms.Textarea(attrs={"rows": 3}),
                help_text=_("The code, a stroke and the words in each line."),
                initial=_lines(said.get("choices", {})),
            )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Words in another language are of a choice that there is: a line that names none would
        be read by nobody."""
        data = self.cleaned_data
        if self.question is None or "choices" not in data:
            return data
        choices = [*self.question.choices, *_choices(data["choices"], self._taken())]
        known = {item["code"] for item in choices}
        for code, _name in self.languages:
            for line in _written(data.get(f"choices_{code}", "")):
                before, stroke, _words = line.partition(BETWEEN)
                if not stroke or before.strip().lower() not in known:
                    words = _("“%s” begins with the code of no choice.") % line[:40]
                    self.add_error(f"choices_{code}", words)
                    break
        return data

    def _taken(self) -> set[str]:
        return {item["code"] for item in self.question.choices} if self.question else set()

    def said(self) -> dict[str, Any]:
        """As the service takes it."""
        data = self.cleaned_data
        taken = self._taken()
        said = {
            "text": data["text"], "completes": data["completes"],
            "choices": _choices(data["choices"], taken),
        }  # fmt: skip
        if self.question is None:
            return said
        texts = {
            code: {
                "text": data[f"text_{code}"],
                "choices": {
                    item["code"]: item["text"] for item in _choices(data[f"choices_{code}"], taken)
                },
            }
            for code, _name in self.languages
        }
        # What is said in a language that is not on the form stays.
        return {**said, "texts": {**self.question.texts, **texts}}


@require_safe
@staff_view("customers.view")
def question_list(request: HttpRequest) -> HttpResponse:
    """All of them, those that are asked no more at the end."""
    rows = sorted(ProfileQuestion.objects.all(), key=lambda row: row.archived_at is not None)
    context = {
        "title": _("Questions about people"),
        "rows": [(row, asked(row)) for row in rows],
        "may_edit": is_allowed(request.user, ACTION),
    }
    return render(request, "backoffice/profile_question_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(ACTION)
def question_create(request: HttpRequest) -> HttpResponse:
    """A further question."""
    form = QuestionForm(posted(request))
    if form.is_valid():
        with errors_on(form):
            data = form.cleaned_data
            made = create_question(
                code=data["code"], kind=data["kind"], actor=acting(request), **form.said()
            )
            return _done(request, _("“%s” is asked from now on.") % made.text)
    return _dialog(request, form, _("New question"), _("Add question"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(ACTION)
def question_edit(request: HttpRequest, code: str) -> HttpResponse:
    """What is asked, in which words, and whether it still is."""
    question = get_object_or_404(ProfileQuestion, pk=code)
    form = QuestionForm(posted(request), question=question)
    if form.is_valid():
        with errors_on(form):
            changed = change_question(question=question, actor=acting(request), **form.said())
            put_question_away(
                question=changed, away=form.cleaned_data["is_away"], actor=acting(request),
                now=timezone.now(),
            )  # fmt: skip
            return _done(request, _("“%s” is saved.") % changed.text)
    return _dialog(request, form, question.text, _("Save question"))


def _initial(question: ProfileQuestion) -> dict[str, Any]:
    offered = {item["code"]: item["text"] for item in question.choices if item["offered"]}
    return {
        "text": question.text, "completes": question.completes, "choices": _lines(offered),
        "is_away": question.archived_at is not None,
    }  # fmt: skip


def _lines(choices: Mapping[str, str]) -> str:
    return "\n".join(f"{code} {BETWEEN} {words}" for code, words in choices.items())


def _written(text: str) -> list[str]:
    """Its lines, but for empty ones."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def _choices(text: str, known: Iterable[str]) -> list[dict[str, str]]:
    """A line without a code gets one of its words that none of the others has."""
    found: list[dict[str, str]] = []
    taken = set(known)
    for line in _written(text):
        before, stroke, after = line.partition(BETWEEN)
        words = (after if stroke else before).strip()
        code = before.strip().lower() if stroke else ""
        if not code:
            stem = code_stem(words, otherwise="choice", longest=36).lower()
            code = first_free(stem, taken)
        taken.add(code)
        found.append({"code": code, "text": words})
    return found


def _dialog(request: HttpRequest, form: QuestionForm, title: str, submit: str) -> HttpResponse:
    context = {"title": title, "form": form, "submit": submit, "back": _url()}
    status = 422 if form.is_bound else 200
    return render(request, "backoffice/profile_question_form.html", context, status=status)


def _done(request: HttpRequest, message: str) -> HttpResponse:
    return dialog_done(request, url=_url(), changed="question", message=message)


def _url() -> str:
    return reverse("backoffice:profile_question_list")
