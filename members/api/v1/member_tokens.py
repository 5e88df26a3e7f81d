"""/member-tokens and /tier-badges: what the shop's server gets for its customers' browsers."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from members.api.addresses import CustomerAddress, find_customer
from members.api.bodies import Answer, Body, ExternalId, answer, read_body, refuse_field
from members.api.idempotency import idempotent
from members.api.views import ApiView
from members.models import Customer
from members.selectors.merchants import get_merchant
from members.selectors.merges import current
from members.services.member_tokens import badge_of, issue_member_token, revoke_member_tokens

SCOPE = "member_tokens:write"
Origin = Annotated[
    str, Field(max_length=255, pattern=r"^https?://[a-z0-9.-]{1,200}(:[0-9]{1,5})?$")
]


class MemberTokenIn(Body):
    """For whom, and for how long."""

    customer: CustomerAddress
    minutes: Annotated[int, Field(ge=1, le=60)] = Field(
        15, description="For so long; ask again when it is over."
    )
    origins: tuple[Origin, ...] = Field(
        (),
        max_length=10,
        description="Only pages of these may use it, as `https://shop.example`; each is one of the"
        " shop addresses in Settings. Without it all of these may.",
    )


class MemberTokenOut(Answer):
    token: str = Field(description="For `Authorization: Bearer` at `/me/…`, and nowhere else.")
    expires_at: dt.datetime
    customer: UUID


class TokensRevoke(Body):
    customer: CustomerAddress


class TokensRevoked(Answer):
    customer: UUID
    revoked_at: dt.datetime = Field(description="What was issued before is void.")


class BadgesIn(Body):
    customers: tuple[ExternalId, ...] = Field(
        min_length=1, max_length=100, description="By your own numbers."
    )


class BadgeOut(Answer):
    customer: str
    badge: str | None = Field(
        description="To be put beside what they wrote; always the same. Null: we do not know them."
    )


class BadgesOut(Answer):
    results: list[BadgeOut]


class MemberTokens(ApiView):
    scopes = {"POST": SCOPE}

    @extend_schema(
        operation_id="issueMemberToken", request=MemberTokenIn, responses={201: MemberTokenOut}
    )
    def post(self, request: Request) -> HttpResponse:
        """Issue a token with which one customer's browser sees and uses what is theirs, by what is
        below `/me`. Nothing is written: ask for one whenever a page needs it."""
        body = read_body(request, MemberTokenIn)
        known = get_merchant().shop_origins
        if unknown := [origin for origin in body.origins if origin not in known]:
            message = _("%s is not among the shop's addresses.") % unknown[0]
            raise refuse_field("origins", message, "unknown_origin")
        customer = current(find_customer(body.customer))
        issued = issue_member_token(
            customer=customer, api_key=self.api_key, origins=body.origins, now=timezone.now(),
            lifetime=dt.timedelta(minutes=body.minutes),
        )  # fmt: skip
        told = MemberTokenOut(
            token=issued.token, expires_at=issued.expires_at, customer=customer.public_id
        )
        return answer(told, HTTPStatus.CREATED)


class MemberTokensRevocation(ApiView):
    scopes = {"POST": SCOPE}

    @extend_schema(
        operation_id="revokeMemberTokens", request=TokensRevoke, responses={200: TokensRevoked}
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Call back all tokens of a customer: they signed out everywhere, or lost a device. All
        that one API key issued are void when it is revoked."""
        body, now = read_body(request, TokensRevoke), timezone.now()
        customer = current(find_customer(body.customer))
        revoke_member_tokens(customer=customer, actor=self.actor, now=now)
        return answer(TokensRevoked(customer=customer.public_id, revoked_at=now))


class TierBadges(ApiView):
    scopes = {"POST": SCOPE}

    @extend_schema(operation_id="makeTierBadges", request=BadgesIn, responses={200: BadgesOut})
    def post(self, request: Request) -> HttpResponse:
        """Get what shows the tiers of customers beside their reviews. A badge may stand in a page
        for good: it says nothing but the tier, and nobody can make one for somebody else."""
        body = read_body(request, BadgesIn)
        people = Customer.objects.filter(external_id__in=set(body.customers))
        known = {str(customer.external_id): badge_of(customer) for customer in people}
        rows = [BadgeOut(customer=number, badge=known.get(number)) for number in body.customers]
        return answer(BadgesOut(results=rows))
