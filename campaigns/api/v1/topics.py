"""/message-topics: what messages may be about, of which people say yes or no."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.models import OwnTopic
from campaigns.services.topics import change_topic, create_topic
from campaigns.topics import choosable_topics
from members.api.bodies import Answer, Body, answer, read_body
from members.api.consent_bodies import Code
from members.api.idempotency import idempotent
from members.api.views import ApiView

Name = Annotated[str, Field(max_length=60)]
Sentence = Annotated[str, Field(max_length=200)]


class TopicTexts(Body):
    name: Name = ""
    sentence: Sentence = ""


class TopicIn(Body):
    """One of the merchant's own; what was there before of this code is replaced."""

    code: Code = Field(examples=["events"])
    name: Name = Field(examples=["Events"])
    sentence: Sentence = Field(
        description="What somebody gets who says yes.", examples=["Tastings and markets."]
    )
    texts: dict[Annotated[str, Field(max_length=16)], TopicTexts] = Field(
        {}, description="In other languages, by their code."
    )
    opt_in_only: bool = Field(
        True, description="Nobody is told who has not said yes, whatever holds for others."
    )
    asked_at_join: bool = Field(False, description="Whoever joins is asked by a box for each way.")


class TopicOut(Answer):
    code: str
    name: str
    sentence: str
    own: bool = Field(description="It is the merchant's own, and can be changed.")
    opt_in_only: bool
    asked_at_join: bool


class TopicList(Answer):
    results: list[TopicOut]


class MessageTopics(ApiView):
    scopes = {"GET": "consents:read", "POST": "consents:write"}
    for_all_programs = frozenset({"POST"})

    @extend_schema(operation_id="listMessageTopics", responses={200: TopicList})
    def get(self, request: Request) -> HttpResponse:
        """List all that people can say yes or no to."""
        own = set(OwnTopic.objects.values_list("pk", flat=True))
        return answer(
            TopicList(
                results=[
                    TopicOut(
                        code=topic.code, name=str(topic.label), sentence=str(topic.description),
                        own=topic.code in own, opt_in_only=topic.opt_in_only,
                        asked_at_join=topic.at_join,
                    )
                    for topic in choosable_topics()
                ]
            )
        )  # fmt: skip

    @extend_schema(
        operation_id="saveMessageTopic",
        request=TopicIn,
        responses={200: TopicOut, 201: TopicOut},
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Make a topic of the merchant's, or change the one of this code. Again changes nothing."""
        body = read_body(request, TopicIn)
        said = body.model_dump(exclude={"code"})
        found = OwnTopic.objects.filter(pk=body.code).first()
        if found is None:
            topic = create_topic(code=body.code, actor=self.actor, **said)
        else:
            topic = change_topic(topic=found, actor=self.actor, **said)
        out = TopicOut(
            code=topic.code, name=topic.name, sentence=topic.sentence, own=True,
            opt_in_only=topic.opt_in_only, asked_at_join=topic.asked_at_join,
        )  # fmt: skip
        return answer(out, HTTPStatus.OK if found else HTTPStatus.CREATED)
