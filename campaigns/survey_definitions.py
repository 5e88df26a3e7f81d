"""What a survey may say: one shape for the editor, the API and the demonstration."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Annotated, Any, Self

from django.conf import settings
from django.utils.translation import gettext as _
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from campaigns.models import Survey, SurveyQuestion

MOST_QUESTIONS = 20
MOST_CHOICES = 20
_TEXT = r"^[^\x00]*$"
Code = Annotated[str, Field(max_length=64, pattern=r"^[a-z0-9][a-z0-9-]*$")]
Line = Annotated[str, Field(min_length=1, max_length=120, pattern=_TEXT)]
Asked = Annotated[str, Field(min_length=1, max_length=300, pattern=_TEXT)]
Prose = Annotated[str, Field(max_length=600, pattern=_TEXT)]


def _known_language(code: str) -> str:
    if code not in dict(settings.KNOWN_LANGUAGES):
        raise ValueError(_("There is no such language: %s.") % code)
    return code


Language = Annotated[str, AfterValidator(_known_language)]


class Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChoiceDefinition(Said):
    code: Code
    text: Line


class QuestionTexts(Said):
    """A question in another language; what is not said is as in the first one."""

    text: Annotated[str, Field(max_length=300, pattern=_TEXT)] = ""
    choices: dict[Code, Annotated[str, Field(max_length=120, pattern=_TEXT)]] = {}


class QuestionDefinition(Said):
    code: Code
    kind: SurveyQuestion.Kind
    text: Asked
    required: bool = True
    choices: list[ChoiceDefinition] = Field(
        [], max_length=MOST_CHOICES, description="What can be chosen, for `one` and `many`."
    )
    texts: dict[Language, QuestionTexts] = Field({}, description="In further languages.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.kind in SurveyQuestion.CHOSEN) != bool(self.choices):
            raise ValueError(_("Say what can be chosen, for questions with choices alone."))
        if len(self.choices) == 1:
            raise ValueError(_("There has to be something to choose from: two at least."))
        _all_differ(choice.code for choice in self.choices)
        return self


class SurveyTexts(Said):
    """A survey in another language; what is not said is as in the first one."""

    title: Annotated[str, Field(max_length=120, pattern=_TEXT)] = ""
    intro: Prose = ""
    thanks: Prose = ""


class SurveyDefinition(Said):
    code: Code
    title: Line
    intro: Prose = Field("", description="What it is about, above the questions.")
    thanks: Prose = Field("", description="What who has answered reads.")
    texts: dict[Language, SurveyTexts] = Field({}, description="In further languages.")
    when: dict[str, Any] = Field(
        {}, description="Who is asked, as a condition; empty: every member."
    )
    opens_at: AwareDatetime | None = Field(None, description="Null: as soon as it is live.")
    closes_at: AwareDatetime | None = Field(None, description="Null: until it is ended.")
    on_page: bool = Field(True, description="Members find it on their own pages.")
    by_message: bool = Field(
        False, description="Members are asked by a message, as far as they want to be told."
    )
    anonymous: bool = Field(
        False, description="Whoever has its link may answer, and nobody knows who did."
    )
    activity: Annotated[str, Field(max_length=64, pattern=_TEXT)] = Field(
        "", description="The type of activity that an answer is, which rules reward; empty: none."
    )
    questions: list[QuestionDefinition] = Field([], max_length=MOST_QUESTIONS)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _all_differ(question.code for question in self.questions)
        return self

    @field_validator("closes_at")
    @classmethod
    def _closes_later(
        cls, closes: AwareDatetime | None, info: ValidationInfo
    ) -> AwareDatetime | None:
        opens = info.data.get("opens_at")
        if opens and closes and closes <= opens:
            raise ValueError(_("It has to close later than it opens."))
        return closes


def definition_of_question(question: SurveyQuestion) -> QuestionDefinition:
    return QuestionDefinition(
        code=question.code,
        kind=SurveyQuestion.Kind(question.kind),
        text=question.text,
        required=question.required,
        choices=question.choices,
        texts=question.texts,
    )


def definition_of_survey(survey: Survey) -> SurveyDefinition:
    plain = ("code", "title", "intro", "thanks", "texts", "when", "on_page", "by_message",
             "anonymous")  # fmt: skip
    return SurveyDefinition(
        **{name: getattr(survey, name) for name in plain},
        opens_at=_aware(survey.opens_at),
        closes_at=_aware(survey.closes_at),
        activity=survey.activity_type.code if survey.activity_type else "",
        questions=[definition_of_question(question) for question in survey.questions.all()],
    )


def _aware(at: dt.datetime | None) -> dt.datetime | None:
    return at.astimezone(dt.UTC) if at else None


def _all_differ(codes: Iterable[str]) -> None:
    seen: set[str] = set()
    for code in codes:
        if code in seen:
            raise ValueError(_("“%s” is there twice.") % code)
        seen.add(code)
