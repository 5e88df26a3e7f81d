"""The merchant's questions, as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from members.languages import said_in
from members.models import ProfileQuestion


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question in the reader's language. `choices`: code and words of what can be chosen;
    `words`: of all that could ever be."""

    code: str
    text: str
    many: bool
    choices: Sequence[tuple[str, str]]
    words: Mapping[str, str]
    completes: bool
    is_asked: bool

    def said(self, answers: Mapping[str, Sequence[str]]) -> list[str]:
        """What somebody chose, in words."""
        return [self.words.get(code, code) for code in answers.get(self.code, ())]


def asked_questions(*, put_away: bool = False) -> list[AskedQuestion]:
    """Those that are asked, in their order; one query. `put_away`: those that were, as well."""
    rows = ProfileQuestion.objects.all()
    return [asked(row) for row in rows if put_away or row.archived_at is None]


def question_choices() -> list[tuple[str, str]]:
    """Every question by its code, for conditions."""
    return [(question.code, question.text) for question in asked_questions(put_away=True)]


def question_words(code: str) -> str:
    """What is asked, in the reader's language; the code where there is no such question."""
    row = ProfileQuestion.objects.filter(pk=code).first()
    return asked(row).text if row is not None else code


def answer_choices(code: str) -> list[tuple[str, str]]:
    """Whatever could ever be said to a question, for conditions; nothing where there is none."""
    row = ProfileQuestion.objects.filter(pk=code).first()
    return list(asked(row).words.items()) if row is not None else []


def completing_questions() -> list[str]:
    """The codes of those without whose answer a profile is not complete."""
    rows = ProfileQuestion.objects.filter(completes=True, archived_at=None)
    return list(rows.values_list("code", flat=True))


def said_answers(answers: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Question and answer, in words, for staff; also of questions that are asked no more."""
    if not answers:
        return []
    return [
        (question.text, ", ".join(question.said(answers)))
        for question in asked_questions(put_away=True)
        if answers.get(question.code)
    ]


def asked(row: ProfileQuestion) -> AskedQuestion:
    """In the language of the page; what is not said in it is as in the merchant's own."""
    said: Mapping[str, Any] = said_in(row.texts) or {}
    told = said.get("choices", {})
    words = {item["code"]: told.get(item["code"]) or item["text"] for item in row.choices}
    offered = [(item["code"], words[item["code"]]) for item in row.choices if item["offered"]]
    return AskedQuestion(
        row.code, said.get("text") or row.text, row.kind == ProfileQuestion.Kind.MANY, offered,
        words, row.completes,
        row.archived_at is None,
    )  # fmt: skip
