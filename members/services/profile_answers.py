"""What people say to the merchant's questions, checked and brought together with what they said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from members.errors import DomainError, FieldError
from members.models import ProfileQuestion

Answers = dict[str, list[str]]


def clean_answers(_name: str, value: Any) -> Answers:
    """By question the codes of what was chosen, each once, in the order of the question; none of
    them: the answer is taken back. Raises DomainError naming each question that is wrong."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        words = _("Write questions with what was chosen.")
        raise DomainError(words, errors=[FieldError("answers", words, "invalid")])
    questions = {row.code: row for row in ProfileQuestion.objects.filter(pk__in=[*value])}
    kept: Answers = {}
    errors = []
    for code, said in value.items():
        try:
            kept[code] = _chosen(questions.get(code), said)
        except ValueError as error:
            errors.append(FieldError(f"answers.{code}", str(error), "invalid"))
    if errors:
        raise DomainError(str(errors[0].message), errors=errors)
    return kept


def joined_answers(before: Mapping[str, Sequence[str]], said: Mapping[str, Sequence[str]]) -> Any:
    """What is said now, beside what was said to other questions; a choice of nothing is none."""
    return {code: list(chosen) for code, chosen in {**before, **said}.items() if chosen}


def lacking_answers(before: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """What is said to questions that were not answered."""
    return {code: chosen for code, chosen in said.items() if code not in before}


def refuse_unasked(before: Mapping[str, Sequence[str]], said: Mapping[str, Sequence[str]]) -> None:
    """People choose of what is offered, and keep or take back what they chose when it was. Raises
    DomainError naming each question where something else was chosen."""
    errors = []
    for row in ProfileQuestion.objects.filter(pk__in=[*said]):
        # What never was is refused where answers are cleaned.
        gone = {item["code"] for item in row.choices if row.archived_at or not item["offered"]}
        if gone & set(said[row.code]) - set(before.get(row.code, ())):
            words = _("It is not offered any more.")
            errors.append(FieldError(f"answers.{row.code}", words, "not_offered"))
    if errors:
        raise DomainError(str(errors[0].message), errors=errors)


def _chosen(question: ProfileQuestion | None, said: Any) -> list[str]:
    if question is None:
        raise ValueError(_("There is no such question."))
    wanted = [said] if isinstance(said, str) else said or []
    if not isinstance(wanted, list | tuple) or not all(isinstance(item, str) for item in wanted):
        raise ValueError(_("Write a list of the codes of what was chosen."))
    known = [item["code"] for item in question.choices]
    unknown = [item for item in wanted if item and item not in known]
    if unknown:
        words = _("“%(said)s” cannot be chosen here. Choose from %(codes)s.")
        raise ValueError(words % {"said": unknown[0][:40], "codes": ", ".join(known)})
    if question.kind == ProfileQuestion.Kind.ONE and len(set(filter(None, wanted))) > 1:
        raise ValueError(_("Only one can be chosen here."))
    return [code for code in known if code in wanted]
