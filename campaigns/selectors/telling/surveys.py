"""What is told outside of surveys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from campaigns.models import SurveyQuestion, SurveyResponse
from loyalty.selectors.telling.people import MEMBERSHIP, PROGRAM
from members.models import OutboxEvent
from members.public_events import CustomerRef, EventData, EventType, PublicEvent, named_rows
from members.selectors.told_customers import SAMPLE as CUSTOMER

ANSWERED = "survey.answered"


class AnswerData(EventData):
    """What was answered to one question."""

    question: str = Field(description="The question's code.")
    kind: SurveyQuestion.Kind
    number: int | None = Field(description="Of scales; null for the others.")
    chosen: list[str] = Field(description="The codes of what was chosen.")


class SurveyAnsweredData(EventData):
    """Somebody answered a survey. What they wrote in their own words is not told: read it by the
    API."""

    survey: str = Field(description="The survey's id in the API: GET /surveys/{id}.")
    code: str = Field(description="The survey's code.")
    response: str = Field(description="The answer's id in the API.")
    program: str = Field(description="The program's code.")
    membership: str | None = Field(description="Null: it was answered without a name.")
    customer: CustomerRef | None
    answers: list[AnswerData]


ANSWER_TYPES = [
    EventType(
        ANSWERED, _("Somebody answered a survey."), SurveyAnsweredData,
        SurveyAnsweredData(
            survey="2d3c7d5e-0d7b-4c0b-9b43-6f2d9c1d8e11", code="spring", program=PROGRAM,
            response="a7b0c9d8-1122-4f33-8455-66778899aabb", membership=MEMBERSHIP,
            customer=CUSTOMER,
            answers=[AnswerData(question="recommend", kind=SurveyQuestion.Kind.NPS, number=9,
                                chosen=[])],
        ),
    )
]  # fmt: skip


def tell_answers(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, lambda row: [ANSWERED] if row.is_new else [])
    rows = SurveyResponse.objects.select_related("survey__program", "membership__customer")
    found = rows.prefetch_related("answers__question").in_bulk([item.row.id for item in named])
    for item in named:
        response = found[item.row.id]
        yield item.told(response.survey.program.code, _data(response))


def _data(response: SurveyResponse) -> SurveyAnsweredData:
    member, survey = response.membership, response.survey
    return SurveyAnsweredData(
        survey=str(survey.public_id), code=survey.code, response=str(response.public_id),
        program=survey.program.code, membership=str(member.public_id) if member else None,
        customer=CustomerRef.of(member.customer) if member else None,
        answers=[
            AnswerData(
                question=answer.question.code, kind=SurveyQuestion.Kind(answer.question.kind),
                number=answer.number, chosen=answer.chosen,
            )
            for answer in response.answers.all()
        ],
    )  # fmt: skip
