"""What staff fill in about a survey: itself, its questions, and both in another language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from pydantic import ValidationError

from campaigns.models import Survey, SurveyQuestion
from campaigns.survey_definitions import (
    MOST_CHOICES,
    MOST_QUESTIONS,
    QuestionDefinition,
    QuestionTexts,
    SurveyDefinition,
    SurveyTexts,
    definition_of_survey,
)
from loyalty.models import ActivityType, Program
from loyalty.rule_conditions import OCCASION_SCOPES
from members.backoffice.condition_builder import ConditionField
from members.free_codes import first_free
from rewards.backoffice.event_forms import MomentField, said_moment, shown_moment

_PROSE = {"widget": forms.Textarea(attrs={"rows": 2}), "max_length": 600, "required": False}


class SurveyForm(forms.Form):
    """Whom it asks, how and when; its questions are a formset beside it."""

    title = forms.CharField(label=_l("Title"), max_length=120)
    intro = forms.CharField(label=_l("What it is about"), **_PROSE)  # type: ignore[arg-type]
    thanks = forms.CharField(
        label=_l("Thanks, once they have answered"),
        **_PROSE,  # type: ignore[arg-type]
    )
    opens_at = MomentField(
        label=_l("From"), required=False, help_text=_l("Empty: as soon as it is live.")
    )
    closes_at = MomentField(
        label=_l("Until"), required=False, help_text=_l("Empty: until you end it.")
    )
    on_page = forms.BooleanField(label=_l("On members' own pages"), required=False, initial=True)
    by_message = forms.BooleanField(
        label=_l("By a message to each member"), required=False,
        help_text=_l("As far as they want to be told. The occasion “Survey” has to be on."),
    )  # fmt: skip
    anonymous = forms.BooleanField(
        label=_l("By one link for everybody"), required=False,
        help_text=_l("Nobody knows who answered, so it brings nothing, and may be answered again."),
    )  # fmt: skip
    when = ConditionField(
        scopes=OCCASION_SCOPES, label=_l("Who is asked"), everything=_l("Every member."),
    )  # fmt: skip
    activity = forms.ModelChoiceField(
        ActivityType.objects.none(), label=_l("An answer counts as"), required=False,
        to_field_name="code", empty_label=_l("Nothing: it brings nothing"),
        help_text=_l("A type of activity. A rule for it says what answering brings, once."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, program: Program, survey: Survey | None) -> None:
        self.program, self.survey = program, survey
        super().__init__(data, initial=_initial(survey) if survey else {})
        choice = self.fields["activity"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = ActivityType.objects.filter(active=True).order_by("name")

    def definition(
        self, code: str, questions: Iterable[QuestionDefinition]
    ) -> SurveyDefinition | None:
        """What the form says; None where something in it is wrong, which is then on its field."""
        data = self.cleaned_data
        plain = ("title", "intro", "thanks", "on_page", "by_message", "anonymous")
        try:
            return SurveyDefinition(
                **{name: data[name] for name in plain}, code=code, when=data["when"] or {},
                opens_at=said_moment(data["opens_at"], self.program),
                closes_at=said_moment(data["closes_at"], self.program),
                activity=data["activity"].code if data["activity"] else "",
                texts=self.survey.texts if self.survey else {}, questions=list(questions),
            )  # fmt: skip
        except ValidationError as error:
            for item in error.errors(include_url=False):
                place = str(item["loc"][0]) if item["loc"] else ""
                self.add_error(place if place in self.fields else None, _message(item))
            return None


class LiveSurveyForm(SurveyForm):
    """What may still change while it is asked."""

    def __init__(self, data: Any = None, *, program: Program, survey: Survey | None) -> None:
        super().__init__(data, program=program, survey=survey)
        for name in ("title", "intro", "opens_at", "when", "activity"):
            del self.fields[name]

    def changed(self, known: SurveyDefinition) -> SurveyDefinition:
        data = self.cleaned_data
        plain = ("thanks", "on_page", "by_message", "anonymous")
        changes = {name: data[name] for name in plain}
        closes = said_moment(data["closes_at"], self.program)
        return known.model_copy(update=changes | {"closes_at": closes})


class QuestionForm(forms.Form):
    """One question; left empty it is none."""

    code = forms.SlugField(max_length=64, required=False, widget=forms.HiddenInput)
    text = forms.CharField(label=_l("Question"), max_length=300, required=False)
    kind = forms.ChoiceField(label=_l("Answer"), choices=SurveyQuestion.Kind.choices)
    choices = forms.CharField(
        label=_l("What can be chosen"), required=False,
        widget=forms.Textarea(attrs={"rows": 3}), help_text=_l("One in each line."),
    )  # fmt: skip
    required = forms.BooleanField(label=_l("Has to be answered"), required=False, initial=True)
    choices.conditional = True  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        lines = _lines(data.get("choices", ""))
        if data.get("kind") in SurveyQuestion.CHOSEN and data.get("text"):
            if len(set(lines)) < 2 or len(lines) > MOST_CHOICES:
                self.add_error("choices", _("Give 2 to %s different lines.") % MOST_CHOICES)
            if any(len(line) > 120 for line in lines):
                self.add_error("choices", _("At most 120 characters in a line."))
        return data


QuestionFormSet = forms.formset_factory(
    QuestionForm, extra=1, can_order=True, can_delete=True, max_num=MOST_QUESTIONS,
    validate_max=True, absolute_max=MOST_QUESTIONS + 5,
)  # fmt: skip


def questions_shown(survey: Survey | None) -> list[dict[str, Any]]:
    """The questions as the formset shows them."""
    rows = survey.questions.all() if survey else ()
    return [
        {"code": item.code, "text": item.text, "kind": item.kind, "required": item.required,
         "choices": "\n".join(choice["text"] for choice in item.choices)}
        for item in rows
    ]  # fmt: skip


def questions_said(formset: Any, survey: Survey | None) -> list[QuestionDefinition]:
    """What the formset says, in the order that it says."""
    known = {item.code: item for item in survey.questions.all()} if survey else {}
    said = [form.cleaned_data for form in formset.ordered_forms if form.cleaned_data.get("text")]
    taken, found = {data["code"] for data in said if data["code"]}, []
    for data in said:
        code = data["code"] or first_free(slugify(data["text"])[:40].strip("-") or "q", taken)
        taken.add(code)
        old = known.get(code)
        found.append(
            QuestionDefinition(
                code=code, kind=data["kind"], text=data["text"], required=data["required"],
                choices=_choices(data, old), texts=old.texts if old else {},
            )
        )  # fmt: skip
    return found


class TextsForm(forms.Form):
    """A survey in another language: a field for each of its texts."""

    def __init__(self, data: Any = None, *, survey: Survey, language: str) -> None:
        self.survey, self.language = survey, language
        super().__init__(data)
        said: Mapping[str, str] = survey.texts.get(language, {})
        for name, longest in (("title", 120), ("intro", 600), ("thanks", 600)):
            if getattr(survey, name):
                self._add(name, getattr(survey, name), said.get(name, ""), longest)
        for item in survey.questions.all():
            words = item.texts.get(language, {})
            self._add(f"q-{item.code}", item.text, words.get("text", ""), 300)
            for choice in item.choices:
                known = words.get("choices", {}).get(choice["code"], "")
                self._add(f"c-{item.code}-{choice['code']}", choice["text"], known, 120)

    def _add(self, name: str, label: str, initial: str, longest: int) -> None:
        self.fields[name] = forms.CharField(
            label=label, initial=initial, max_length=longest, required=False
        )

    def definition(self) -> SurveyDefinition:
        """The survey with what was said in this language."""
        data, known = self.cleaned_data, definition_of_survey(self.survey)
        own = SurveyTexts(**{name: data.get(name, "") for name in ("title", "intro", "thanks")})
        questions = [
            item.model_copy(update={"texts": {**item.texts, self.language: QuestionTexts(
                text=data[f"q-{item.code}"],
                choices={choice.code: data[f"c-{item.code}-{choice.code}"]
                         for choice in item.choices},
            )}})
            for item in known.questions
        ]  # fmt: skip
        return known.model_copy(
            update={"texts": {**known.texts, self.language: own}, "questions": questions}
        )


def _initial(survey: Survey) -> dict[str, Any]:
    plain = ("title", "intro", "thanks", "on_page", "by_message", "anonymous", "when")
    return {name: getattr(survey, name) for name in plain} | {
        "opens_at": shown_moment(survey.opens_at, survey.program),
        "closes_at": shown_moment(survey.closes_at, survey.program),
        "activity": survey.activity_type.code if survey.activity_type else None,
    }


def _choices(data: Mapping[str, Any], old: SurveyQuestion | None) -> list[dict[str, str]]:
    """What stays the same keeps its code, by which it is counted and translated."""
    if data["kind"] not in SurveyQuestion.CHOSEN:
        return []
    known = {item["text"]: item["code"] for item in old.choices} if old else {}
    lines = list(dict.fromkeys(_lines(data["choices"])))
    taken, found = {known[line] for line in lines if line in known}, []
    for line in lines:
        code = known.get(line) or first_free(slugify(line)[:40].strip("-") or "choice", taken)
        taken.add(code)
        found.append({"code": code, "text": line})
    return found


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _message(item: Any) -> str:
    return str(item["msg"]).removeprefix("Value error, ")
