"""/program-templates: the kinds of programs that one can start from, and what each asks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.definitions import Currency
from loyalty.program_templates.kinds import Family, ProgramTemplate, build, read_answers
from loyalty.program_templates.questions import (
    GROUPS,
    AskedQuestion,
    Group,
    Mode,
    QuestionType,
)
from loyalty.program_templates.registry import TEMPLATES
from loyalty.template_words import in_brief
from members.api.bodies import Answer, Query, answer, plain_text, read_query
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.selectors.merchants import get_merchant


class TemplatesQuery(Query):
    currency: Currency | None = Field(
        None, description="For the defaults that are money; without it the merchant's."
    )


class ChoiceOut(Answer):
    value: str
    label: str


class QuestionOut(Answer):
    """One answer that a template asks for."""

    name: str
    label: str
    help: str
    type: QuestionType
    rule: str = Field(description="What is right, in words.")
    group: Group
    group_label: str
    mode: Mode = Field(description="Asked in a short version too, or in the complete one only.")
    choices: list[ChoiceOut]
    default: Any = Field(description="A number as text; rows as a list of objects.")


class ProgramTemplateOut(Answer):
    """A kind of program to start from."""

    code: str
    name: str
    summary: str
    suits: str = Field(description="Which shops it is for.")
    family: Family
    questions: list[QuestionOut]
    in_words: list[str] = Field(description="What each of its rules gives with the defaults.")


class ProgramTemplateList(Answer):
    currency: str
    results: list[ProgramTemplateOut]


class ProgramTemplates(ApiView):
    scopes = {"GET": "programs:read"}

    @extend_schema(
        operation_id="listProgramTemplates",
        parameters=query_parameters(TemplatesQuery),
        responses={200: ProgramTemplateList},
    )
    def get(self, request: Request) -> HttpResponse:
        """List the kinds of programs, with what each asks and its defaults."""
        currency = read_query(request, TemplatesQuery).currency or get_merchant().currency
        found = [_template(item, currency) for item in TEMPLATES]
        return answer(ProgramTemplateList(currency=currency, results=found))


def _template(item: ProgramTemplate, currency: str) -> ProgramTemplateOut:
    named = {"program_name": str(item.name), "code": item.code, "currency": currency}
    return ProgramTemplateOut(
        code=item.code,
        name=str(item.name),
        summary=str(item.summary),
        suits=str(item.suits),
        family=item.family,
        questions=[_question(asked) for asked in item.questions(currency)],
        in_words=in_brief(build(item, read_answers(item, named))),
    )


def _question(asked: AskedQuestion) -> QuestionOut:
    question = asked.question
    return QuestionOut(
        name=question.name,
        label=str(asked.label),
        help=str(asked.help),
        type=question.type,
        rule=str(question.rule),
        group=question.group,
        group_label=str(GROUPS[question.group]),
        mode=asked.mode,
        choices=[ChoiceOut(value=value, label=str(label)) for value, label in question.choices],
        default=_told(asked.default),
    )


def _told(value: Any) -> Any:
    """Numbers as the API writes them."""
    match value:
        case Decimal():
            return plain_text(value)
        case dict():
            return {name: _told(part) for name, part in value.items()}
        case tuple() | list():
            return [_told(part) for part in value]
    return value
