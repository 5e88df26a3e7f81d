"""/broadcasts: a message to many at once: written, scheduled, stopped, and what it brought."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Annotated, Protocol
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.api.v1.compared import ComparedOut, compared_out
from campaigns.api.v1.figures import CountsOut, counts_out
from campaigns.approved_words import ApprovedSaid
from campaigns.broadcast_definitions import (
    FIELDS,
    BroadcastDefinition,
    definition_of_broadcast,
)
from campaigns.models import Broadcast
from campaigns.selectors.broadcast_results import BroadcastResult
from campaigns.selectors.broadcasts import (
    broadcasts,
    get_broadcast,
    progress_of,
    words_in_use,
)
from campaigns.services.broadcast_reach import Reach
from campaigns.services.broadcasts import (
    change_broadcast,
    create_broadcast,
    pause_broadcast,
    resume_broadcast,
    schedule_broadcast,
    stop_broadcast,
    withdraw_broadcast,
    write_words,
)
from campaigns.services.templates import LONGEST, Words
from campaigns.slow_figures import BROADCAST_REACH, BROADCAST_RESULT, reach_asked
from loyalty.models import Program
from members.api.bodies import (
    TEXT,
    Answer,
    Body,
    Instant,
    answer,
    read_body,
    read_query,
    refuse_field,
)
from members.api.idempotency import idempotent
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.services.audit import Actor
from members.slow_figures import ask_figures

READ, WRITE = "broadcasts:read", "broadcasts:write"


class BroadcastWordsIn(Body):
    """What it says by a way, in a language. MJML for e-mail, plain text elsewhere."""

    channel: Annotated[str, Field(max_length=16, pattern=TEXT)]
    language: Annotated[str, Field(max_length=16, pattern=TEXT)]
    subject: Annotated[str, Field(max_length=LONGEST["subject"], pattern=TEXT)]
    body: Annotated[str, Field(max_length=LONGEST["body"], pattern=TEXT)]
    text: Annotated[str, Field(max_length=LONGEST["text"], pattern=TEXT)] = Field(
        "", description="Plain text beside MJML; empty: made from it."
    )
    approved: ApprovedSaid | None = Field(
        None, description="By WhatsApp: words that the provider has approved, which are sent."
    )


class BroadcastIn(BroadcastDefinition):
    """A broadcast as a draft. Nobody is told before it is scheduled."""

    program: Annotated[str, Field(max_length=64, pattern=TEXT)] | None = Field(
        description="The program's code; null: it is for customers of all."
    )
    words: list[BroadcastWordsIn] = Field([], max_length=100)


class BroadcastChangeIn(BroadcastDefinition):
    """A draft as it shall be; its program stays."""

    words: list[BroadcastWordsIn] = Field(
        [], max_length=100, description="Those that change; others stay as they are."
    )


class BroadcastTimeIn(Body):
    """When it is sent."""

    send_at: Instant | None = Field(None, description="Null: now.")
    by_member_clock: bool = Field(
        False,
        description="To each when their own clock shows what the program's shows at `send_at`.",
    )


class BroadcastBrief(Answer):
    id: UUID
    program: str | None
    name: str
    state: Broadcast.Status
    send_at: dt.datetime | None
    by_member_clock: bool
    begun_at: dt.datetime | None
    ended_at: dt.datetime | None


class BroadcastWordsOut(Answer):
    channel: str
    language: str
    subject: str
    version: int


class BroadcastOut(BroadcastBrief):
    audience: dict[str, object]
    holdout: int
    channels: list[str]
    only_first: bool
    topic: str
    order_days: int
    words: list[BroadcastWordsOut]


class BroadcastPage(Page):
    results: list[BroadcastBrief]


class BroadcastReachOut(Answer):
    """How many would get it if it were sent now. Of very many a worker counts them first: ask again
    soon."""

    as_of: dt.datetime | None = Field(description="Null: they are being counted.")
    audience: int | None = Field(description="How many it is for, those kept aside included.")
    aside: int | None
    told: int | None = Field(description="By one way at least.")
    by_way: dict[str, int]
    reasons: dict[str, dict[str, int]] = Field(description="By way: why not how many others.")


class BroadcastResultsOut(Answer):
    """How far it is, and what it brought. Of very many a worker works that out first: ask again
    soon."""

    as_of: dt.datetime | None = Field(
        description="As of when it says what it brought. Null: that is being worked out."
    )
    audience: int = Field(description="How many are to be told.")
    settled: int = Field(description="How many of these had their turn.")
    aside: int = Field(description="How many are kept aside.")
    total: CountsOut | None
    channels: dict[str, CountsOut]
    reasons: dict[str, dict[str, int]] = Field(
        description="By way: why how many messages did not go out."
    )
    untold: dict[str, int] = Field(description="Why how many had no message at all.")
    order_days: int
    led: int = Field(description="Whom it was for, whose days are over.")
    held_out: int = Field(description="Who was kept aside, whose days are over.")
    orders: ComparedOut | None = Field(description="Null while there are too few to say.")
    revenue: ComparedOut | None = Field(description="In the program’s currency.")


class Broadcasts(ApiView):
    scopes = {"GET": READ, "POST": WRITE}

    @extend_schema(
        operation_id="listBroadcasts",
        parameters=query_parameters(PageQuery),
        responses={200: BroadcastPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List broadcasts, newest first."""
        query = read_query(request, PageQuery)
        page = paginate(request, broadcasts(), query, ordering=["-pk"], row=_brief)
        return answer(BroadcastPage(**page))

    @extend_schema(
        operation_id="createBroadcast", request=BroadcastIn, responses={201: BroadcastOut}
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Write a broadcast as a draft."""
        body = read_body(request, BroadcastIn)
        program = None
        if body.program is not None:
            program = Program.objects.filter(code=body.program).first()
            if program is None:
                raise refuse_field("program", _("There is no such program."), "not_found")
        with transaction.atomic():
            made = create_broadcast(
                program=program, definition=_definition(body), actor=self.actor,
                now=timezone.now(),
            )  # fmt: skip
            _write(made, body.words, self.actor)
        return answer(broadcast_out(made), HTTPStatus.CREATED)


class OneBroadcast(ApiView):
    scopes = {"GET": READ, "PUT": WRITE}

    @extend_schema(operation_id="getBroadcast", responses={200: BroadcastOut})
    def get(self, request: Request, broadcast_id: UUID) -> HttpResponse:
        """Read a broadcast."""
        return answer(broadcast_out(get_broadcast(broadcast_id)))

    @extend_schema(
        operation_id="changeBroadcast", request=BroadcastChangeIn, responses={200: BroadcastOut}
    )
    def put(self, request: Request, broadcast_id: UUID) -> HttpResponse:
        """Bring a draft to what is said. Again changes nothing. What is scheduled is taken back
        first."""
        body, found = read_body(request, BroadcastChangeIn), get_broadcast(broadcast_id)
        with transaction.atomic():
            row = change_broadcast(broadcast=found, definition=_definition(body), actor=self.actor)
            _write(row, body.words, self.actor)
        return answer(broadcast_out(get_broadcast(broadcast_id)))


class BroadcastReach(ApiView):
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="getBroadcastReach",
        responses={200: BroadcastReachOut, 202: BroadcastReachOut},
    )
    def get(self, request: Request, broadcast_id: UUID) -> HttpResponse:
        """Read how many would get it if it were sent now, and why others would not."""
        row, now = get_broadcast(broadcast_id), timezone.now()
        figures = ask_figures(BROADCAST_REACH, now=now, waits=True, **reach_asked(row))
        if figures is None:
            waiting = BroadcastReachOut(
                as_of=None, audience=None, aside=None, told=None, by_way={}, reasons={}
            )
            return answer(waiting, HTTPStatus.ACCEPTED)
        found: Reach = figures.value
        return answer(
            BroadcastReachOut(
                as_of=figures.as_of or now, audience=found.audience, aside=found.aside,
                told=found.told, by_way=dict(found.by_way),
                reasons={way: dict(counted) for way, counted in found.reasons.items()},
            )
        )  # fmt: skip


class BroadcastResults(ApiView):
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="getBroadcastResults",
        responses={200: BroadcastResultsOut, 202: BroadcastResultsOut},
    )
    def get(self, request: Request, broadcast_id: UUID) -> HttpResponse:
        """Read how far it is, what became of its messages, and what it brought against those who
        were kept aside."""
        row, now = get_broadcast(broadcast_id), timezone.now()
        figures = ask_figures(BROADCAST_RESULT, now=now, waits=True, broadcast=row.pk)
        if figures is None:
            return answer(_results_out(row, None, None), HTTPStatus.ACCEPTED)
        return answer(_results_out(row, figures.value, figures.as_of or now))


class BroadcastScheduling(ApiView):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="scheduleBroadcast", request=BroadcastTimeIn, responses={200: BroadcastOut}
    )
    @idempotent()
    def post(self, request: Request, broadcast_id: UUID) -> HttpResponse:
        """Send it now, or at a time. Its audience is looked at when it begins."""
        body = read_body(request, BroadcastTimeIn)
        row = schedule_broadcast(
            broadcast=get_broadcast(broadcast_id), send_at=body.send_at,
            by_member_clock=body.by_member_clock, actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        return answer(broadcast_out(row))


class BroadcastWithdrawing(ApiView):
    scopes = {"POST": WRITE}

    @extend_schema(operation_id="withdrawBroadcast", request=None, responses={200: BroadcastOut})
    @idempotent()
    def post(self, request: Request, broadcast_id: UUID) -> HttpResponse:
        """Take back what is scheduled: it is a draft again. Again changes nothing."""
        row = withdraw_broadcast(broadcast=get_broadcast(broadcast_id), actor=self.actor)
        return answer(broadcast_out(row))


class BroadcastPausing(ApiView):
    scopes = {"POST": WRITE}

    @extend_schema(operation_id="pauseBroadcast", request=None, responses={200: BroadcastOut})
    @idempotent()
    def post(self, request: Request, broadcast_id: UUID) -> HttpResponse:
        """Nothing more goes out for now. Again changes nothing."""
        row = pause_broadcast(broadcast=get_broadcast(broadcast_id), actor=self.actor)
        return answer(broadcast_out(row))


class BroadcastResuming(ApiView):
    scopes = {"POST": WRITE}

    @extend_schema(operation_id="resumeBroadcast", request=None, responses={200: BroadcastOut})
    @idempotent()
    def post(self, request: Request, broadcast_id: UUID) -> HttpResponse:
        """It goes on where it was. Again changes nothing."""
        row = resume_broadcast(broadcast=get_broadcast(broadcast_id), actor=self.actor)
        return answer(broadcast_out(row))


class BroadcastStopping(ApiView):
    scopes = {"POST": WRITE}

    @extend_schema(operation_id="stopBroadcast", request=None, responses={200: BroadcastOut})
    @idempotent()
    def post(self, request: Request, broadcast_id: UUID) -> HttpResponse:
        """Nobody else is told, for good. Again changes nothing."""
        row = stop_broadcast(
            broadcast=get_broadcast(broadcast_id), actor=self.actor, now=timezone.now()
        )
        return answer(broadcast_out(row))


def broadcast_out(row: Broadcast) -> BroadcastOut:
    words = [
        BroadcastWordsOut(
            channel=version.template.channel, language=version.template.locale,
            subject=version.subject, version=version.number,
        )
        for version in words_in_use(row)
    ]  # fmt: skip
    said = definition_of_broadcast(row).model_dump(exclude={"name"})
    return BroadcastOut(**_brief(row).model_dump(), **said, words=words)


class _Said(Protocol):
    def model_dump(self, *, include: set[str]) -> dict[str, object]: ...


def _definition(body: _Said) -> BroadcastDefinition:
    return BroadcastDefinition.model_validate(body.model_dump(include=set(FIELDS)))


def _write(row: Broadcast, words: list[BroadcastWordsIn], actor: Actor) -> None:
    """Raises DomainError."""
    for said in words:
        approved = said.approved.words() if said.approved else None
        write_words(
            broadcast=row, channel=said.channel, locale=said.language,
            words=Words(said.subject, said.body, said.text, approved), actor=actor,
            now=timezone.now(),
        )  # fmt: skip


def _results_out(
    row: Broadcast, found: BroadcastResult | None, as_of: dt.datetime | None
) -> BroadcastResultsOut:  # fmt: skip
    """`found`: what it brought; None while that is worked out."""
    far = progress_of(row)
    against = found.against if found else None
    by_channel = found.measured.by_channel if found else {}
    return BroadcastResultsOut(
        as_of=as_of, audience=far.audience, settled=far.settled, aside=far.aside,
        total=counts_out(found.measured.total) if found else None,
        channels={key: counts_out(one) for key, one in by_channel.items()},
        reasons={way: dict(counted) for way, counted in (found.reasons if found else {}).items()},
        untold=dict(found.untold) if found else {}, order_days=row.order_days,
        led=against.led if against else 0, held_out=against.aside if against else 0,
        orders=compared_out(against.orders) if against else None,
        revenue=compared_out(against.revenue) if against else None,
    )  # fmt: skip


def _brief(row: Broadcast) -> BroadcastBrief:
    return BroadcastBrief(
        id=row.public_id, program=row.program.code if row.program else None, name=row.name,
        state=Broadcast.Status(row.status), send_at=row.send_at,
        by_member_clock=row.by_member_clock, begun_at=row.begun_at, ended_at=row.ended_at,
    )  # fmt: skip
