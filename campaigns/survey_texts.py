"""What a survey says, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from campaigns.models import Survey, SurveyQuestion
from members.languages import said_in


@dataclass(frozen=True, slots=True)
class ToldQuestion:
    """A question in one language. `choices`: their codes with what people read; of a scale its
    numbers, `low` and `high` being what its ends mean."""

    question: SurveyQuestion
    text: str
    choices: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ToldSurvey:
    title: str
    intro: str
    thanks: str
    questions: Sequence[ToldQuestion]


def told_survey(survey: Survey, locale: str = "") -> ToldSurvey:
    """In the language of `locale`, or of the page where that is empty; what is not said in it is as
    in the first one."""
    said = said_in(survey.texts, locale) or {}
    return ToldSurvey(
        **{name: said.get(name) or getattr(survey, name) for name in ("title", "intro", "thanks")},
        questions=[told_question(question, locale) for question in survey.questions.all()],
    )


def told_title(survey: Survey, locale: str = "") -> str:
    return (said_in(survey.texts, locale) or {}).get("title") or survey.title


def told_question(question: SurveyQuestion, locale: str = "") -> ToldQuestion:
    said = said_in(question.texts, locale) or {}
    words: Mapping[str, str] = said.get("choices") or {}
    scale = SurveyQuestion.SCALES.get(SurveyQuestion.Kind(question.kind), ())
    choices = [(item["code"], words.get(item["code"]) or item["text"]) for item in question.choices]
    return ToldQuestion(
        question, said.get("text") or question.text,
        [(str(number), str(number)) for number in scale] or choices,
    )  # fmt: skip
