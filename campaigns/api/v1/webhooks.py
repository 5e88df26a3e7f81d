"""/event-types and /webhooks: what can be told, who is told, and what became of it."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field, JsonValue
from rest_framework.request import Request

from campaigns.models import WebhookDelivery, WebhookEndpoint
from campaigns.selectors.webhooks import (
    Wanted,
    deliveries,
    get_delivery,
    get_endpoint,
)
from campaigns.services.webhook_endpoints import (
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    newest_secret_id,
    rotate_secret,
    secret_with_id,
    switch_off,
    switch_on,
)
from campaigns.services.webhook_replays import replay_delivery, start_replay
from campaigns.services.webhook_telling import send_ping
from campaigns.webhook_events import (
    message_id,
    message_of,
    message_schema,
    sample_message,
    told_types,
)
from loyalty.models import Program
from members.api.bodies import (
    TEXT,
    Answer,
    Body,
    Instant,
    PublicId,
    answer,
    read_body,
    read_query,
    refuse_field,
)
from members.api.idempotency import idempotent
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.v1.jobs import JobOut, job_out
from members.api.views import ApiView
from members.services.job_runs import queue_job

Url = Annotated[str, Field(min_length=1, max_length=2000, examples=["https://shop.example/hooks"])]
Types = Annotated[list[Annotated[str, Field(max_length=64, pattern=TEXT)]], Field(max_length=200)]
READ, WRITE = "webhooks:read", "webhooks:write"


class EventTypeOut(Answer):
    name: str = Field(examples=["points.earned"])
    description: str
    message_schema: dict[str, JsonValue] = Field(description="JSON schema of the message.")
    sample: dict[str, JsonValue] = Field(description="An example of the message.")


class EventTypesOut(Answer):
    results: list[EventTypeOut]


class WebhookIn(Body):
    """Who is to be told."""

    url: Url = Field(description="Begins with https://.")
    description: Annotated[str, Field(max_length=200, pattern=TEXT)] = ""
    types: Types = Field(
        [], description="Event types as GET /event-types has them; none: all there are."
    )
    program: Annotated[str, Field(max_length=64, pattern=TEXT)] | None = Field(
        None, description="Only events of the program with this code."
    )


class WebhookChanges(Body):
    """The fields to change; the others stay."""

    url: Url = ""
    description: Annotated[str, Field(max_length=200, pattern=TEXT)] = ""
    types: Types = []
    program: Annotated[str, Field(max_length=64, pattern=TEXT)] | None = None
    enabled: bool = Field(True, description="False: it is told nothing until it is true again.")


class WebhookOut(Answer):
    id: UUID
    url: str
    description: str
    types: list[str] = Field(description="Empty: all there are.")
    program: str | None
    enabled: bool
    off_why: Literal["", "by_hand", "gone", "failing"] = Field(
        description="Why it is off: by somebody, because it answered 410, or failed for days."
    )
    failing_since: dt.datetime | None = Field(description="Since when nothing has reached it.")
    created_at: dt.datetime


class WebhookMade(WebhookOut):
    secret: str = Field(description="Shown this once.", examples=["whsec_…"])


class WebhookPage(Page):
    results: list[WebhookOut]


class RotationIn(Body):
    overlap_hours: Literal[0, 1, 24, 72, 168] = Field(
        24, description="So long the secret before signs beside the new one."
    )


class SecretOut(Answer):
    secret: str = Field(description="Shown this once.", examples=["whsec_…"])


class ReplayIn(Body):
    since: Instant = Field(description="All that was told since then and has not arrived.")


class AttemptOut(Answer):
    at: dt.datetime
    took_ms: int
    status: int | None = Field(description="Null: no answer came.")
    error: str = Field(description="Why none came.", examples=["timed_out"])
    body: str = Field(description="What the answer began with.")


class DeliveryBrief(Answer):
    id: UUID
    webhook: UUID
    message_id: str = Field(description="The webhook-id; the same for every attempt.")
    type: str
    state: WebhookDelivery.State
    attempts: int
    status: int | None = Field(description="Of the last answer; null: none came.")
    error: str = Field(description="Why none came.")
    next_at: dt.datetime | None = Field(description="When it is sent next.")
    created_at: dt.datetime


class WebhookDeliveryOut(DeliveryBrief):
    message: dict[str, JsonValue] = Field(description="What is told.")
    log: list[AttemptOut]


class DeliveryPage(Page):
    results: list[DeliveryBrief]


class DeliveryQuery(PageQuery):
    webhook: PublicId | None = Field(None, description="Only those to this webhook.")
    type: str = Field("", max_length=64, pattern=TEXT, description="Only of this event type.")
    state: Literal["", "waiting", "delivered", "failed", "canceled"] = ""


def with_secret(told: dict[str, Any]) -> dict[str, Any]:
    """The answer with the secret that it is about; empty once that one has ended."""
    return told | {"secret": secret_with_id(told["secret"])}


class EventTypes(ApiView):
    scopes = {"GET": READ}

    @extend_schema(operation_id="listEventTypes", responses={200: EventTypesOut})
    def get(self, request: Request) -> HttpResponse:
        """List all that webhooks can be told, with schemas and examples."""
        found = [
            EventTypeOut(
                name=kind.name, description=str(kind.sentence),
                message_schema=message_schema(kind), sample=sample_message(kind),
            )
            for kind in told_types()
        ]  # fmt: skip
        return answer(EventTypesOut(results=found))


class Webhooks(ApiView):
    scopes = {"GET": READ, "POST": WRITE}
    for_all_programs = frozenset({"GET", "POST"})

    @extend_schema(
        operation_id="listWebhooks",
        parameters=query_parameters(PageQuery),
        responses={200: WebhookPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List webhooks, the newest first."""
        query = read_query(request, PageQuery)
        found = WebhookEndpoint.objects.select_related("program")
        page = paginate(request, found, query, ordering=["-pk"], row=_webhook_out)
        return answer(WebhookPage(**page))

    @extend_schema(operation_id="createWebhook", request=WebhookIn, responses={201: WebhookMade})
    @idempotent(required=True, told_apart=with_secret)
    def post(self, request: Request) -> HttpResponse:
        """Make a webhook. The answer has its secret, this once."""
        body = read_body(request, WebhookIn)
        made, _secret = create_endpoint(
            url=body.url, description=body.description, types=body.types,
            program=_program(body.program), actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        values = _webhook_out(made).model_dump()
        # What is kept of the answer has no secret in it.
        told = WebhookMade(**values, secret=newest_secret_id(made))
        return answer(told, HTTPStatus.CREATED)


class OneWebhook(ApiView):
    scopes = {"GET": READ, "PATCH": WRITE, "DELETE": WRITE}
    for_all_programs = frozenset({"GET", "PATCH", "DELETE"})

    @extend_schema(operation_id="getWebhook", responses={200: WebhookOut})
    def get(self, request: Request, webhook_id: UUID) -> HttpResponse:
        """Read a webhook."""
        return answer(_webhook_out(get_endpoint(webhook_id)))

    @extend_schema(
        operation_id="changeWebhook", request=WebhookChanges, responses={200: WebhookOut}
    )
    def patch(self, request: Request, webhook_id: UUID) -> HttpResponse:
        """Change a webhook, or switch it off or on."""
        body = read_body(request, WebhookChanges)
        found = get_endpoint(webhook_id)
        sent: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
        enabled = sent.pop("enabled", None)
        if "program" in sent:
            sent["program"] = _program(sent["program"])
        if sent:
            change_endpoint(endpoint=found, actor=self.actor, changes=sent)
        if enabled is True:
            switch_on(endpoint=found, actor=self.actor)
        elif enabled is False:
            switch_off(endpoint=found, actor=self.actor, now=timezone.now())
        return answer(_webhook_out(get_endpoint(webhook_id)))

    @extend_schema(operation_id="deleteWebhook", responses={204: None})
    def delete(self, request: Request, webhook_id: UUID) -> HttpResponse:
        """Delete a webhook, with its secrets and its log."""
        delete_endpoint(endpoint=get_endpoint(webhook_id), actor=self.actor)
        return HttpResponse(status=HTTPStatus.NO_CONTENT)


class WebhookSecretRotation(ApiView):
    scopes = {"POST": WRITE}
    for_all_programs = frozenset({"POST"})

    @extend_schema(
        operation_id="rotateWebhookSecret", request=RotationIn, responses={200: SecretOut}
    )
    @idempotent(required=True, told_apart=with_secret)
    def post(self, request: Request, webhook_id: UUID) -> HttpResponse:
        """Give a webhook another secret. Until the one before ends, both sign."""
        body = read_body(request, RotationIn)
        found = get_endpoint(webhook_id)
        rotate_secret(
            endpoint=found, actor=self.actor, now=timezone.now(), overlap_hours=body.overlap_hours
        )
        return answer(SecretOut(secret=newest_secret_id(found)))


class WebhookPing(ApiView):
    scopes = {"POST": WRITE}
    for_all_programs = frozenset({"POST"})

    @extend_schema(operation_id="pingWebhook", request=None, responses={202: DeliveryBrief})
    @idempotent()
    def post(self, request: Request, webhook_id: UUID) -> HttpResponse:
        """Send a test. It goes out in a moment; read the delivery to see what became of it."""
        made = send_ping(endpoint=get_endpoint(webhook_id), actor=self.actor, now=timezone.now())
        return answer(_brief(get_delivery(made.public_id)), HTTPStatus.ACCEPTED)


class WebhookReplay(ApiView):
    scopes = {"POST": WRITE}
    for_all_programs = frozenset({"POST"})

    @extend_schema(operation_id="replayWebhook", request=ReplayIn, responses={202: JobOut})
    @idempotent()
    def post(self, request: Request, webhook_id: UUID) -> HttpResponse:
        """Send again all that has not arrived since then. A job does it."""
        body = read_body(request, ReplayIn)
        job = start_replay(endpoint=get_endpoint(webhook_id), since=body.since, actor=self.actor)
        queue_job(job)
        return answer(job_out(job), HTTPStatus.ACCEPTED)


class WebhookDeliveries(ApiView):
    scopes = {"GET": READ}
    for_all_programs = frozenset({"GET"})

    @extend_schema(
        operation_id="listWebhookDeliveries",
        parameters=query_parameters(DeliveryQuery),
        responses={200: DeliveryPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List what was sent, or waits to be, the newest first."""
        query = read_query(request, DeliveryQuery)
        endpoint = None
        if query.webhook is not None:
            endpoint = WebhookEndpoint.objects.filter(public_id=query.webhook).first()
            if endpoint is None:
                raise refuse_field("webhook", _("There is no such endpoint."), "unknown_value")
        found = deliveries(Wanted(endpoint, query.type, query.state))
        page = paginate(request, found, query, ordering=["-pk"], row=_brief)
        return answer(DeliveryPage(**page))


class OneWebhookDelivery(ApiView):
    scopes = {"GET": READ}
    for_all_programs = frozenset({"GET"})

    @extend_schema(operation_id="getWebhookDelivery", responses={200: WebhookDeliveryOut})
    def get(self, request: Request, delivery_id: UUID) -> HttpResponse:
        """Read what was sent, every attempt, and what was answered."""
        found = get_delivery(delivery_id)
        log = [
            AttemptOut(**{name: getattr(item, name) for name in AttemptOut.model_fields})
            for item in found.attempts.all()
        ]
        values = _brief(found).model_dump()
        return answer(WebhookDeliveryOut(**values, message=message_of(found.event), log=log))


class WebhookDeliveryReplay(ApiView):
    scopes = {"POST": WRITE}
    for_all_programs = frozenset({"POST"})

    @extend_schema(
        operation_id="replayWebhookDelivery", request=None, responses={202: DeliveryBrief}
    )
    @idempotent()
    def post(self, request: Request, delivery_id: UUID) -> HttpResponse:
        """Send it again, under the same id."""
        replay_delivery(delivery=get_delivery(delivery_id), actor=self.actor, now=timezone.now())
        return answer(_brief(get_delivery(delivery_id)), HTTPStatus.ACCEPTED)


def _program(code: str | None) -> Program | None:
    if code is None:
        return None
    found = Program.objects.filter(code=code).first()
    if found is None:
        raise refuse_field("program", _("There is no such program."), "unknown_value")
    return found


def _webhook_out(found: WebhookEndpoint) -> WebhookOut:
    same = ("url", "description", "types", "enabled", "off_why", "failing_since", "created_at")
    return WebhookOut(
        id=found.public_id, program=found.program.code if found.program else None,
        **{name: getattr(found, name) for name in same},
    )  # fmt: skip


def _brief(found: WebhookDelivery) -> DeliveryBrief:
    same = ("state", "status", "error", "next_at", "created_at")
    return DeliveryBrief(
        id=found.public_id, webhook=found.endpoint.public_id, message_id=message_id(found.event),
        type=found.event.type, attempts=found.requests,  # type: ignore[attr-defined]
        **{name: getattr(found, name) for name in same},
    )  # fmt: skip
