"""/segments: groups of customers, by a condition or as a list."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field, JsonValue
from rest_framework.request import Request

from members.api.bodies import Answer, Body, answer, read_body, read_query
from members.api.idempotency import idempotent
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.v1.customers import CustomerOut, customer_out
from members.api.views import ApiView
from members.models import Segment, SegmentMember
from members.selectors.customers import get_customer
from members.selectors.merges import current
from members.selectors.segments import (
    get_segment,
    list_segments,
    members_of,
    segments_of_customer,
)
from members.services.segment_previews import preview_condition
from members.services.segments import (
    add_to_list,
    archive_segment,
    change_segment,
    create_segment,
    remove_from_list,
    restore_segment,
)

Condition = dict[str, JsonValue]


class SegmentIn(Body):
    """A segment: dynamic with a condition, or static and at first empty."""

    name: Annotated[str, Field(max_length=120)]
    kind: Literal["dynamic", "static"] = "dynamic"
    code: Annotated[str, Field(max_length=64)] = Field(
        "", description="Made from the name if empty; it stays as it is.", examples=["regulars"]
    )
    description: Annotated[str, Field(max_length=2000)] = ""
    condition: Condition = Field(
        {}, description="Who is in it, as in the document about conditions.",
        examples=[{"field": "behavior.orders", "op": "at_least", "value": 3}],
    )  # fmt: skip


class SegmentChanges(Body):
    """The fields to change; the others stay."""

    name: Annotated[str, Field(max_length=120)] = ""
    description: Annotated[str, Field(max_length=2000)] = ""
    condition: Condition = {}
    archived: bool = Field(False, description="Put away, or taken back into use.")


class SegmentOut(Answer):
    code: str
    name: str
    description: str
    kind: Literal["dynamic", "static"]
    condition: Condition
    size: int = Field(description="Customers in it.")
    refreshed_at: dt.datetime | None = Field(
        description="When everybody was last worked out; null: not since it was changed."
    )
    archived_at: dt.datetime | None
    created_at: dt.datetime
    updated_at: dt.datetime


class SegmentPage(Page):
    results: list[SegmentOut]


class SegmentQuery(PageQuery):
    archived: bool = Field(False, description="Those that were put away instead.")


class SegmentMemberOut(Answer):
    customer: UUID
    external_id: str | None
    email: str
    since: dt.datetime


class SegmentMemberPage(Page):
    results: list[SegmentMemberOut]


class PlaceOut(Answer):
    code: str
    name: str
    since: dt.datetime


class PlacesOut(Answer):
    results: list[PlaceOut]


class PreviewIn(Body):
    condition: Condition


class PreviewOut(Answer):
    count: int
    total: int = Field(description="Of so many customers.")
    sample: list[CustomerOut] = Field(description="At most ten, the newest.")


class Segments(ApiView):
    scopes = {"GET": "segments:read", "POST": "segments:write"}
    for_all_programs = frozenset({"POST"})

    @extend_schema(
        operation_id="listSegments",
        parameters=query_parameters(SegmentQuery),
        responses={200: SegmentPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List segments, the newest first."""
        query = read_query(request, SegmentQuery)
        found = list_segments(archived=query.archived)
        page = paginate(request, found, query, ordering=["-pk"], row=_segment_out)
        return answer(SegmentPage(**page))

    @extend_schema(operation_id="createSegment", request=SegmentIn, responses={201: SegmentOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Create a segment. One by a condition is worked out in the background at once."""
        body = read_body(request, SegmentIn)
        made = create_segment(actor=self.actor, now=timezone.now(), **body.model_dump())
        return answer(_segment_out(made), HTTPStatus.CREATED)


class OneSegment(ApiView):
    scopes = {"GET": "segments:read", "PATCH": "segments:write"}
    for_all_programs = frozenset({"PATCH"})

    @extend_schema(operation_id="getSegment", responses={200: SegmentOut})
    def get(self, request: Request, code: str) -> HttpResponse:
        """Read a segment."""
        return answer(_segment_out(get_segment(code)))

    @extend_schema(
        operation_id="changeSegment", request=SegmentChanges, responses={200: SegmentOut}
    )
    def patch(self, request: Request, code: str) -> HttpResponse:
        """Change a segment, put it away or take it back. Refused while something asks for it."""
        body = read_body(request, SegmentChanges)
        segment = get_segment(code)
        sent = {name: getattr(body, name) for name in body.model_fields_set}
        archived = sent.pop("archived", None)
        if archived is False:
            segment = restore_segment(actor=self.actor, segment=segment)
        if sent:
            segment = change_segment(actor=self.actor, segment=segment, changes=sent)
        if archived is True:
            segment = archive_segment(actor=self.actor, segment=segment, now=timezone.now())
        return answer(_segment_out(segment))


class SegmentMembers(ApiView):
    scopes = {"GET": "segments:read"}

    @extend_schema(
        operation_id="listSegmentMembers",
        parameters=query_parameters(PageQuery),
        responses={200: SegmentMemberPage},
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        """List who is in a segment, the newest first."""
        query = read_query(request, PageQuery)
        found = members_of(get_segment(code)).filter(customer__merged_into=None)
        page = paginate(request, found, query, ordering=["-since", "-pk"], row=_member_out)
        return answer(SegmentMemberPage(**page))


class OneSegmentMember(ApiView):
    scopes = {"PUT": "segments:write", "DELETE": "segments:write"}
    for_all_programs = frozenset({"PUT", "DELETE"})

    @extend_schema(operation_id="addSegmentMember", request=None, responses={200: SegmentMemberOut})
    def put(self, request: Request, code: str, customer_id: UUID) -> HttpResponse:
        """Put a customer on a list; once they are, it changes nothing."""
        member = add_to_list(
            actor=self.actor, segment=get_segment(code), now=timezone.now(),
            customer=current(get_customer(customer_id)),
        )  # fmt: skip
        return answer(_member_out(member))

    @extend_schema(operation_id="removeSegmentMember", responses={204: None})
    def delete(self, request: Request, code: str, customer_id: UUID) -> HttpResponse:
        """Take a customer off a list; if they are not on it, it changes nothing."""
        remove_from_list(
            actor=self.actor, segment=get_segment(code), now=timezone.now(),
            customer=current(get_customer(customer_id)),
        )  # fmt: skip
        return HttpResponse(status=HTTPStatus.NO_CONTENT)


class SegmentPreview(ApiView):
    scopes = {"POST": "segments:read"}

    @extend_schema(operation_id="previewSegment", request=PreviewIn, responses={200: PreviewOut})
    def post(self, request: Request) -> HttpResponse:
        """Say how many customers a condition holds for, and ten of them. It saves nothing, and
        gives up after three seconds."""
        body = read_body(request, PreviewIn)
        found = preview_condition(body.condition, now=timezone.now())
        sample = [customer_out(customer) for customer in found.sample]
        return answer(PreviewOut(count=found.count, total=found.total, sample=sample))


class CustomerSegments(ApiView):
    scopes = {"GET": "segments:read"}

    @extend_schema(operation_id="listSegmentsOfCustomer", responses={200: PlacesOut})
    def get(self, request: Request, customer_id: UUID) -> HttpResponse:
        """List the segments that a customer is in, by name."""
        places = segments_of_customer(current(get_customer(customer_id)))
        return answer(PlacesOut(results=[_place_out(place) for place in places]))


def _segment_out(segment: Segment) -> SegmentOut:
    return SegmentOut(**{name: getattr(segment, name) for name in SegmentOut.model_fields})


def _member_out(member: SegmentMember) -> SegmentMemberOut:
    customer = member.customer
    return SegmentMemberOut(
        customer=customer.public_id, external_id=customer.external_id, email=customer.email,
        since=member.since,
    )  # fmt: skip


def _place_out(place: SegmentMember) -> PlaceOut:
    values: dict[str, Any] = {"code": place.segment.code, "name": place.segment.name}
    return PlaceOut(**values, since=place.since)
