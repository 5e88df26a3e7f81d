"""/me/memberships: in which programs somebody is, by their own token; joining and leaving."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Annotated
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.candidate_outputs import CandidateOut
from loyalty.api.v1.memberships import MembershipOut as JoinedOut
from loyalty.api.v1.memberships import joined_answer, live_program
from loyalty.api.v1.order_bodies import Text64
from loyalty.models import Membership, Wallet
from loyalty.selectors.memberships import list_memberships, named_membership
from loyalty.services.joining import join_program
from loyalty.services.leaving import leave_program
from members.api.bodies import Answer, Body, answer, read_body, refuse_field
from members.api.consent_bodies import ConsentChoice
from members.api.idempotency import idempotent
from members.api.member_views import MEMBER, MemberView
from members.errors import NotFoundError
from members.told_consents import JOIN, ConsentSaid, ConsentsTold, keep_consents


class OwnUnitsOut(Answer):
    """A kind of unit, as its members call it."""

    wallet_type: str
    singular: str
    plural: str
    icon: str
    decimals: int


class OwnMembershipOut(Answer):
    id: UUID
    program: str
    name: str = Field(description="The program's.")
    currency: str
    status: Membership.Status
    card_number: str
    enrolled_at: dt.datetime
    units: list[OwnUnitsOut]


class OwnMembershipList(Answer):
    results: list[OwnMembershipOut]


class JoinIn(Body):
    program: Text64 = Field(description="The program's code.")
    detail: Text64 = Field("", description="Where they came from: a campaign, for example.")
    consents: list[ConsentChoice] = Field(
        [], max_length=50,
        description="What they ticked that they want to be told; nothing is ticked for them.",
    )  # fmt: skip
    wording: Annotated[str, Field(max_length=2000)] = Field(
        "", description="What the boxes said that they ticked, word for word."
    )


class OwnMemberships(MemberView):
    scopes = {"GET": MEMBER, "POST": MEMBER}

    @extend_schema(operation_id="listOwnMemberships", responses={200: OwnMembershipList})
    def get(self, request: Request) -> HttpResponse:
        """List the programs that the customer is in, or was, the longest first."""
        found = list_memberships(self.customer)
        return answer(OwnMembershipList(results=[own_membership_out(item) for item in found]))

    @extend_schema(
        operation_id="joinProgram",
        request=JoinIn,
        responses={200: JoinedOut, 201: JoinedOut, 202: CandidateOut},
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Join a program. Joining again changes nothing and answers 200. 202: its launch does not
        admit them yet, and they wait."""
        body = read_body(request, JoinIn)
        now = timezone.now()
        said = [
            ConsentSaid(item.channel, item.topic, item.wanted, wording=body.wording)
            for item in body.consents
        ]
        with transaction.atomic():
            joined = join_program(
                customer=self.customer, program=live_program(body.program), detail=body.detail,
                source=Membership.Source.LINK, at=now, actor=self.actor,
            )  # fmt: skip
            keep_consents(ConsentsTold(self.customer, said, JOIN, self.actor, now))
        return joined_answer(joined)


class OwnMembership(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="getOwnMembership", responses={200: OwnMembershipOut})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Read a membership."""
        return answer(own_membership_out(own_membership(self, membership_id)))


class OwnMembershipLeaving(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(operation_id="leaveProgram", request=None, responses={200: OwnMembershipOut})
    @idempotent()
    def post(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Leave the program. What is held stays until it expires, and is there again for who joins
        again. Leaving twice changes nothing."""
        member = own_membership(self, membership_id)
        leave_program(membership=member, actor=self.actor, now=timezone.now())
        return answer(own_membership_out(own_membership(self, membership_id)))


def own_membership(view: MemberView, membership_id: UUID) -> Membership:
    """One of the customer's own. Raises NotFoundError for everybody else's."""
    found = named_membership(list_memberships(view.customer), membership_id)
    if found is None:
        raise NotFoundError("This customer has no such membership.")
    return found


def wallet_named(wallets: Iterable[Wallet], code: str) -> Wallet:
    """The one of these with this wallet type. Any other name is refused with those there
    are."""
    known = {wallet.wallet_type.code: wallet for wallet in wallets}
    if code in known:
        return known[code]
    message = _("One of: %(known)s.") % {"known": ", ".join(known) or "–"}
    raise refuse_field("wallet_type", message, "not_found")


def own_membership_out(membership: Membership) -> OwnMembershipOut:
    program = membership.program
    return OwnMembershipOut(
        id=membership.public_id,
        program=program.code,
        name=program.name,
        currency=program.currency,
        status=Membership.Status(membership.status),
        card_number=membership.card_number,
        enrolled_at=membership.enrolled_at,
        units=[
            OwnUnitsOut(
                wallet_type=unit.code, singular=unit.singular, plural=unit.plural,
                icon=unit.icon, decimals=unit.scale,
            )
            for unit in program.wallet_types.order_by("pk")
        ],
    )  # fmt: skip
