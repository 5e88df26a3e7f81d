"""/referrals: who came by whom, codes of friends, and looking at what something speaks against."""

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

from campaigns.models import Referral
from campaigns.referral_definitions import definition_of
from campaigns.referral_words import promise_sentences, told_referrals
from campaigns.selectors.referral_results import results_of
from campaigns.selectors.referrals import (
    advocate_of,
    brings,
    get_referral,
    live_terms,
    referrals,
)
from campaigns.services.referral_links import address_of, find_link, link_named
from campaigns.services.referral_reviews import approve_referral, refuse_referral
from campaigns.services.referrals import bring_friend
from loyalty.api.v1.memberships import live_program
from loyalty.models import Program
from loyalty.plain_numbers import exact, whole
from members.api.addresses import CustomerAddress, find_customer
from members.api.bodies import TEXT, Answer, Body, answer, read_body, read_query
from members.api.idempotency import idempotent
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.errors import NotFoundError
from members.selectors.merges import current

Text64 = Annotated[str, Field(max_length=64, pattern=TEXT)]
Trace = Annotated[str, Field(max_length=300, pattern=TEXT)]


class ReferralQuery(PageQuery):
    program: Text64 = ""
    status: Referral.Status | None = None


class FriendTracesIn(Body):
    """By what the friend may be known as somebody else. Only hashes of it are kept."""

    device: Trace = Field("", description="What your shop knows a device by.")
    network: Trace = Field("", description="The address on the network.")
    payment: Trace = Field("", description="The fingerprint of a card or an account.")
    address: Trace = Field("", description="The postal address.")


class ReferralIn(Body):
    program: Text64 = Field(description="The program's code.")
    code: Text64 = Field(description="The code of who brought them.")
    customer: CustomerAddress = Field(description="The friend.")
    traces: FriendTracesIn = FriendTracesIn()


class ReferralPaymentOut(Answer):
    side: Literal["advocate", "friend", "affiliate"]
    order: str | None = Field(
        description="Number of the further purchase that it is a share of; null: it is for "
        "the first one."
    )
    units: str | None = Field(description="Null: it was a reward, or money.")
    units_back: str | None = Field(description="Of the units: how many were taken back.")
    missed: str = Field(
        description="Why nothing was given when it was due, as a code; empty: it was given."
    )
    wallet_type: str | None
    redemption: UUID | None
    money: str = Field(description="What it cost, less what went back.")
    paid_at: dt.datetime


class ReferralOut(Answer):
    id: UUID
    program: str
    code: str
    advocate: UUID | None = Field(description="The membership; null: an affiliate brought them.")
    affiliate: str = Field(description="Their name; or empty.")
    friend: UUID = Field(description="The customer.")
    via: Referral.Via
    status: Referral.Status
    reasons: list[str] = Field(description="Why it is in review.")
    refusal: str = Field(description="Why it brings nothing, as a code; or empty.")
    came_at: dt.datetime
    joined_at: dt.datetime | None
    bought_at: dt.datetime | None
    due_at: dt.datetime | None = Field(description="When it can be paid, or lapses.")
    closed_at: dt.datetime | None
    payments: list[ReferralPaymentOut]


class ReferralPage(Page):
    results: list[ReferralOut]


class ReferralDecisionIn(Body):
    note: Annotated[str, Field(min_length=1, max_length=500, pattern=TEXT)] = Field(
        description="Why."
    )


class ReferralCodeOut(Answer):
    """Whose code it is, and what a friend gets who comes by it."""

    code: str
    program: str
    url: str
    open: bool = Field(description="Whether somebody can come by it now.")
    name: str = Field(description="The first name of who has it; or empty.")
    title: str
    text: str


class ReferralMonthOut(Answer):
    month: dt.date = Field(description="Its first day.")
    invited: int
    joined: int
    bought: int
    paid: int
    cost: str


class ReferralResultOut(Answer):
    invited: int = Field(description="Visitors of links, each once a day.")
    joined: int
    bought: int
    paid: int
    further: int = Field(description="Further purchases of friends that something was given for.")
    in_review: int
    refused: int
    cost: str = Field(description="Of first and further purchases, less what came back.")
    currency: str
    sentences: list[str] = Field(description="What is promised now, in words.")
    months: list[ReferralMonthOut]


class Referrals(ApiView):
    scopes = {"GET": "referrals:read", "POST": "referrals:write"}

    @extend_schema(
        operation_id="listReferrals",
        parameters=query_parameters(ReferralQuery),
        responses={200: ReferralPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List referrals, newest first."""
        query = read_query(request, ReferralQuery)
        rows = referrals()
        if query.program:
            rows = rows.filter(program__code=query.program)
        if query.status:
            rows = rows.filter(status=query.status)
        page = paginate(request, rows, query, ordering=["-pk"], row=referral_out)
        return answer(ReferralPage(**page))

    @extend_schema(
        operation_id="bringFriend",
        request=ReferralIn,
        responses={200: ReferralOut, 201: ReferralOut},
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Say that a customer came by a friend's code, as they join or with what they buy. The same
        again answers 200. 409: they came by another code, or nobody comes by this one now."""
        body = read_body(request, ReferralIn)
        program = live_program(body.program)
        found, known = bring_friend(
            link=link_named(body.code, program), friend=current(find_customer(body.customer)),
            via=Referral.Via.API, now=timezone.now(), actor=self.actor,
            traces=body.traces.model_dump(),
        )  # fmt: skip
        status = HTTPStatus.OK if known else HTTPStatus.CREATED
        return answer(referral_out(get_referral(found.public_id)), status)


class OneReferral(ApiView):
    scopes = {"GET": "referrals:read"}

    @extend_schema(operation_id="getReferral", responses={200: ReferralOut})
    def get(self, request: Request, referral_id: UUID) -> HttpResponse:
        """Read a referral."""
        return answer(referral_out(get_referral(referral_id)))


class ReferralApproval(ApiView):
    scopes = {"POST": "referrals:review"}

    @extend_schema(
        operation_id="approveReferral", request=ReferralDecisionIn, responses={200: ReferralOut}
    )
    @idempotent()
    def post(self, request: Request, referral_id: UUID) -> HttpResponse:
        """Let one pass that is in review; what is due is paid. Where that is not possible, as when
        the budget is used up, it stays in review with that reason."""
        body, found = read_body(request, ReferralDecisionIn), get_referral(referral_id)
        approve_referral(referral=found, note=body.note, actor=self.actor, now=timezone.now())
        return answer(referral_out(get_referral(referral_id)))


class ReferralRefusal(ApiView):
    scopes = {"POST": "referrals:review"}

    @extend_schema(
        operation_id="refuseReferral", request=ReferralDecisionIn, responses={200: ReferralOut}
    )
    @idempotent()
    def post(self, request: Request, referral_id: UUID) -> HttpResponse:
        """Refuse one that is not paid. It brings nothing then."""
        body, found = read_body(request, ReferralDecisionIn), get_referral(referral_id)
        refuse_referral(referral=found, note=body.note, actor=self.actor, now=timezone.now())
        return answer(referral_out(get_referral(referral_id)))


class ReferralCode(ApiView):
    scopes = {"GET": "referrals:read"}

    @extend_schema(operation_id="getReferralCode", responses={200: ReferralCodeOut})
    def get(self, request: Request, code: str) -> HttpResponse:
        """Read whose code this is, however it was typed."""
        link = find_link(code)
        if link is None:
            raise NotFoundError("There is no such code.")
        program = link.referral_program.program
        terms = live_terms(program)
        told = told_referrals(definition_of(terms), program) if terms else None
        advocate = advocate_of(link)
        return answer(
            ReferralCodeOut(
                code=link.code, program=program.code, url=address_of(link),
                open=terms is not None and brings(link),
                name=advocate.customer.given_name if advocate else str(link.affiliate),
                title=told.friend_title if told else "", text=told.friend_text if told else "",
            )
        )  # fmt: skip


class ReferralResults(ApiView):
    scopes = {"GET": "referrals:read"}

    @extend_schema(operation_id="getReferralResults", responses={200: ReferralResultOut})
    def get(self, request: Request, code: str) -> HttpResponse:
        """Read what bringing friends brings to a program, in all and by month."""
        program = Program.objects.filter(code=code).first()
        if program is None:
            raise NotFoundError("There is no such program.")
        found, terms = results_of(program), live_terms(program)
        names = ("invited", "joined", "bought", "paid", "further", "in_review", "refused")
        return answer(
            ReferralResultOut(
                **{name: getattr(found, name) for name in names}, cost=exact(found.cost, 2),
                currency=program.currency,
                sentences=promise_sentences(definition_of(terms), program) if terms else [],
                months=[
                    ReferralMonthOut(month=item.first, invited=item.invited, joined=item.joined,
                             bought=item.bought, paid=item.paid, cost=exact(item.cost, 2))
                    for item in found.months
                ],
            )
        )  # fmt: skip


def referral_out(referral: Referral) -> ReferralOut:
    advocate = advocate_of(referral.link)
    names = ("reasons", "refusal", "came_at", "joined_at", "bought_at", "due_at", "closed_at")
    return ReferralOut(
        id=referral.public_id, program=referral.program.code, code=referral.link.code,
        advocate=advocate.public_id if advocate else None,
        affiliate=referral.link.affiliate.name if referral.link.affiliate else "",
        friend=current(referral.friend).public_id, via=Referral.Via(referral.via),
        status=Referral.Status(referral.status),
        payments=[
            ReferralPaymentOut(
                side=payment.side, paid_at=payment.paid_at, missed=payment.missed,
                order=payment.order.external_id if payment.order else None,
                units_back=exact(whole(payment.units_back, payment.wallet_type), 0)
                if payment.wallet_type else None,
                units=exact(whole(payment.units, payment.wallet_type), 0)
                if payment.wallet_type else None,
                wallet_type=payment.wallet_type.code if payment.wallet_type else None,
                redemption=payment.redemption.public_id if payment.redemption else None,
                money=exact(payment.money - payment.money_back, 2),
            )
            for payment in referral.payments.all()
        ],
        **{name: getattr(referral, name) for name in names},
    )  # fmt: skip
