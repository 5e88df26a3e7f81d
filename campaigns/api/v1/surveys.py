"""/surveys: what is asked, and what was answered."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field, ValidationError
from rest_framework.request import Request

from campaigns.models import Survey, SurveyQuestion, SurveyResponse
from campaigns.selectors.survey_results import QuestionResult, Score, results_of
from campaigns.selectors.surveys import get_survey, surveys
from campaigns.services.surveys import (
    create_survey,
    end_survey,
    pause_survey,
    publish_survey,
    resume_survey,
)
from campaigns.survey_definitions import (
    Code,
    Language,
    Line,
    Prose,
    QuestionDefinition,
    SurveyDefinition,
    SurveyTexts,
    definition_of_question,
)
from campaigns.survey_links import survey_url
from loyalty.api.v1.pools import member_named
from loyalty.models import Program
from members.api.bodies import (
    TEXT,
    Answer,
    Body,
    Instant,
    PublicId,
    answer,
    read_body,
    read_query,
    refuse_field,
)
from members.api.idempotency import idempotent
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView

Text64 = Annotated[str, Field(max_length=64, pattern=TEXT)]


class SurveyIn(Body):
    """A survey as a draft."""

    program: Text64 = Field(description="The program's code.")
    code: Code
    title: Line
    intro: Prose = ""
    thanks: Prose = ""
    texts: dict[Language, SurveyTexts] = Field({}, description="In further languages.")
    when: dict[str, Any] = Field({}, description="Who is asked, as a condition; empty: everybody.")
    opens_at: Instant | None = Field(None, description="Null: as soon as it is live.")
    closes_at: Instant | None = Field(None, description="Null: until it is ended.")
    on_page: bool = True
    by_message: bool = False
    anonymous: bool = False
    activity: Text64 = Field("", description="The type of activity that an answer is; or empty.")
    questions: list[QuestionDefinition] = Field([], max_length=20)


class SurveyOut(Answer):
    id: UUID
    program: str
    code: str
    state: Survey.State
    title: str
    intro: str
    thanks: str
    opens_at: dt.datetime | None
    closes_at: dt.datetime | None
    on_page: bool
    by_message: bool
    anonymous: bool
    activity: str
    questions: list[QuestionDefinition]
    link: str = Field(description="For everybody; empty where it is asked of members alone.")


class SurveyPage(Page):
    results: list[SurveyOut]


class ScoreOut(Answer):
    count: int
    value: float | None = Field(description="NPS from -100 to 100, or a mean of 1 to 5 or 0 to 10.")


class NamedScoreOut(Answer):
    name: str
    score: ScoreOut


class DayScoreOut(Answer):
    day: dt.date = Field(description="The first of the day, week or month.")
    score: ScoreOut


class ShareOut(Answer):
    code: str
    text: str
    count: int
    percent: int


class QuestionResultOut(Answer):
    question: str
    kind: SurveyQuestion.Kind
    text: str
    answered: int
    score: ScoreOut | None
    shares: list[ShareOut]
    trend: list[DayScoreOut]
    tiers: list[NamedScoreOut]
    segments: list[NamedScoreOut] = Field(description="By who is in them today.")


class SurveyResultsOut(Answer):
    answered: int
    members: int = Field(description="How many of the answers are of members that are known.")
    questions: list[QuestionResultOut]


class AnswerOut(Answer):
    question: str
    number: int | None
    chosen: list[str]
    text: str


class ResponseOut(Answer):
    id: UUID
    membership: UUID | None = Field(description="Null: it was answered without a name.")
    via: SurveyResponse.Via
    tier: str = Field(description="Code of the member's tier then; or empty.")
    answered_at: dt.datetime
    answers: list[AnswerOut]


class ResponsePage(Page):
    results: list[ResponseOut]


class LinkIn(Body):
    membership: PublicId


class LinkOut(Answer):
    url: str = Field(description="Opens the survey for this member, without signing in.")


class Surveys(ApiView):
    scopes = {"GET": "surveys:read", "POST": "surveys:write"}

    @extend_schema(
        operation_id="listSurveys",
        parameters=query_parameters(PageQuery),
        responses={200: SurveyPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List surveys, newest first."""
        query = read_query(request, PageQuery)
        page = paginate(request, surveys(), query, ordering=["-pk"], row=survey_out)
        return answer(SurveyPage(**page))

    @extend_schema(operation_id="createSurvey", request=SurveyIn, responses={201: SurveyOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Write a survey. It is a draft until it is published."""
        body = read_body(request, SurveyIn)
        program = Program.objects.filter(code=body.program).first()
        if program is None:
            raise refuse_field("program", _("There is no such program."), "not_found")
        made = create_survey(program=program, definition=_definition(body), actor=self.actor)
        return answer(survey_out(made), HTTPStatus.CREATED)


class OneSurvey(ApiView):
    scopes = {"GET": "surveys:read"}

    @extend_schema(operation_id="getSurvey", responses={200: SurveyOut})
    def get(self, request: Request, survey_id: UUID) -> HttpResponse:
        """Read a survey with its questions."""
        return answer(survey_out(get_survey(survey_id)))


class SurveyPublishing(ApiView):
    scopes = {"POST": "surveys:write"}

    @extend_schema(operation_id="publishSurvey", request=None, responses={200: SurveyOut})
    @idempotent()
    def post(self, request: Request, survey_id: UUID) -> HttpResponse:
        """Ask it from now on. Its questions stay as they are then. Again changes nothing."""
        survey = get_survey(survey_id)
        return answer(
            survey_out(publish_survey(survey=survey, actor=self.actor, now=timezone.now()))
        )


class SurveyPausing(ApiView):
    scopes = {"POST": "surveys:write"}

    @extend_schema(operation_id="pauseSurvey", request=None, responses={200: SurveyOut})
    @idempotent()
    def post(self, request: Request, survey_id: UUID) -> HttpResponse:
        """Ask nobody for now; what was answered stays. Again changes nothing."""
        return answer(survey_out(pause_survey(survey=get_survey(survey_id), actor=self.actor)))


class SurveyResuming(ApiView):
    scopes = {"POST": "surveys:write"}

    @extend_schema(operation_id="resumeSurvey", request=None, responses={200: SurveyOut})
    @idempotent()
    def post(self, request: Request, survey_id: UUID) -> HttpResponse:
        """Ask a survey again that is paused. Again changes nothing."""
        return answer(survey_out(resume_survey(survey=get_survey(survey_id), actor=self.actor)))


class SurveyEnding(ApiView):
    scopes = {"POST": "surveys:write"}

    @extend_schema(operation_id="endSurvey", request=None, responses={200: SurveyOut})
    @idempotent()
    def post(self, request: Request, survey_id: UUID) -> HttpResponse:
        """Ask nobody any more. Again changes nothing."""
        survey = get_survey(survey_id)
        return answer(survey_out(end_survey(survey=survey, actor=self.actor, now=timezone.now())))


class SurveyResults(ApiView):
    scopes = {"GET": "surveys:read"}

    @extend_schema(operation_id="getSurveyResults", responses={200: SurveyResultsOut})
    def get(self, request: Request, survey_id: UUID) -> HttpResponse:
        """Read what the answers come to: by question, over time, by tier and segment."""
        found = results_of(get_survey(survey_id))
        return answer(
            SurveyResultsOut(
                answered=found.answered, members=found.members,
                questions=[_result_out(item) for item in found.questions],
            )
        )  # fmt: skip


class SurveyResponses(ApiView):
    scopes = {"GET": "surveys:read"}

    @extend_schema(
        operation_id="listSurveyResponses",
        parameters=query_parameters(PageQuery),
        responses={200: ResponsePage},
    )
    def get(self, request: Request, survey_id: UUID) -> HttpResponse:
        """List what was answered, newest first, also in people's own words."""
        query = read_query(request, PageQuery)
        found = SurveyResponse.objects.filter(survey=get_survey(survey_id))
        rows = found.select_related("membership").prefetch_related("answers__question")
        page = paginate(request, rows, query, ordering=["-pk"], row=_response_out)
        return answer(ResponsePage(**page))


class SurveyLinks(ApiView):
    # Whoever has the link answers as the member, and is rewarded as them.
    scopes = {"POST": "surveys:write"}

    @extend_schema(operation_id="linkSurvey", request=LinkIn, responses={200: LinkOut})
    def post(self, request: Request, survey_id: UUID) -> HttpResponse:
        """Get the link by which a member answers without signing in. Nothing is written."""
        body, survey = read_body(request, LinkIn), get_survey(survey_id)
        member = member_named(body.membership, "membership")
        if member.program_id != survey.program_id:
            raise refuse_field("membership", _("It belongs to another program."))
        return answer(LinkOut(url=survey_url(survey, member)))


def survey_out(survey: Survey) -> SurveyOut:
    plain = ("code", "title", "intro", "thanks", "opens_at", "closes_at", "on_page", "by_message",
             "anonymous")  # fmt: skip
    return SurveyOut(
        id=survey.public_id, program=survey.program.code, state=Survey.State(survey.state),
        activity=survey.activity_type.code if survey.activity_type else "",
        questions=[definition_of_question(item) for item in survey.questions.all()],
        link=survey_url(survey) if survey.anonymous else "",
        **{name: getattr(survey, name) for name in plain},
    )  # fmt: skip


def _definition(body: SurveyIn) -> SurveyDefinition:
    try:
        return SurveyDefinition(
            **{name: getattr(body, name) for name in SurveyDefinition.model_fields}
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "questions"
        raise refuse_field(place, str(first["msg"]).removeprefix("Value error, ")) from error


def _result_out(found: QuestionResult) -> QuestionResultOut:
    question = found.question
    return QuestionResultOut(
        question=question.code, kind=SurveyQuestion.Kind(question.kind), text=question.text,
        answered=found.answered, score=_score(found.score) if found.score else None,
        shares=[
            ShareOut(code=item.code, text=item.text, count=item.count, percent=item.percent)
            for item in found.shares
        ],
        trend=[DayScoreOut(day=day, score=_score(score)) for day, score in found.trend],
        tiers=[NamedScoreOut(name=item.name, score=_score(item.score)) for item in found.tiers],
        segments=[
            NamedScoreOut(name=item.name, score=_score(item.score)) for item in found.segments
        ],
    )  # fmt: skip


def _score(score: Score) -> ScoreOut:
    return ScoreOut(count=score.count, value=score.value)


def _response_out(found: SurveyResponse) -> ResponseOut:
    return ResponseOut(
        id=found.public_id, membership=found.membership.public_id if found.membership else None,
        via=SurveyResponse.Via(found.via), tier=found.tier, answered_at=found.answered_at,
        answers=[
            AnswerOut(
                question=item.question.code, number=item.number, chosen=item.chosen, text=item.text
            )
            for item in found.answers.all()
        ],
    )  # fmt: skip
