"""/programs/{code}/reviews: what was found in a program, quarter by quarter."""

from __future__ import annotations

import datetime as dt
from typing import Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.models import ProgramReview, ReviewFinding
from loyalty.quarters import quarter_named, quarter_of
from loyalty.review_sentences import finding_words
from loyalty.selectors.program_reviews import program_reviews, review_of
from loyalty.selectors.programs import get_program
from members.api.bodies import Answer, answer, read_query
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.errors import NotFoundError


class ReviewBrief(Answer):
    id: UUID
    program: str
    quarter: str = Field(examples=["2026-q3"])
    as_of: dt.date = Field(description="Its figures are those of the end of this day.")
    over: bool = Field(description="The quarter is over, so it stays as it is.")
    made_at: dt.datetime


class FindingOut(Answer):
    id: UUID
    key: str = Field(description="What it is about; the same in every review.")
    rule: str
    part: Literal["works", "weak", "unused", "costly", "said", "goals"]
    tone: Literal["good", "bad", "news"]
    title: str
    number: str = Field(description="What is behind it.")
    proposal: str = Field(description="What could be done; nothing of it is done by itself.")
    facts: dict[str, str | None] = Field(description="The numbers and names that it is made of.")
    state: Literal["open", "done", "dismissed"]
    note: str


class ReviewOut(ReviewBrief):
    findings: list[FindingOut]


class ReviewPage(Page):
    results: list[ReviewBrief]


class ProgramReviews(ApiView):
    scopes = {"GET": "books:read"}

    @extend_schema(
        operation_id="listProgramReviews",
        parameters=query_parameters(PageQuery),
        responses={200: ReviewPage},
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        """List the reviews of a program, the newest quarter first."""
        query = read_query(request, PageQuery)
        found = program_reviews(get_program(code))
        page = paginate(request, found, query, ordering=["-quarter"], row=_brief)
        return answer(ReviewPage(**page))


class OneProgramReview(ApiView):
    scopes = {"GET": "books:read"}

    @extend_schema(operation_id="getProgramReview", responses={200: ReviewOut})
    def get(self, request: Request, code: str, quarter: str) -> HttpResponse:
        """Read the review of a quarter, with what was found and what became of it."""
        named = quarter_named(quarter)
        if named is None:
            raise NotFoundError(_("There is no review of this quarter."))
        review = review_of(get_program(code), named)
        return answer(
            ReviewOut(
                **_brief(review).model_dump(),
                findings=[_finding(item, review) for item in review.findings.order_by("position")],
            )
        )


def _brief(review: ProgramReview) -> ReviewBrief:
    return ReviewBrief(
        id=review.public_id, program=review.program.code,
        quarter=quarter_of(review.quarter).name, as_of=review.day, over=review.is_over,
        made_at=review.made_at,
    )  # fmt: skip


def _finding(item: ReviewFinding, review: ProgramReview) -> FindingOut:
    words = finding_words(item, review.program)
    return FindingOut(
        id=item.public_id, key=item.key, rule=item.rule, part=item.part, tone=item.tone,
        title=words.title, number=words.number, proposal=words.proposal, facts=item.facts,
        state=item.state, note=item.note,
    )  # fmt: skip
