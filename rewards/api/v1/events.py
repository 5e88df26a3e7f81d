"""/events: what takes place, the waiting list and the door. A seat is taken like any reward."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import Units, units_text
from loyalty.api.v1.pools import member_named
from loyalty.models import Transfer
from members.api.bodies import TEXT, Answer, Body, PublicId, answer, read_body, read_query
from members.api.idempotency import idempotent
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from rewards.api.v1.redemptions import RedemptionOut, redemption_out
from rewards.models import Event, EventWait
from rewards.selectors.events import events, get_event, get_wait, places_in_line
from rewards.selectors.redemptions import get_redemption
from rewards.services.event_jobs import cancel_event
from rewards.services.events import accept_seat, check_in, join_waiting_list, leave_waiting_list


class EventOut(Answer):
    id: UUID
    reward: UUID = Field(description="A seat is booked by taking this reward.")
    program: str
    code: str
    name: str
    summary: str
    status: Event.Status
    live: bool = Field(description="Whether members see it.")
    place: str
    link: str = Field(description="Empty for a key without `events:write`: who has booked is told.")
    starts_at: dt.datetime
    ends_at: dt.datetime
    opens_at: dt.datetime | None
    price: Units
    decimals: int
    seats: int
    left: int = Field(description="Seats that anybody can book.")
    kept: int = Field(description="Seats that are offered to who is next in the waiting list.")


class EventPage(Page):
    results: list[EventOut]


class EventQuery(PageQuery):
    program: str = Field("", max_length=64, description="Only those of the program with this code.")
    coming: bool = Field(True, description="Only those that are not over.")


class WaitIn(Body):
    membership: PublicId


class WaitOut(Answer):
    id: UUID
    event: UUID
    membership: UUID
    status: EventWait.Status
    place: int | None = Field(description="1: next. Null: does not wait.")
    created_at: dt.datetime
    offered_until: dt.datetime | None = Field(description="The seat is kept until then.")
    redemption: UUID | None


class CheckInBody(Body):
    code: Annotated[str, Field(min_length=1, max_length=64, pattern=TEXT)]


class EventCancel(Body):
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=TEXT)]


class Events(ApiView):
    scopes = {"GET": "rewards:read"}

    @extend_schema(
        operation_id="listEvents",
        parameters=query_parameters(EventQuery),
        responses={200: EventPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List events, soonest first."""
        query = read_query(request, EventQuery)
        found = events()
        if query.program:
            found = found.filter(reward__program__code=query.program.replace("\x00", "\n"))
        if query.coming:
            found = found.filter(ends_at__gt=timezone.now())
        shown = partial(event_out, hidden=_hides_link(self))
        page = paginate(request, found, query, ordering=["starts_at", "pk"], row=shown)
        return answer(EventPage(**page))


class OneEvent(ApiView):
    scopes = {"GET": "rewards:read"}

    @extend_schema(operation_id="getEvent", responses={200: EventOut})
    def get(self, request: Request, event_id: UUID) -> HttpResponse:
        """Read an event."""
        return answer(event_out(get_event(event_id), hidden=_hides_link(self)))


class EventWaitingList(ApiView):
    scopes = {"POST": "redemptions:write"}

    @extend_schema(operation_id="joinWaitingList", request=WaitIn, responses={201: WaitOut})
    @idempotent()
    def post(self, request: Request, event_id: UUID) -> HttpResponse:
        """Have a member wait for a seat; who waits already keeps their place. Where seats are left,
        or the member has one, that is refused with 409."""
        body = read_body(request, WaitIn)
        wait = join_waiting_list(
            event=get_event(event_id), membership=member_named(body.membership, "membership"),
            actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        return answer(wait_out(get_wait(wait.public_id)), HTTPStatus.CREATED)


class OneEventWait(ApiView):
    scopes = {"GET": "rewards:read"}

    @extend_schema(operation_id="getEventWait", responses={200: WaitOut})
    def get(self, request: Request, wait_id: UUID) -> HttpResponse:
        """Read a place in a waiting list."""
        return answer(wait_out(get_wait(wait_id)))


class EventWaitAccept(ApiView):
    scopes = {"POST": "redemptions:write"}

    @extend_schema(operation_id="acceptSeat", request=None, responses={200: RedemptionOut})
    @idempotent()
    def post(self, request: Request, wait_id: UUID) -> HttpResponse:
        """Take the seat that is offered; its units are spent now. Refused with 409 `event_state`
        where it is not kept any more, and like taking any reward."""
        taken = accept_seat(
            wait=get_wait(wait_id), source=Transfer.Source.API.value, actor=self.actor,
            now=timezone.now(),
        )  # fmt: skip
        return answer(redemption_out(get_redemption(taken.public_id)))


class EventWaitLeave(ApiView):
    scopes = {"POST": "redemptions:write"}

    @extend_schema(operation_id="leaveWaitingList", request=None, responses={200: WaitOut})
    @idempotent()
    def post(self, request: Request, wait_id: UUID) -> HttpResponse:
        """Wait no longer, or say no to the seat. It is offered to the next."""
        wait = leave_waiting_list(wait=get_wait(wait_id), actor=self.actor, now=timezone.now())
        return answer(wait_out(get_wait(wait.public_id)))


class EventCheckIn(ApiView):
    scopes = {"POST": "events:write"}

    @extend_schema(operation_id="checkIn", request=CheckInBody, responses={200: RedemptionOut})
    @idempotent()
    def post(self, request: Request, event_id: UUID) -> HttpResponse:
        """Let somebody in by their code, once: the second time is 409 `event_state`."""
        body = read_body(request, CheckInBody)
        guest = check_in(
            event=get_event(event_id), written=body.code, actor=self.actor, now=timezone.now()
        )
        return answer(redemption_out(get_redemption(guest.public_id)))


class EventCancellation(ApiView):
    scopes = {"POST": "events:write"}

    @extend_schema(operation_id="cancelEvent", request=EventCancel, responses={200: EventOut})
    @idempotent()
    def post(self, request: Request, event_id: UUID) -> HttpResponse:
        """Call it off: nobody can book any more, and a job gives everybody's units back."""
        body = read_body(request, EventCancel)
        cancel_event(
            event=get_event(event_id), reason=body.reason, actor=self.actor, now=timezone.now()
        )
        return answer(event_out(get_event(event_id)))


def _hides_link(view: ApiView) -> bool:
    """Only who has booked is told where it is on the net."""
    return "events:write" not in view.api_key.scopes


def event_out(event: Event, *, hidden: bool = False) -> EventOut:
    reward = event.reward
    scale = reward.wallet_type.scale
    same = ("status", "place", "starts_at", "ends_at")
    return EventOut(
        id=event.public_id,
        link="" if hidden else event.link,
        reward=reward.public_id,
        program=reward.program.code,
        code=reward.code,
        name=reward.name,
        summary=reward.summary,
        live=reward.status == "live",
        opens_at=reward.starts_at,
        price=units_text(reward.price, scale),
        decimals=scale,
        seats=reward.stock or 0,
        left=reward.left or 0,
        kept=reward.kept,
        **{name: getattr(event, name) for name in same},
    )


def wait_out(wait: EventWait, places: Mapping[int, int] | None = None) -> WaitOut:
    """`places`: those in line, where they are known of many at once."""
    if places is None:
        places = places_in_line([wait])
    return WaitOut(
        id=wait.public_id,
        event=wait.event.public_id,
        membership=wait.membership.public_id,
        status=EventWait.Status(wait.status),
        place=places.get(wait.pk),
        created_at=wait.created_at,
        offered_until=wait.offered_until if wait.status == "offered" else None,
        redemption=wait.redemption.public_id if wait.redemption else None,
    )
