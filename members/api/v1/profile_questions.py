"""/profile-questions: what people are asked about themselves."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from members.api.answer_bodies import Code
from members.api.bodies import Answer, Body, answer, read_body, refuse_field
from members.api.idempotency import idempotent
from members.api.views import ApiView
from members.models import ProfileQuestion
from members.selectors.profile_questions import AskedQuestion, asked, asked_questions
from members.services.profile_questions import change_question, create_question, put_question_away

Text = Annotated[str, Field(max_length=200)]
Words = Annotated[str, Field(max_length=80)]


class ProfileChoiceIn(Body):
    code: Code = Field(examples=["dark"])
    text: Words = Field(examples=["Dark chocolate"])


class ProfileQuestionTexts(Body):
    text: Text = ""
    choices: dict[Code, Words] = Field({}, description="By the code of the choice.")


class ProfileQuestionIn(Body):
    """A question; what was there before of this code is replaced."""

    code: Code = Field(examples=["favorite_taste"])
    kind: Literal["one", "many"] = Field(description="How many may be chosen. It does not change.")
    text: Text = Field(examples=["What do you like best?"])
    choices: list[ProfileChoiceIn] = Field(
        min_length=2, max_length=30,
        description="In their order. One that is left out is offered no more; who chose it keeps"
        " it.",
    )  # fmt: skip
    texts: dict[Annotated[str, Field(max_length=16)], ProfileQuestionTexts] = Field(
        {}, description="In other languages, by their code."
    )
    completes: bool = Field(False, description="A profile is complete only with an answer.")
    asked: bool = Field(True, description="False: asked no more. What people said stays.")


class ProfileChoiceOut(Answer):
    code: str
    text: str


class ProfileQuestionOut(Answer):
    code: str
    kind: Literal["one", "many"]
    text: str = Field(description="In the language that was asked for.")
    choices: list[ProfileChoiceOut] = Field(description="What can be chosen now, in this order.")
    completes: bool
    asked: bool


class ProfileQuestionList(Answer):
    results: list[ProfileQuestionOut]


class ProfileQuestions(ApiView):
    scopes = {"GET": "customers:read", "POST": "customers:write"}
    for_all_programs = frozenset({"POST"})

    @extend_schema(operation_id="listProfileQuestions", responses={200: ProfileQuestionList})
    def get(self, request: Request) -> HttpResponse:
        """List what people are asked about themselves; at most twelve."""
        return answer(ProfileQuestionList(results=questions_out()))

    @extend_schema(
        operation_id="saveProfileQuestion",
        request=ProfileQuestionIn,
        responses={200: ProfileQuestionOut, 201: ProfileQuestionOut},
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Ask a question, or change the one of this code. Again changes nothing."""
        body = read_body(request, ProfileQuestionIn)
        said = body.model_dump(exclude={"code", "kind", "asked"})
        found = ProfileQuestion.objects.filter(pk=body.code).first()
        if found is not None and found.kind != body.kind:
            words = _("It is of the kind “%s”, which stays. Ask another question instead.")
            raise refuse_field("kind", words % found.kind, "does_not_change")
        with transaction.atomic():
            if found is None:
                made = create_question(code=body.code, kind=body.kind, actor=self.actor, **said)
            else:
                made = change_question(question=found, actor=self.actor, **said)
            made = put_question_away(
                question=made, away=not body.asked, actor=self.actor, now=timezone.now()
            )
        return answer(_out(asked(made)), HTTPStatus.OK if found else HTTPStatus.CREATED)


def questions_out() -> list[ProfileQuestionOut]:
    return [_out(question) for question in asked_questions()]


def _out(question: AskedQuestion) -> ProfileQuestionOut:
    return ProfileQuestionOut(
        code=question.code, kind="many" if question.many else "one", text=question.text,
        choices=[ProfileChoiceOut(code=code, text=words) for code, words in question.choices],
        completes=question.completes, asked=question.is_asked,
    )  # fmt: skip
