"""/customers/{id}/messages: what a customer was told."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.models import Delivery, Message
from campaigns.selectors.messages import messages_of
from members.api.bodies import Answer, answer, read_query
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.selectors.customers import get_customer
from members.selectors.merges import current


class DeliveryOut(Answer):
    """A message by one way."""

    id: UUID
    channel: str = Field(examples=["email", "inbox"])
    device: UUID | None = Field(
        description="Which of their devices it goes to; null: where they are reached."
    )
    state: str = Field(
        description="queued, sending, sent, failed, uncertain (nobody knows whether it went out)"
        " or suppressed (it may not be sent)."
    )
    reason: str = Field(description="Why it waits, failed or was not sent; else empty.")
    subject: str = Field(description="Empty until it was sent.")
    sent_at: dt.datetime | None
    delivered_at: dt.datetime | None = Field(description="As far as the provider tells.")
    read_at: dt.datetime | None = Field(description="In the inbox of their own page.")
    opened_at: dt.datetime | None = Field(
        description="A mail, where opening is counted; it says little."
    )
    clicked_at: dt.datetime | None = Field(
        description="When a link in it was first followed, where that is counted."
    )
    unsubscribed_at: dt.datetime | None = Field(description="By the link that it had.")


class MessageOut(Answer):
    id: UUID
    occasion: str = Field(examples=["order_earned"])
    topic: str = Field(examples=["points"])
    language: str
    membership: UUID | None = Field(description="Which membership it is about.")
    created_at: dt.datetime
    deliveries: list[DeliveryOut]


class MessagePage(Page):
    results: list[MessageOut]


class CustomerMessages(ApiView):
    scopes = {"GET": "messages:read"}

    @extend_schema(
        operation_id="listCustomerMessages",
        parameters=query_parameters(PageQuery),
        responses={200: MessagePage},
    )
    def get(self, request: Request, customer_id: UUID) -> HttpResponse:
        """List what a customer was told, newest first, and what became of it by each way. The text
        itself is not in it, since it may have codes that can be used."""
        query = read_query(request, PageQuery)
        found = messages_of(current(get_customer(customer_id))).select_related("membership")
        page = paginate(request, found, query, ordering=["-created_at", "-pk"], row=_message_out)
        return answer(MessagePage(**page))


def _message_out(message: Message) -> MessageOut:
    return MessageOut(
        id=message.public_id,
        occasion=message.occasion,
        topic=message.topic,
        language=message.locale,
        membership=message.membership.public_id if message.membership else None,
        created_at=message.created_at,
        deliveries=[
            _delivery_out(row) for row in sorted(message.deliveries.all(), key=lambda row: row.pk)
        ],
    )


def _delivery_out(row: Delivery) -> DeliveryOut:
    own = DeliveryOut.model_fields.keys() - {"id"}
    return DeliveryOut(id=row.public_id, **{name: getattr(row, name) for name in own})
