"""/activities: what people do besides buying, and what it brought them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.awards import AwardOut, explained_award
from loyalty.api.v1.order_bodies import Buyer, Source, Text128, Text200, buyer_ref, known_people
from loyalty.api.v1.partner_access import partner_asking, require_identified
from loyalty.models import Activity, Transfer
from loyalty.selectors.activities import activities, get_activity, list_activity_types
from loyalty.services.activities import (
    LONGEST_PROOF,
    ActivityInput,
    ActivityResult,
    record_activities,
)
from loyalty.services.activity_decisions import (
    approve_activity,
    reject_activity,
    reverse_activity,
)
from members.api.bodies import (
    Answer,
    Body,
    ExternalId,
    Instant,
    PublicId,
    answer,
    read_body,
    read_query,
)
from members.api.idempotency import idempotent
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.errors import ConflictError, DomainError, NotFoundError
from members.models import Customer
from members.selectors.merges import current_ids

Outcome = Literal["created", "unchanged", "over_limit"]
State = Literal["pending", "approved", "rejected", "reversed"]


class ActivityInBatch(Body):
    """Something that a customer did."""

    external_id: ExternalId
    customer: Buyer
    type: Annotated[str, Field(max_length=64, pattern=r"^[a-z0-9][a-z0-9-]*$")] = Field(
        description="Code of its type.", examples=["review"]
    )
    occurred_at: Instant
    subject: Text128 = Field("", description="What it was about, as a SKU.")
    subject_name: Text200 = Field("", description="What people call that.")
    data: dict[str, Any] = Field({}, description="What the schema of its type asks for.")
    proof: Annotated[str, Field(max_length=LONGEST_PROOF, pattern=r"^[^\x00]*$")] = Field(
        "", description="A link or a text."
    )


class ActivityIn(ActivityInBatch):
    source: Source = "shop"


class ActivityBatch(Body):
    """Up to 500 activities of one source: all are recorded, or none."""

    source: Source = "shop"
    activities: tuple[ActivityInBatch, ...] = Field(min_length=1, max_length=500)


class DecisionIn(Body):
    """Why, in words for the merchant's staff."""

    note: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] = ""


class ActivityOut(Answer):
    """An activity, with what every rule for its type said once it counted."""

    id: UUID
    source: str
    external_id: str
    customer: UUID
    type: str
    title: str = Field(description="What people call it.")
    subject: str
    subject_name: str
    data: dict[str, Any]
    proof: str
    occurred_at: dt.datetime
    recorded_at: dt.datetime
    state: State
    decided_at: dt.datetime | None
    decision_note: str
    awards: list[AwardOut]


class ActivityReceipt(Answer):
    """What became of an activity. Told again it is unchanged."""

    outcome: Literal["created", "unchanged"]
    activity: ActivityOut


class ActivityBrief(Answer):
    external_id: str
    outcome: Outcome
    id: UUID | None = Field(description="None over a limit: nothing is kept.")
    state: State | None
    reason: str = Field(description="Over a limit: which.")


class ActivityBatchReceipt(Answer):
    """What became of each activity, in the order in which they were sent."""

    source: str
    results: list[ActivityBrief]


class ActivityPage(Page):
    results: list[ActivityOut]


class ActivityQuery(PageQuery):
    customer: PublicId | None = Field(None, description="Whose, by the customer's id.")
    state: State | None = None
    type: Annotated[str, Field(max_length=64)] = Field("", description="Code of a type.")


class ActivityTypeOut(Answer):
    """Something that people do besides buying."""

    code: str
    name: str
    active: bool
    data_schema: dict[str, Any] = Field(description="JSON schema of its data; empty: any data.")
    proof: Literal["none", "optional", "required"]
    approval: bool = Field(description="It counts once somebody of the staff approves it.")
    most: int | None = Field(description="At most so many of one customer in a period.")
    period: Literal["day", "week", "month", "ever"]
    once_per_subject: bool


class ActivityTypeList(Answer):
    results: list[ActivityTypeOut]


class ActivityLimitError(ConflictError):
    code = "over_limit"


class Activities(ApiView):
    scopes = {"GET": "activities:read", "POST": "activities:write"}
    for_partners = frozenset({"GET", "POST"})

    @extend_schema(
        operation_id="listActivities",
        parameters=query_parameters(ActivityQuery),
        responses={200: ActivityPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List activities, newest first: all, or a customer's, of a type, in a state."""
        query = read_query(request, ActivityQuery)
        found = activities()
        if (partner := partner_asking(self)) is not None:
            found = found.filter(partner=partner.account_id)
        if query.customer is not None:
            people = Customer.objects.filter(public_id=query.customer)
            found = found.filter(customer__in=current_ids(people))
        if query.state is not None:
            found = found.filter(state=query.state)
        if query.type:
            found = found.filter(type__code=query.type)
        page = paginate(request, found, query, ordering=["-occurred_at", "-pk"], row=activity_out)
        return answer(ActivityPage(**page))

    @extend_schema(
        operation_id="recordActivity",
        request=ActivityIn,
        responses={200: ActivityReceipt, 201: ActivityReceipt},
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Record what a customer did. One that is over a limit of its type is refused with 409
        `over_limit`."""
        body = read_body(request, ActivityIn)
        [result] = _record(self, [body], body.source)
        if result.activity is None:
            raise ActivityLimitError(result.reason)
        out = activity_out(get_activity(result.activity.public_id))
        created = result.outcome == "created"
        receipt = ActivityReceipt(outcome="created" if created else "unchanged", activity=out)
        return answer(receipt, HTTPStatus.CREATED if created else HTTPStatus.OK)


class ActivitiesBatch(ApiView):
    scopes = {"POST": "activities:write"}
    for_partners = frozenset({"POST"})

    @extend_schema(
        operation_id="recordActivities",
        request=ActivityBatch,
        responses={200: ActivityBatchReceipt},
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Record up to 500 activities of one source, all or none. Those that are over a limit of
        their type are left out, and said so."""
        body = read_body(request, ActivityBatch)
        try:
            results = _record(self, body.activities, body.source, "activities[{}].")
        except DomainError as error:
            if error.index is not None:
                error.place_fields(f"activities[{error.index}]")
            raise
        briefs = [_brief(result) for result in results]
        return answer(ActivityBatchReceipt(source=body.source, results=briefs))


class OneActivity(ApiView):
    scopes = {"GET": "activities:read"}
    for_partners = frozenset({"GET"})

    @extend_schema(operation_id="getActivity", responses={200: ActivityOut})
    def get(self, request: Request, activity_id: UUID) -> HttpResponse:
        """Read an activity with what it brought."""
        found = get_activity(activity_id)
        if self.api_key.partner not in (None, found.partner_id):
            raise NotFoundError("There is no such activity.")
        return answer(activity_out(found))


class ActivityApproval(ApiView):
    scopes = {"POST": "activities:decide"}

    @extend_schema(operation_id="approveActivity", request=None, responses={200: ActivityOut})
    @idempotent()
    def post(self, request: Request, activity_id: UUID) -> HttpResponse:
        """Let an activity that waits count. Again changes nothing."""
        approve_activity(
            activity=get_activity(activity_id), actor=self.actor, source=Transfer.Source.API,
            now=timezone.now(),
        )  # fmt: skip
        return answer(activity_out(get_activity(activity_id)))


class ActivityRejection(ApiView):
    scopes = {"POST": "activities:decide"}

    @extend_schema(operation_id="rejectActivity", request=DecisionIn, responses={200: ActivityOut})
    @idempotent()
    def post(self, request: Request, activity_id: UUID) -> HttpResponse:
        """Say no to an activity that waits. Again changes nothing."""
        body = read_body(request, DecisionIn)
        reject_activity(
            activity=get_activity(activity_id), actor=self.actor, note=body.note,
            now=timezone.now(),
        )  # fmt: skip
        return answer(activity_out(get_activity(activity_id)))


class ActivityReversal(ApiView):
    scopes = {"POST": "activities:decide"}

    @extend_schema(operation_id="reverseActivity", request=DecisionIn, responses={200: ActivityOut})
    @idempotent()
    def post(self, request: Request, activity_id: UUID) -> HttpResponse:
        """Take back an activity that counted, with what it brought. Again changes nothing."""
        body = read_body(request, DecisionIn)
        reverse_activity(
            activity=get_activity(activity_id), actor=self.actor, note=body.note,
            source=Transfer.Source.API, now=timezone.now(),
        )  # fmt: skip
        return answer(activity_out(get_activity(activity_id)))


class ActivityTypes(ApiView):
    scopes = {"GET": "activities:read"}

    @extend_schema(operation_id="listActivityTypes", responses={200: ActivityTypeList})
    def get(self, request: Request) -> HttpResponse:
        """List the types of activities that POST /activities takes."""
        found = [
            ActivityTypeOut.model_validate(kind, from_attributes=True)
            for kind in list_activity_types()
        ]
        return answer(ActivityTypeList(results=found))


def activity_out(found: Activity) -> ActivityOut:
    """An activity from `loyalty.selectors.activities.activities`."""
    return ActivityOut(
        id=found.public_id,
        customer=found.customer.public_id,
        type=found.type.code,
        title=str(found),
        awards=[
            explained_award(row.rule_version.rule, row.units, row.steps, str(found))
            for row in found.awards.all()
        ],
        **{
            name: getattr(found, name)
            for name in (
                "source", "external_id", "subject", "subject_name", "data", "proof", "occurred_at",
                "recorded_at", "state", "decided_at", "decision_note",
            )
        },
    )  # fmt: skip


def _record(
    view: ApiView, bodies: Sequence[ActivityInBatch], source: str, place: str = ""
) -> list[ActivityResult]:
    """`place`: what leads to one of several in the request."""
    buyers = [
        (f"{place.format(index)}customer", body.customer) for index, body in enumerate(bodies)
    ]
    partner = partner_asking(view)
    require_identified(partner, buyers)
    people = known_people(buyers)
    inputs = [
        ActivityInput(
            external_id=body.external_id, customer=buyer_ref(body.customer, people),
            type=body.type, occurred_at=body.occurred_at, source=source, subject=body.subject,
            subject_name=body.subject_name, data=body.data, proof=body.proof,
        )
        for body in bodies
    ]  # fmt: skip
    return record_activities(
        inputs, now=timezone.now(), transfer_source=Transfer.Source.API, partner=partner
    )


def _brief(result: ActivityResult) -> ActivityBrief:
    made = result.activity
    return ActivityBrief(
        external_id=result.external_id,
        outcome=result.outcome,
        id=made.public_id if made else None,
        state=made.state if made else None,
        reason=result.reason,
    )
