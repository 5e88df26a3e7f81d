"""/journeys: what members are led through, who is where, and what it brings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.api.v1.compared import ComparedOut, compared_out
from campaigns.models import Journey, Passage
from campaigns.selectors.journey_results import leavers, people_per_step, result_of
from campaigns.selectors.journeys import get_journey, journeys, version_in_force
from campaigns.services.journey_entries import lead_in, take_out
from campaigns.services.journeys import create_journey, save_draft
from loyalty.api.v1.pools import member_named
from loyalty.models import Program
from members.api.bodies import (
    TEXT,
    Answer,
    Body,
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
from members.errors import DomainError


class JourneyBrief(Answer):
    id: UUID
    program: str
    name: str
    trigger: str = Field(description="What begins it.")
    state: Journey.Status
    since: dt.datetime | None = Field(description="Only what happened from then on leads into it.")


class JourneyOut(JourneyBrief):
    version: int | None = Field(description="Which version is in force; null: none was ever.")
    definition: dict[str, Any] = Field(
        description="What is in force: for whom, how often, its steps in order. Or empty."
    )
    draft: dict[str, Any] | None = Field(
        description="What was written since, and is not published; null: nothing."
    )


class JourneyIn(Body):
    """A journey as a draft."""

    program: Annotated[str, Field(max_length=64, pattern=TEXT)] = Field(
        description="The program's code."
    )
    name: Annotated[str, Field(max_length=120, pattern=TEXT)]
    trigger: Annotated[str, Field(max_length=32, pattern=TEXT)] = Field(
        description="What begins it.", examples=["joined"]
    )
    definition: dict[str, Any] = Field(
        {}, description="For whom, how often, its steps in order: as `GET` shows it."
    )


class JourneyChangeIn(Body):
    """What is written of it anew."""

    name: Annotated[str, Field(max_length=120, pattern=TEXT)] = Field(
        "", description="Empty: it keeps its name."
    )
    definition: dict[str, Any] = Field(description="The whole of it, as `GET` shows it.")


class JourneyPage(Page):
    results: list[JourneyBrief]


class JourneyMemberOut(Answer):
    membership: UUID
    state: Passage.State
    held_out: bool = Field(description="Kept aside, to compare with.")
    step: str = Field(description="The key of the step that is next, or that they wait in.")
    due_at: dt.datetime | None = Field(description="When they go on.")
    entered_at: dt.datetime
    left_at: dt.datetime | None
    why: str = Field(description="Why they left: finished, goal, taken_out …")


class JourneyMemberPage(Page):
    results: list[JourneyMemberOut]


class JourneyMemberQuery(PageQuery):
    state: Passage.State | None = Field(None, description="Only who is under way, or who left.")
    membership: PublicId | None = Field(None, description="Only this member.")


class JourneyMemberIn(Body):
    membership: PublicId


class JourneyFiguresOut(Answer):
    people: int = Field(description="How many are under way.")
    steps: dict[str, int] = Field(description="How many are at which step, by its key.")
    left: dict[str, int] = Field(description="How many left for which reason.")
    days: int = Field(description="What they did in so many days is compared.")
    led: int = Field(description="Members who were led, whose days are over.")
    aside: int = Field(description="Members who were kept aside, whose days are over.")
    orders: ComparedOut | None = Field(description="Null while there are too few to say.")
    revenue: ComparedOut | None = Field(description="In the program’s currency.")


class Journeys(ApiView):
    scopes = {"GET": "journeys:read", "POST": "journeys:write"}

    @extend_schema(
        operation_id="listJourneys",
        parameters=query_parameters(PageQuery),
        responses={200: JourneyPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List journeys, newest first."""
        query = read_query(request, PageQuery)
        page = paginate(
            request,
            journeys(),
            query,
            ordering=["-pk"],
            row=lambda row: JourneyBrief(**_brief(row)),
        )
        return answer(JourneyPage(**page))

    @extend_schema(operation_id="createJourney", request=JourneyIn, responses={201: JourneyOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Write a journey. It is a draft until it is published."""
        body = read_body(request, JourneyIn)
        program = Program.objects.filter(code=body.program).first()
        if program is None:
            raise refuse_field("program", _("There is no such program."), "not_found")
        with _places():
            made = create_journey(
                program=program, name=body.name, trigger=body.trigger, body=body.definition,
                actor=self.actor, now=timezone.now(),
            )  # fmt: skip
        return answer(journey_out(made), HTTPStatus.CREATED)


class OneJourney(ApiView):
    scopes = {"GET": "journeys:read", "PUT": "journeys:write"}

    @extend_schema(operation_id="getJourney", responses={200: JourneyOut})
    def get(self, request: Request, journey_id: UUID) -> HttpResponse:
        """Read a journey with what is in force of it."""
        return answer(journey_out(get_journey(journey_id)))

    @extend_schema(
        operation_id="writeJourney", request=JourneyChangeIn, responses={200: JourneyOut}
    )
    def put(self, request: Request, journey_id: UUID) -> HttpResponse:
        """Write what it is to be. Members notice nothing of it until it is published."""
        body, found = read_body(request, JourneyChangeIn), get_journey(journey_id)
        with _places():
            save_draft(
                journey=found, body=body.definition, name=body.name, actor=self.actor,
                now=timezone.now(),
            )  # fmt: skip
        return answer(journey_out(get_journey(journey_id)))


class JourneyFigures(ApiView):
    scopes = {"GET": "journeys:read"}

    @extend_schema(operation_id="getJourneyFigures", responses={200: JourneyFiguresOut})
    def get(self, request: Request, journey_id: UUID) -> HttpResponse:
        """Read how many are where, and what it brought against those who were kept aside."""
        found = get_journey(journey_id)
        now, steps = version_in_force(found), people_per_step(found)
        days = now.definition.measured_days if now else 30
        result = result_of(found, days, timezone.now())
        return answer(
            JourneyFiguresOut(
                people=sum(steps.values()), steps=steps, left=leavers(found), days=days,
                led=result.led, aside=result.aside, orders=compared_out(result.orders),
                revenue=compared_out(result.revenue),
            )
        )  # fmt: skip


class JourneyMembers(ApiView):
    scopes = {"GET": "journeys:read", "POST": "journeys:write"}

    @extend_schema(
        operation_id="listJourneyMembers",
        parameters=query_parameters(JourneyMemberQuery),
        responses={200: JourneyMemberPage},
    )
    def get(self, request: Request, journey_id: UUID) -> HttpResponse:
        """List who is in it and who was, the newest first."""
        query = read_query(request, JourneyMemberQuery)
        rows = Passage.objects.filter(journey=get_journey(journey_id)).select_related("membership")
        if query.state:
            rows = rows.filter(state=query.state)
        if query.membership:
            rows = rows.filter(membership__public_id=query.membership)
        page = paginate(request, rows, query, ordering=["-entered_at", "-pk"], row=_member_out)
        return answer(JourneyMemberPage(**page))

    @extend_schema(
        operation_id="leadIntoJourney",
        request=JourneyMemberIn,
        responses={201: JourneyMemberOut, 200: JourneyMemberOut},
    )
    @idempotent()
    def post(self, request: Request, journey_id: UUID) -> HttpResponse:
        """Have a member begin it now. Whoever is in it already stays where they are (200)."""
        body, journey = read_body(request, JourneyMemberIn), get_journey(journey_id)
        member = member_named(body.membership, "membership")
        passage, began = lead_in(
            journey=journey, member=member, actor=self.actor, now=timezone.now()
        )
        return answer(_member_out(passage), HTTPStatus.CREATED if began else HTTPStatus.OK)


class JourneyLeaving(ApiView):
    scopes = {"POST": "journeys:write"}

    @extend_schema(operation_id="leaveJourney", request=None, responses={200: JourneyMemberPage})
    @idempotent()
    def post(self, request: Request, journey_id: UUID, membership_id: UUID) -> HttpResponse:
        """Have a member leave it. What they were told and given stays. Again changes nothing."""
        journey = get_journey(journey_id)
        member = member_named(membership_id, "membership_id")
        take_out(journey=journey, member=member, actor=self.actor, now=timezone.now())
        rows = Passage.objects.filter(journey=journey, membership=member)
        rows = rows.select_related("membership")
        page = paginate(
            request, rows, PageQuery(), ordering=["-entered_at", "-pk"], row=_member_out
        )
        return answer(JourneyMemberPage(**page))


def journey_out(found: Journey) -> JourneyOut:
    now, last = version_in_force(found), found.versions.first()
    return JourneyOut(
        **_brief(found), version=now.version.number if now else None,
        definition=now.definition.model_dump(mode="json") if now else {},
        draft=last.body if last is not None and last.published_at is None else None,
    )  # fmt: skip


@contextmanager
def _places() -> Iterator[None]:
    """What is wrong with the definition is named as it stands in the body."""
    try:
        yield
    except DomainError as error:
        own = {"name", "trigger", "program"}
        error.errors = tuple(
            wrong if wrong.field in own else replace(wrong, field=f"definition.{wrong.field}")
            for wrong in error.errors
        )
        raise


def _brief(found: Journey) -> dict[str, Any]:
    return {
        "id": found.public_id, "program": found.program.code, "name": found.name,
        "trigger": found.trigger, "state": Journey.Status(found.status), "since": found.since,
    }  # fmt: skip


def _member_out(found: Passage) -> JourneyMemberOut:
    return JourneyMemberOut(
        membership=found.membership.public_id, state=Passage.State(found.state),
        held_out=found.held_out, step=found.step, due_at=found.due_at,
        entered_at=found.entered_at, left_at=found.left_at, why=found.why,
    )  # fmt: skip
