"""/message-figures: what became of messages, of one, and of those of a journey."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.occasions import occasion_named
from campaigns.selectors.figures import (
    LONGEST,
    Counts,
    Measured,
    figures_by_journey,
    figures_by_occasion,
    figures_of_journey,
    figures_of_occasion,
    first_day,
)
from campaigns.selectors.journeys import get_journey, journeys
from members.api.bodies import Answer, Query, answer, read_query
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.errors import NotFoundError


class FigureQuery(Query):
    days: int = Field(
        30, ge=1, le=LONGEST, description="Of messages told in so many days, today the last."
    )


class CountsOut(Answer):
    """How many deliveries came to what; each is counted once."""

    sent: int
    delivered: int = Field(description="As far as the provider tells.")
    shows_opens: int = Field(description="Of how many it can be seen that they were opened.")
    opened: int = Field(description="Says little: mail programs load pictures, or do not.")
    counts_clicks: int = Field(description="Of how many it is counted that a link was followed.")
    clicked: int
    over: int = Field(description="Of how many the days in which an order counts are over.")
    ordered: int = Field(description="Of these, after how many an order was placed in its days.")
    unsubscribed: int = Field(description="By a link or the button of this very message.")
    failed: int
    uncertain: int
    suppressed: int
    waiting: int


class MessageFiguresOut(Answer):
    occasion: str = Field(examples=["order_earned"])
    counts: CountsOut


class JourneyMessagesOut(Answer):
    journey: UUID
    name: str
    counts: CountsOut


class AllFiguresOut(Answer):
    since: dt.date
    messages: list[MessageFiguresOut]
    journeys: list[JourneyMessagesOut]


class DayCountsOut(Answer):
    day: dt.date
    counts: CountsOut


class NamedCountsOut(Answer):
    name: str
    counts: CountsOut


class WordsCountsOut(Answer):
    """`version`: null where the words were ready-made."""

    channel: str
    language: str
    version: int | None
    counts: CountsOut


class FiguresOut(Answer):
    since: dt.date
    order_days: int = Field(description="Within how many days an order counts.")
    total: CountsOut
    days: list[DayCountsOut]
    channels: list[NamedCountsOut]
    languages: list[NamedCountsOut]
    words: list[WordsCountsOut]
    steps: list[NamedCountsOut] = Field(description="Of a journey, by the keys of its steps.")


class AllFigures(ApiView):
    scopes = {"GET": "messages:read"}

    @extend_schema(
        operation_id="listMessageFigures",
        parameters=query_parameters(FigureQuery),
        responses={200: AllFiguresOut},
    )
    def get(self, request: Request) -> HttpResponse:
        """Read what became of all that was told, by message and by journey."""
        days, now = read_query(request, FigureQuery).days, timezone.now()
        told, led = figures_by_occasion(days=days, now=now), figures_by_journey(days=days, now=now)
        return answer(
            AllFiguresOut(
                since=first_day(days, now),
                messages=[
                    MessageFiguresOut(occasion=code, counts=counts_out(counts))
                    for code, counts in sorted(told.items())
                ],
                journeys=[
                    JourneyMessagesOut(
                        journey=journey.public_id, name=journey.name,
                        counts=counts_out(led[journey.pk]),
                    )
                    for journey in journeys().filter(pk__in=list(led))
                ],
            )
        )  # fmt: skip


class OccasionFigures(ApiView):
    scopes = {"GET": "messages:read"}

    @extend_schema(
        operation_id="getMessageFigures",
        parameters=query_parameters(FigureQuery),
        responses={200: FiguresOut},
    )
    def get(self, request: Request, occasion: str) -> HttpResponse:
        """Read what became of one message: by day, way, language and version of its words."""
        query = read_query(request, FigureQuery)
        if occasion_named(occasion) is None:
            raise NotFoundError("There is no such message.")
        found = figures_of_occasion(occasion, days=query.days, now=timezone.now())
        return answer(_figures(found))


class JourneyMessageFigures(ApiView):
    scopes = {"GET": "messages:read"}

    @extend_schema(
        operation_id="getJourneyMessageFigures",
        parameters=query_parameters(FigureQuery),
        responses={200: FiguresOut},
    )
    def get(self, request: Request, journey_id: UUID) -> HttpResponse:
        """Read what became of all that a journey has told, also by step."""
        query = read_query(request, FigureQuery)
        found = figures_of_journey(get_journey(journey_id), days=query.days, now=timezone.now())
        return answer(_figures(found))


def counts_out(counts: Counts) -> CountsOut:
    return CountsOut(**asdict(counts))


def _figures(found: Measured) -> FiguresOut:
    return FiguresOut(
        since=found.since, order_days=found.order_days, total=counts_out(found.total),
        days=[DayCountsOut(day=day, counts=counts_out(one)) for day, one in found.by_day.items()],
        channels=_named(found.by_channel), languages=_named(found.by_locale),
        words=[
            WordsCountsOut(
                channel=channel, language=language, version=number, counts=counts_out(one)
            )
            for (channel, language, number), one in found.by_words.items()
        ],
        steps=_named(found.by_step),
    )  # fmt: skip


def _named(parts: Mapping[str, Counts]) -> list[NamedCountsOut]:
    return [NamedCountsOut(name=name, counts=counts_out(one)) for name, one in parts.items()]
