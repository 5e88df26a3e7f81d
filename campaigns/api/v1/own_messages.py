"""/me/messages and /me/consents: what a member was told, and wants to be told."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from campaigns.api.v1.consents import ConsentOut, consents_of
from campaigns.models import BlockedAddress, ConsentChange, ContactPreference, Delivery
from campaigns.selectors.consents import all_choices_of, blocked_ways
from campaigns.selectors.inbox import inbox_of, unread_of
from campaigns.services.blocked_addresses import unblock_way
from campaigns.services.consents import choose_time_zone, set_consents
from campaigns.services.inbox import mark_all_read, mark_read
from members.api.bodies import TEXT, Answer, Body, answer, read_body, read_query
from members.api.consent_bodies import Code, ConsentChoice
from members.api.idempotency import idempotent
from members.api.member_views import MEMBER, MemberView
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.errors import DomainError, NotFoundError
from members.models import Customer


class OwnMessageOut(Answer):
    id: UUID
    occasion: str = Field(examples=["order_earned"])
    subject: str
    text: str
    link: str = Field(description="Where it leads; or empty.")
    sent_at: dt.datetime
    read_at: dt.datetime | None


class OwnMessagePage(Page):
    results: list[OwnMessageOut]


class UnreadOut(Answer):
    unread: int


class OwnConsentsIn(Body):
    """What is to be different; what is left out stays."""

    consents: list[ConsentChoice] = Field([], max_length=50)
    time_zone: Annotated[str, Field(max_length=64, pattern=TEXT)] | None = Field(
        None, description="Empty: as we guess it."
    )


class BlockedOut(Answer):
    """A way by which nothing is sent any more: the address gave a mail back for good, or reported
    one as spam."""

    channel: str
    reason: BlockedAddress.Reason
    since: dt.datetime


class UnblockIn(Body):
    channel: Code = Field(examples=["email"])


class OwnConsentsOut(Answer):
    consents: list[ConsentOut]
    blocked: list[BlockedOut] = Field(description="`POST /me/consents/unblock` tries it again.")
    time_zone: str = Field(description="The one that was chosen; empty: it is guessed.")


class OwnMessages(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(
        operation_id="listOwnMessages",
        parameters=query_parameters(PageQuery),
        responses={200: OwnMessagePage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List what is in the inbox, newest first. Nothing is marked as read."""
        query = read_query(request, PageQuery)
        found = inbox_of(self.customer)
        return answer(
            OwnMessagePage(**paginate(request, found, query, ordering=["-pk"], row=_message))
        )


class OwnUnread(MemberView):
    scopes = {"GET": MEMBER, "POST": MEMBER}

    @extend_schema(operation_id="countUnread", responses={200: UnreadOut})
    def get(self, request: Request) -> HttpResponse:
        """Say how many messages are unread."""
        return answer(UnreadOut(unread=unread_of(self.customer)))

    @extend_schema(operation_id="readAllMessages", request=None, responses={200: UnreadOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Mark all of them as read."""
        mark_all_read(customer=self.customer, now=timezone.now())
        return answer(UnreadOut(unread=unread_of(self.customer)))


class OwnMessageReading(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(operation_id="readMessage", request=None, responses={200: OwnMessageOut})
    @idempotent()
    def post(self, request: Request, message_id: UUID) -> HttpResponse:
        """Mark one as read. Again changes nothing."""
        found = inbox_of(self.customer).filter(public_id=message_id).first()
        if found is None:
            raise NotFoundError("This customer was not told that.")
        mark_read(delivery=found, now=timezone.now())
        return answer(_message(inbox_of(self.customer).get(pk=found.pk)))


class OwnConsents(MemberView):
    scopes = {"GET": MEMBER, "PATCH": MEMBER}

    @extend_schema(operation_id="getOwnConsents", responses={200: OwnConsentsOut})
    def get(self, request: Request) -> HttpResponse:
        """Read what the customer wants to be told, by each way. What belongs to orders and rewards
        is always told."""
        return answer(_consents(self.customer))

    @extend_schema(
        operation_id="changeOwnConsents", request=OwnConsentsIn, responses={200: OwnConsentsOut}
    )
    def patch(self, request: Request) -> HttpResponse:
        """Say yes or no. Where the merchant wants a yes confirmed, it counts once the mail that
        follows was opened."""
        body = read_body(request, OwnConsentsIn)
        try:
            set_consents(
                customer=self.customer,
                wanted={(item.channel, item.topic): item.wanted for item in body.consents},
                source=ConsentChange.Source.ACCOUNT.value, actor=self.actor, now=timezone.now(),
            )  # fmt: skip
        except DomainError as error:
            error.place_fields("consents")
            raise
        if body.time_zone is not None:
            choose_time_zone(customer=self.customer, time_zone=body.time_zone, actor=self.actor)
        return answer(_consents(self.customer))


class OwnUnblocking(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(
        operation_id="unblockOwnAddress", request=UnblockIn, responses={200: OwnConsentsOut}
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Say that the address works after all: it is written to again. Again changes nothing."""
        body = read_body(request, UnblockIn)
        unblock_way(customer=self.customer, channel=body.channel, actor=self.actor)
        return answer(_consents(self.customer))


def _consents(customer: Customer) -> OwnConsentsOut:
    chosen = ContactPreference.objects.filter(customer=customer).first()
    blocked = blocked_ways(customer, all_choices_of(customer))
    return OwnConsentsOut(
        consents=consents_of(customer), time_zone=chosen.time_zone if chosen else "",
        blocked=[
            BlockedOut(channel=key, reason=BlockedAddress.Reason(row.reason), since=row.since)
            for key, row in blocked.items()
        ],
    )  # fmt: skip


def _message(row: Delivery) -> OwnMessageOut:
    assert row.sent_at is not None
    return OwnMessageOut(
        id=row.public_id, occasion=row.message.occasion, subject=row.subject, text=row.text,
        link=row.message.values.get("link", ""), sent_at=row.sent_at, read_at=row.read_at,
    )  # fmt: skip
