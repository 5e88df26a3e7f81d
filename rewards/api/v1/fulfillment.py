"""/fulfillment-tasks: what is sent to members, from the queue to the carrier."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.pools import member_named
from loyalty.api.v1.transfers import ledger_key
from members.api.bodies import TEXT, Answer, Body, PublicId, answer, read_body, read_query
from members.api.idempotency import idempotent
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from rewards.addresses import Address, kept_address
from rewards.models import FulfillmentTask
from rewards.selectors.fulfillment import get_task, sent_to, tasks
from rewards.services.fulfillment import advance_task, give_by_hand, set_address

Words = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
Short = Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")]


class AddressIn(Address):
    """Where something is sent to."""


class TaskIn(Body):
    """A gift or a note that somebody of the merchant's people gives a member."""

    membership: PublicId
    kind: Literal["surprise", "note"]
    what: Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT)]
    words: Words = Field("", description="What the note or the card says.")
    address: AddressIn | None = Field(
        None, description="Without it the member is asked on their page, and nothing is sent yet."
    )


class TaskAdvance(Body):
    to: Literal["packed", "sent", "returned", "to_do", "canceled"]
    carrier: Short = Field("", description="With `sent`.")
    tracking_number: Short = Field("", description="With `sent`.")
    reason: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] = ""


class TaskOut(Answer):
    id: UUID
    program: str
    membership: UUID
    redemption: UUID | None
    kind: FulfillmentTask.Kind
    what: str
    words: str
    status: FulfillmentTask.Status
    address: Address | None = Field(description="Null: not told yet, or forgotten.")
    carrier: str
    tracking_number: str
    created_at: dt.datetime
    due_at: dt.datetime | None = Field(description="To be sent before then.")
    sent_at: dt.datetime | None


class TaskPage(Page):
    results: list[TaskOut]


class TaskQuery(PageQuery):
    program: str = Field("", max_length=64, description="Only those of the program with this code.")
    membership: PublicId | None = Field(None, description="Only what goes to this member.")
    status: FulfillmentTask.Status | None = None


class FulfillmentTasks(ApiView):
    scopes = {"GET": "fulfillment:read", "POST": "fulfillment:write"}

    @extend_schema(
        operation_id="listFulfillmentTasks",
        parameters=query_parameters(TaskQuery),
        responses={200: TaskPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List what is sent, newest first."""
        query = read_query(request, TaskQuery)
        found = tasks()
        if query.membership:
            found = sent_to([member_named(query.membership, "membership")])
        if query.program:
            found = found.filter(program__code=query.program.replace("\x00", "\n"))
        if query.status:
            found = found.filter(status=query.status)
        page = paginate(request, found, query, ordering=["-pk"], row=task_out)
        return answer(TaskPage(**page))

    @extend_schema(operation_id="giveByHand", request=TaskIn, responses={201: TaskOut})
    @idempotent(required=True)
    def post(self, request: Request) -> HttpResponse:
        """Send a member a surprise gift or a note."""
        body = read_body(request, TaskIn)
        task = give_by_hand(
            membership=member_named(body.membership, "membership"), kind=body.kind,
            what=body.what, words=body.words, address=body.address,
            key=ledger_key(self, request), actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        return answer(task_out(get_task(task.public_id)), HTTPStatus.CREATED)


class OneFulfillmentTask(ApiView):
    scopes = {"GET": "fulfillment:read"}

    @extend_schema(operation_id="getFulfillmentTask", responses={200: TaskOut})
    def get(self, request: Request, task_id: UUID) -> HttpResponse:
        """Read what is sent."""
        return answer(task_out(get_task(task_id)))


class FulfillmentAddress(ApiView):
    scopes = {"PUT": "fulfillment:write"}

    @extend_schema(
        operation_id="setFulfillmentAddress", request=AddressIn, responses={200: TaskOut}
    )
    def put(self, request: Request, task_id: UUID) -> HttpResponse:
        """Say where it goes to. Once it is sent that is refused with 409 `task_state`."""
        body = read_body(request, AddressIn)
        set_address(task=get_task(task_id), address=body, actor=self.actor, now=timezone.now())
        return answer(task_out(get_task(task_id)))


class FulfillmentAdvance(ApiView):
    scopes = {"POST": "fulfillment:write"}

    @extend_schema(
        operation_id="advanceFulfillmentTask", request=TaskAdvance, responses={200: TaskOut}
    )
    @idempotent()
    def post(self, request: Request, task_id: UUID) -> HttpResponse:
        """Go on with it. What does not follow on its state is refused with 409 `task_state`. With
        `canceled` a reward is canceled too: its units come back."""
        body = read_body(request, TaskAdvance)
        advance_task(
            task=get_task(task_id), actor=self.actor, now=timezone.now(), source="api",
            to=body.to, carrier=body.carrier, tracking_number=body.tracking_number,
            reason=body.reason,
        )  # fmt: skip
        return answer(task_out(get_task(task_id)))


def task_out(task: FulfillmentTask) -> TaskOut:
    taken = task.redemption
    same = (
        "kind", "what", "words", "status", "carrier", "tracking_number", "created_at", "due_at",
        "sent_at",
    )  # fmt: skip
    return TaskOut(
        id=task.public_id,
        program=task.program.code,
        membership=task.membership.public_id,
        redemption=taken.public_id if taken else None,
        address=kept_address(task.address),
        **{name: getattr(task, name) for name in same},
    )
