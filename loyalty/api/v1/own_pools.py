"""/me/memberships/{id}/pool: the household or company that a member shares units with."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import UnitsAboveZero, parse_units
from loyalty.api.v1.company_bodies import Note, SpendRequestOut, request_out
from loyalty.api.v1.own_balances import OwnTransferOut, own_transfer_out
from loyalty.api.v1.own_memberships import own_membership
from loyalty.api.v1.pools import PoolBalanceOut, pool_balance_out
from loyalty.api.v1.transfers import ledger_key
from loyalty.models import Membership, Pool, PoolMember, SpendRequest, Transfer, WalletType
from loyalty.selectors.companies import company_of, requests_seen_by, spend_requests
from loyalty.selectors.pools import current_members, place_of, pool_balances
from loyalty.selectors.transfers import movements_of
from loyalty.services.pool_leaving import leave_pool
from loyalty.services.pool_moves import put_into_pool, take_from_pool
from loyalty.services.pools import change_pool_member
from loyalty.services.spend_requests import (
    approve_spending,
    ask_to_spend,
    reject_spending,
    why_not_to_decide,
    withdraw_spending,
)
from members.api.bodies import TEXT, Answer, Body, answer, read_body, refuse_field
from members.api.idempotency import idempotent
from members.api.member_views import MEMBER, MemberView
from members.errors import NotFoundError

SOURCE = Transfer.Source.ACCOUNT.value
MOST_REQUESTS = 50
Code = Annotated[str, Field(max_length=64, pattern=TEXT)]


class OwnPoolMateOut(Answer):
    """Somebody in the pool, as the others read it: by the given name alone."""

    name: str
    role: str
    is_you: bool


class OwnPoolOut(Answer):
    id: UUID
    kind: Pool.Kind
    name: str
    joined_at: dt.datetime
    contributes: bool = Field(description="Whether what the member earns is shared.")
    may_spend: bool
    balances: list[PoolBalanceOut]
    members: list[OwnPoolMateOut]
    requests: list[SpendRequestOut] = Field(
        description="Of a company: what the member asked for, and what waits for them to decide."
    )


class PoolLeftOut(Answer):
    left: UUID = Field(description="The pool that the member was in.")


class PoolSharingIn(Body):
    contributes: bool = Field(description="Whether what is earned from now on is shared.")


class OwnPoolMoveIn(Body):
    direction: Literal["in", "out"]
    wallet_type: Code = "points"
    units: UnitsAboveZero


class OwnSpendIn(Body):
    wallet_type: Code = "points"
    units: UnitsAboveZero
    note: Note = Field(description="What for; approvers read it.")


class OwnDecisionIn(Body):
    decision: Literal["approve", "reject"]
    note: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] = Field(
        "", description="For whoever asked; to say no it is needed."
    )


class OwnPool(MemberView):
    scopes = {"GET": MEMBER, "PATCH": MEMBER}

    @extend_schema(operation_id="getOwnPool", responses={200: OwnPoolOut})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Read the pool that the member is in, with what it holds. 404: they are in none."""
        return answer(_out(_place(self, membership_id)))

    @extend_schema(operation_id="shareOwn", request=PoolSharingIn, responses={200: OwnPoolOut})
    def patch(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Say whether what is earned goes into the pool."""
        place, body = _place(self, membership_id), read_body(request, PoolSharingIn)
        changes = {"contributes": body.contributes}
        change_pool_member(member=place, changes=changes, actor=self.actor)
        return answer(_out(_place(self, membership_id)))


class OwnPoolMoves(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(
        operation_id="moveInOwnPool", request=OwnPoolMoveIn, responses={201: OwnTransferOut}
    )
    @idempotent(required=True)
    def post(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Put units into the pool, or take some out, as far as the member may."""
        place, body = _place(self, membership_id), read_body(request, OwnPoolMoveIn)
        kind, act = _units(place, body.wallet_type), put_into_pool
        if body.direction == "out":
            act = take_from_pool
        made, _replayed = act(
            member=place, wallet_type=kind, units=parse_units(body.units, kind),
            actor=self.actor, key=ledger_key(self, request), source=SOURCE, now=timezone.now(),
        )  # fmt: skip
        # The member's side of it: what left their wallet, or what came into it.
        own = movements_of([place.membership]).filter(Q(pk=made.pk) | Q(pair=made.pk))
        return answer(own_transfer_out(own[0]), HTTPStatus.CREATED)


class OwnPoolLeaving(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(operation_id="leaveOwnPool", request=None, responses={200: PoolLeftOut})
    @idempotent()
    def post(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Leave the pool, with what is the member's by its rules."""
        place = _place(self, membership_id)
        leave_pool(member=place, actor=self.actor, source=SOURCE, now=timezone.now())
        return answer(PoolLeftOut(left=place.pool.public_id))


class OwnSpendRequests(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(
        operation_id="askOwnCompany", request=OwnSpendIn, responses={201: SpendRequestOut}
    )
    @idempotent(required=True)
    def post(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Ask the company's approvers for more than the member may spend by themselves."""
        place, body = _place(self, membership_id), read_body(request, OwnSpendIn)
        if company_of(place.pool) is None or place.spends_freely:
            raise NotFoundError("Only buyers of a company ask.")
        kind = _units(place, body.wallet_type)
        asked, _again = ask_to_spend(
            member=place, wallet_type=kind, units=parse_units(body.units, kind), note=body.note,
            key=ledger_key(self, request), source=SOURCE, actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        return answer(request_out(asked), HTTPStatus.CREATED)


class OwnSpendDecision(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(
        operation_id="decideOwnCompany", request=OwnDecisionIn, responses={200: SpendRequestOut}
    )
    @idempotent(required=True)
    def post(self, request: Request, membership_id: UUID, request_id: UUID) -> HttpResponse:
        """Decide what somebody else asked for. Approved, the units are redeemed at once."""
        place, body = _place(self, membership_id), read_body(request, OwnDecisionIn)
        asked = _request(place, request_id)
        if why_not_to_decide(asked, place):
            raise NotFoundError("Somebody else decides this.")
        if body.decision == "approve":
            approve_spending(
                request=asked, approver=place, actor=self.actor, now=timezone.now(), note=body.note
            )
        else:
            reject_spending(
                request=asked, approver=place, actor=self.actor, now=timezone.now(), note=body.note
            )
        return answer(request_out(_request(place, request_id)))


class OwnSpendWithdrawal(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(operation_id="withdrawOwn", request=None, responses={200: SpendRequestOut})
    @idempotent()
    def post(self, request: Request, membership_id: UUID, request_id: UUID) -> HttpResponse:
        """Take back what one has asked for."""
        place = _place(self, membership_id)
        asked = _request(place, request_id)
        withdraw_spending(request=asked, member=place, actor=self.actor, now=timezone.now())
        return answer(request_out(_request(place, request_id)))


def _place(view: MemberView, membership_id: UUID) -> PoolMember:
    place = place_of(own_membership(view, membership_id))
    if place is None:
        raise NotFoundError("This member is in no pool.")
    return place


def _request(place: PoolMember, request_id: UUID) -> SpendRequest:
    """One that the member may see: their own, or one that they could decide."""
    found = spend_requests().filter(company__pool=place.pool_id, public_id=request_id).first()
    if found is None or not (found.asked_by_id == place.pk or place.decides):
        raise NotFoundError("There is no such request.")
    return found


def _units(place: PoolMember, code: str) -> WalletType:
    kinds = place.pool.program.wallet_types.filter(stored_value=False).order_by("pk")
    for kind in kinds:
        if kind.code == code:
            return kind
    known = ", ".join(kind.code for kind in kinds)
    raise refuse_field("wallet_type", _("One of: %(known)s.") % {"known": known}, "not_found")


def _out(place: PoolMember) -> OwnPoolOut:
    pool, company = place.pool, company_of(place.pool)
    active = place.membership.status == Membership.Status.ACTIVE
    seen = requests_seen_by(place).order_by("-pk")[:MOST_REQUESTS] if company else ()
    return OwnPoolOut(
        id=pool.public_id, kind=Pool.Kind(pool.kind), name=pool.name, joined_at=place.joined_at,
        contributes=place.contributes, may_spend=active and place.can_spend,
        balances=[pool_balance_out(item) for item in pool_balances(pool, timezone.now())],
        members=[
            OwnPoolMateOut(
                name=item.membership.customer.given_name, role=item.role,
                is_you=item.membership_id == place.membership_id,
            )
            for item in current_members(pool)
        ],
        requests=[request_out(item) for item in seen],
    )  # fmt: skip
