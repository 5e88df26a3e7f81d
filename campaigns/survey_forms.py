"""The questions of a survey as people fill them in, on every page that shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext as _

from campaigns.models import Survey, SurveyQuestion
from campaigns.survey_texts import ToldQuestion, ToldSurvey, told_survey
from members.errors import DomainError

Kind = SurveyQuestion.Kind
_PREFIX = "q-"


@dataclass(frozen=True, slots=True)
class Field:
    """A question with what was said so far, and what is wrong with it. `low`, `high`: what the ends
    of its scale mean."""

    told: ToldQuestion
    chosen: Sequence[str]
    error: str
    low: str = ""
    high: str = ""

    @property
    def name(self) -> str:
        return f"{_PREFIX}{self.told.question.code}"

    @property
    def is_text(self) -> bool:
        return self.told.question.kind == Kind.TEXT

    @property
    def is_scale(self) -> bool:
        return self.told.question.kind in SurveyQuestion.SCALES

    @property
    def input_type(self) -> str:
        return "checkbox" if self.told.question.kind == Kind.MANY else "radio"

    @property
    def text(self) -> str:
        return self.chosen[0] if self.chosen else ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A survey to be filled in. `error`: what is wrong with all of it."""

    survey: Survey
    told: ToldSurvey
    fields: Sequence[Field]
    error: str = ""


def blank_sheet(survey: Survey, locale: str = "") -> Sheet:
    return filled_sheet(survey, {}, None, locale)


def filled_sheet(
    survey: Survey, given: Mapping[str, Sequence[str]], error: DomainError | None, locale: str = ""
) -> Sheet:
    """With what was said, and what is wrong with it."""
    wrong = {item.field: str(item.message) for item in error.errors} if error else {}
    told = told_survey(survey, locale)
    fields = [
        Field(
            item, given.get(item.question.code, ()),
            wrong.get(f"answers.{item.question.code}", ""), *_ends(item.question.kind),
        )
        for item in told.questions
    ]  # fmt: skip
    placed = any(field.error for field in fields)
    whole = "" if error is None or placed else wrong.get("answers", str(error.message))
    return Sheet(survey, told, fields, whole)


def given_in(survey: Survey, data: QueryDict) -> dict[str, list[str]]:
    """What was sent, by the codes of the questions."""
    found = {
        question.code: data.getlist(f"{_PREFIX}{question.code}")
        for question in survey.questions.all()
    }
    return {code: said for code, said in found.items() if said}


def _ends(kind: str) -> tuple[str, str]:
    if kind in SurveyQuestion.LIKELY:
        return _("Not at all likely"), _("Very likely")
    if kind == Kind.SATISFACTION:
        return _("Not at all"), _("Very")
    return "", ""
