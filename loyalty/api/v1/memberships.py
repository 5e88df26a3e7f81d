"""/memberships: who takes part in which program, what they hold and how it came about."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.candidate_outputs import CandidateOut, candidate_out
from loyalty.api.v1.order_bodies import Text64
from loyalty.api.v1.transfers import TransferPage, listed_transfers, transfer_out
from loyalty.join_codes import JoinCode, use_join_code
from loyalty.models import Membership, Program, Transfer
from loyalty.selectors.memberships import get_membership, memberships, wallet_ids, with_card
from loyalty.selectors.program_times import program_state
from loyalty.services.joining import Joined, join_program
from members.api.addresses import CustomerAddress, find_customer
from members.api.bodies import (
    Answer,
    Body,
    PublicId,
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
from members.models import Customer
from members.selectors.merges import current, current_ids
from members.told_consents import API, ConsentsTold, keep_consents


class MembershipIn(Body):
    program: Annotated[str, Field(max_length=64, pattern=r"^[a-z0-9][a-z0-9-]*$")] = Field(
        description="The program's code."
    )
    customer: CustomerAddress
    detail: Text64 = Field("", description="Kept with the source: a campaign, for example.")
    referral_code: Text64 = Field("", description="The code of the friend who brought them.")
    consents: list[ConsentIn] = Field(
        [], max_length=50, description="What they want to be told; nothing is ticked for them."
    )


class MemberOut(Answer):
    """Whose it is."""

    id: UUID
    external_id: str | None


class MembershipOut(Answer):
    id: UUID
    program: str
    customer: MemberOut
    status: Membership.Status
    merged_into: UUID | None = Field(
        description="The membership that took over what this one held, when customers were merged."
    )
    card_number: str
    enrolled_at: dt.datetime
    source: Membership.Source
    source_detail: str = Field(description="More about it: the campaign of a link, a store.")


class MembershipPage(Page):
    results: list[MembershipOut]


class MembershipQuery(PageQuery):
    customer: PublicId | None = Field(
        None, description="Only those of this customer, or of whom it was merged into."
    )
    program: str = Field("", max_length=64, description="Only those in the program with this code.")
    card_number: str = Field(
        "",
        max_length=32,
        description="Only the one that this card leads to, also a card from before a merge.",
    )


class TransferQuery(PageQuery):
    wallet_type: str = Field("", max_length=64, description="Only movements of these units.")


class Memberships(ApiView):
    scopes = {"GET": "memberships:read", "POST": "memberships:write"}

    @extend_schema(
        operation_id="listMemberships",
        parameters=query_parameters(MembershipQuery),
        responses={200: MembershipPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List memberships, newest first. Those of merged duplicates are left out: what they held
        is in the membership that took over."""
        query = read_query(request, MembershipQuery)
        found = memberships().filter(merged_into=None)
        if query.customer:
            people = current_ids(Customer.objects.filter(public_id=query.customer))
            found = found.filter(customer__in=people)
        if query.program:
            found = found.filter(program__code=query.program.replace("\x00", "\n"))
        if query.card_number:
            found = found.filter(pk__in=with_card(query.card_number.replace("\x00", "\n")))
        page = paginate(request, found, query, ordering=["-pk"], row=membership_out)
        return answer(MembershipPage(**page))

    @extend_schema(
        operation_id="enroll",
        request=MembershipIn,
        responses={200: MembershipOut, 201: MembershipOut, 202: CandidateOut},
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Enroll a customer in a program. Enrolling again changes nothing and answers 200. 202:
        the program's launch does not admit them yet, and they wait."""
        body = read_body(request, MembershipIn)
        customer, program = current(find_customer(body.customer)), live_program(body.program)
        now = timezone.now()
        with transaction.atomic():
            joined = join_program(
                customer=customer,
                program=program,
                source=Membership.Source.API,
                detail=body.detail,
                chosen=False,
                at=now,
                actor=self.actor,
            )
            if body.referral_code.strip():
                use_join_code(
                    JoinCode(program, customer, body.referral_code, "api", now, self.actor)
                )
            keep_consents(ConsentsTold(customer, said_in(body.consents), API, self.actor, now))
        return joined_answer(joined)


class OneMembership(ApiView):
    scopes = {"GET": "memberships:read"}

    @extend_schema(operation_id="getMembership", responses={200: MembershipOut})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Read a membership."""
        return answer(membership_out(get_membership(membership_id)))


class MembershipTransfers(ApiView):
    scopes = {"GET": "transfers:read"}

    @extend_schema(
        operation_id="listTransfers",
        parameters=query_parameters(TransferQuery),
        responses={200: TransferPage},
    )
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List a member's movements with their explanations, newest business time first."""
        query = read_query(request, TransferQuery)
        membership = get_membership(membership_id)
        found = listed_transfers().filter(wallet__in=wallet_ids([membership]))
        if query.wallet_type:
            found = found.filter(wallet_type__code=query.wallet_type.replace("\x00", "\n"))

        def row(transfer: Transfer) -> object:
            return transfer_out(transfer, membership)

        page = paginate(request, found, query, ordering=["-occurred_at", "-pk"], row=row)
        return answer(TransferPage(**page))


def membership_out(membership: Membership) -> MembershipOut:
    return MembershipOut(
        id=membership.public_id,
        program=membership.program.code,
        customer=MemberOut(
            id=membership.customer.public_id, external_id=membership.customer.external_id
        ),
        status=Membership.Status(membership.status),
        merged_into=membership.merged_into.public_id if membership.merged_into else None,
        card_number=membership.card_number,
        enrolled_at=membership.enrolled_at,
        source=Membership.Source(membership.source),
        source_detail=membership.source_detail,
    )


def joined_answer(joined: Joined) -> HttpResponse:
    """What became of the wish to join."""
    if joined.membership is None:
        assert joined.candidate is not None
        return answer(candidate_out(joined.candidate), HTTPStatus.ACCEPTED)
    status = HTTPStatus.CREATED if joined.new else HTTPStatus.OK
    return answer(membership_out(joined.membership), status)


def live_program(code: str) -> Program:
    """The program that a body names."""
    program = Program.objects.filter(code=code).first()
    if program is None:
        raise refuse_field("program", _("There is no such program."), "not_found")
    if program.status != Program.Status.LIVE:
        raise refuse_field("program", _("This program is not live."), "not_live")
    if program_state(program, timezone.now()).is_over:
        raise refuse_field("program", _("This program ends: nobody joins it."), "ending")
    return program
