"""/me/memberships/{id}/surveys: what a member is asked, and answers."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.models import Survey, SurveyQuestion, SurveyResponse
from campaigns.selectors.survey_rewards import brings, brought
from campaigns.selectors.surveys import asked_of
from campaigns.services.survey_answers import answer_survey
from campaigns.survey_texts import ToldQuestion, told_survey
from loyalty.api.v1.own_memberships import own_membership
from loyalty.models import Membership
from members.api.bodies import Answer, Body, answer, read_body
from members.api.idempotency import idempotent
from members.api.member_views import MEMBER, MemberView
from members.errors import NotFoundError
from members.languages import locale_of

Said = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
Code = Annotated[str, Field(max_length=64)]


class OwnChoiceOut(Answer):
    code: str
    text: str


class OwnQuestionOut(Answer):
    """A question, in the member's language."""

    code: str
    kind: SurveyQuestion.Kind
    text: str
    required: bool
    choices: list[OwnChoiceOut] = Field(description="Of scales: their numbers.")


class OwnSurveyOut(Answer):
    id: UUID
    code: str
    title: str
    intro: str
    closes_at: dt.datetime | None
    reward: str = Field(description="What answering brings, in words; or empty.")
    questions: list[OwnQuestionOut]


class OwnSurveyList(Answer):
    results: list[OwnSurveyOut]


class AnswersIn(Body):
    """By the codes of the questions: a number as text, the codes of what is chosen, or a text."""

    answers: dict[Code, list[Said]] = Field(
        max_length=20, examples=[{"recommend": ["9"], "why": ["The bread."]}]
    )


class OwnAnswerOut(Answer):
    id: UUID
    answered_at: dt.datetime
    thanks: str
    got: str = Field(description="What it brought, in words; or empty.")


class OwnSurveys(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="listOwnSurveys", responses={200: OwnSurveyList})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List what the member is asked now and has not answered, what closes first first."""
        member, now = own_membership(self, membership_id), timezone.now()
        found = [_out(item, member, now) for item in asked_of(member, now)]
        return answer(OwnSurveyList(results=found))


class OwnSurveyAnswers(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(
        operation_id="answerOwnSurvey", request=AnswersIn,
        responses={200: OwnAnswerOut, 201: OwnAnswerOut},
    )  # fmt: skip
    @idempotent()
    def post(self, request: Request, membership_id: UUID, survey_id: UUID) -> HttpResponse:
        """Answer a survey. Each member answers once: 200 says that they have before, and what they
        said then stays."""
        member, now = own_membership(self, membership_id), timezone.now()
        body = read_body(request, AnswersIn)
        rows = Survey.objects.filter(program=member.program_id, public_id=survey_id)
        survey = rows.exclude(state=Survey.State.DRAFT).first()
        if survey is None:
            raise NotFoundError("This member is not asked that.")
        done = answer_survey(
            survey=survey, membership=member, given=body.answers, via=SurveyResponse.Via.API,
            locale=locale_of(member.customer), now=now,
        )  # fmt: skip
        response = done.response
        shown = OwnAnswerOut(
            id=response.public_id, answered_at=response.answered_at, got=brought(response),
            thanks=told_survey(survey, locale_of(member.customer)).thanks,
        )  # fmt: skip
        return answer(shown, HTTPStatus.OK if done.again else HTTPStatus.CREATED)


def _out(survey: Survey, member: Membership, now: dt.datetime) -> OwnSurveyOut:
    told = told_survey(survey, locale_of(member.customer))
    return OwnSurveyOut(
        id=survey.public_id, code=survey.code, title=told.title, intro=told.intro,
        closes_at=survey.closes_at, reward=brings(survey, now),
        questions=[_question(item) for item in told.questions],
    )  # fmt: skip


def _question(told: ToldQuestion) -> OwnQuestionOut:
    question = told.question
    return OwnQuestionOut(
        code=question.code, kind=SurveyQuestion.Kind(question.kind), text=told.text,
        required=question.required,
        choices=[OwnChoiceOut(code=code, text=text) for code, text in told.choices],
    )  # fmt: skip
