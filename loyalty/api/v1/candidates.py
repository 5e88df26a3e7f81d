"""/candidates: who was invited or waits, and is no member yet; /till/memberships: joining there."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.candidate_outputs import CandidateOut, candidate_out
from loyalty.api.v1.memberships import MembershipOut, joined_answer, live_program
from loyalty.api.v1.order_bodies import Text64, Text100
from loyalty.models import Candidate
from loyalty.selectors.candidates import candidates
from loyalty.services.invitations import invite_customer
from loyalty.services.newcomers import enroll_at_till
from members.api.addresses import CustomerAddress, find_customer
from members.api.bodies import (
    Body,
    Email,
    Phone,
    answer,
    read_body,
    read_query,
    refuse_field,
)
from members.api.consent_bodies import ConsentIn, said_in
from members.api.idempotency import idempotent
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.selectors.merges import current

ProgramCode = Annotated[str, Field(max_length=64, pattern=r"^[a-z0-9][a-z0-9-]*$")]
CardNumber = Annotated[str, Field(max_length=32, pattern=r"^[0-9A-Za-z-]*$")]


class CandidatePage(Page):
    results: list[CandidateOut]


class CandidateQuery(PageQuery):
    program: str = Field("", max_length=64, description="Only those of the program with this code.")
    state: Candidate.State | None = Field(None, description="Only those in this state.")


class InvitationIn(Body):
    program: ProgramCode = Field(description="The program's code.")
    customer: CustomerAddress
    detail: Text64 = Field("", description="Kept with the source: the campaign, for example.")


class TillIn(Body):
    """Whoever stands at the till; a phone number or an e-mail address at least."""

    program: ProgramCode = Field(description="The program's code.")
    phone: Phone = ""
    email: Email = ""
    given_name: Text100 = ""
    family_name: Text100 = ""
    card_number: CardNumber = Field(
        "", description="Of a printed card that is handed out; without it there is a new number."
    )
    store: Text64 = Field("", description="Kept with the source.")
    referral_code: Text64 = Field("", description="The code of the friend who brought them.")
    consents: list[ConsentIn] = Field(
        [], max_length=50, description="What they want to be told; nothing is ticked for them."
    )


class Candidates(ApiView):
    scopes = {"GET": "memberships:read"}

    @extend_schema(
        operation_id="listCandidates",
        parameters=query_parameters(CandidateQuery),
        responses={200: CandidatePage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List who was invited or waits, newest first; who joined or declined stays listed."""
        query = read_query(request, CandidateQuery)
        found = candidates()
        if query.program:
            found = found.filter(program__code=query.program.replace("\x00", "\n"))
        if query.state:
            found = found.filter(state=query.state)
        page = paginate(request, found, query, ordering=["-pk"], row=candidate_out)
        return answer(CandidatePage(**page))


class Invitations(ApiView):
    scopes = {"POST": "memberships:write"}

    @extend_schema(operation_id="invite", request=InvitationIn, responses={201: CandidateOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Invite a customer by mail. A new invitation makes the link of the former one useless."""
        body = read_body(request, InvitationIn)
        candidate = invite_customer(
            customer=current(find_customer(body.customer)),
            program=live_program(body.program),
            detail=body.detail,
            actor=self.actor,
            now=timezone.now(),
        )
        return answer(candidate_out(candidate), HTTPStatus.CREATED)


class TillMemberships(ApiView):
    scopes = {"POST": "memberships:write"}

    @extend_schema(
        operation_id="enrollAtTill",
        request=TillIn,
        responses={200: MembershipOut, 201: MembershipOut, 202: CandidateOut},
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Enroll whoever stands at the till: the customer with this phone or address, made now if
        there is none. Members keep their card and answer 200. 202: the launch does not admit them
        yet, and they wait."""
        body = read_body(request, TillIn)
        if not body.phone and not body.email:
            raise refuse_field("phone", _("Give a phone number or an e-mail address."), "required")
        joined = enroll_at_till(
            program=live_program(body.program),
            details=body.model_dump(include={"phone", "email", "given_name", "family_name"}),
            card_number=body.card_number,
            store=body.store,
            referral_code=body.referral_code,
            said=said_in(body.consents),
            actor=self.actor,
            at=timezone.now(),
        )
        return joined_answer(joined)
