"""/pools: households and companies who put their units together."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import Units, units_text
from loyalty.api.v1.balances import ExpiryOut, WorthOut
from loyalty.api.v1.transfers import TransferPage, transfer_out
from loyalty.models import Membership, Pool, PoolMember, Transfer
from loyalty.selectors.balances import Balance
from loyalty.selectors.memberships import find_membership, identify_membership, with_id
from loyalty.selectors.pools import (
    current_members,
    get_pool,
    pool_balances,
    pool_transfers,
    pools,
)
from loyalty.services.pool_leaving import close_pool
from loyalty.services.pools import LONGEST_NAME, PoolTerms, change_pool, create_pool
from members.api.bodies import (
    TEXT,
    Answer,
    Body,
    PublicId,
    answer,
    money_text,
    read_body,
    read_query,
    refuse_field,
)
from members.api.idempotency import idempotent
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView

Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, pattern=TEXT)]
Share = Annotated[int, Field(ge=1, le=100)]


class PoolIn(Body):
    """A new pool, with the member to whom it belongs first."""

    owner: PublicId = Field(description="The owner's membership; its program is the pool's.")
    name: Name
    kind: Pool.Kind = Pool.Kind.HOUSEHOLD
    contribution: Pool.Contribution = Field(
        Pool.Contribution.ALL, description="What of the members' earnings goes into it by itself."
    )
    share: Share | None = Field(None, description="With contribution share: how many percent.")
    spending: Pool.Spending = Field(Pool.Spending.EVERYONE, description="Who may spend from it.")
    leaving: Pool.Leaving = Field(
        Pool.Leaving.OWN, description="What a member who leaves gets back."
    )
    bring: bool = Field(
        False, description="What the owner holds already goes into it too, at the same share."
    )


class PoolChange(Body):
    """What is to be different; what is left out stays."""

    name: Name | None = None
    kind: Pool.Kind | None = None
    contribution: Pool.Contribution | None = None
    share: Share | None = None
    spending: Pool.Spending | None = None
    leaving: Pool.Leaving | None = None


class PoolRole(StrEnum):
    """Whether somebody is an owner. What else they are in a company is told by /companies."""

    OWNER = "owner"
    MEMBER = "member"


class PoolMemberOut(Answer):
    membership: UUID
    role: PoolRole
    may_spend: bool = Field(description="Whether they may spend from the pool now.")
    contributes: bool = Field(description="Whether what they earn is shared.")
    joined_at: dt.datetime


class PoolBrief(Answer):
    id: UUID
    program: str
    kind: Pool.Kind
    name: str
    status: Pool.Status
    contribution: Pool.Contribution
    share: int | None
    spending: Pool.Spending
    leaving: Pool.Leaving
    created_at: dt.datetime
    closed_at: dt.datetime | None


class PoolOut(PoolBrief):
    members: list[PoolMemberOut]


class PoolPage(Page):
    results: list[PoolBrief]


class PoolQuery(PageQuery):
    program: str = Field("", max_length=64, description="Only those of the program with this code.")
    membership: PublicId | None = Field(None, description="Only the one that this member is in.")


class PoolBalanceOut(Answer):
    wallet_type: str
    decimals: int
    spendable: Units = Field(description="What can be spent now.")
    pending: Units = Field(description="Earned, spendable later.")
    worth: WorthOut = Field(description="What the spendable units are worth.")
    next_expiry: ExpiryOut | None


class PoolBalancesOut(Answer):
    as_of: dt.datetime
    balances: list[PoolBalanceOut]


class Pools(ApiView):
    scopes = {"GET": "pools:read", "POST": "pools:write"}

    @extend_schema(
        operation_id="listPools",
        parameters=query_parameters(PoolQuery),
        responses={200: PoolPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List pools, newest first."""
        query = read_query(request, PoolQuery)
        found = pools()
        if query.program:
            found = found.filter(program__code=query.program.replace("\x00", "\n"))
        if query.membership:
            within = PoolMember.objects.filter(
                membership__in=with_id(query.membership), left_at=None
            ).values("pool")
            found = found.filter(pk__in=within)
        page = paginate(request, found, query, ordering=["-pk"], row=_brief)
        return answer(PoolPage(**page))

    @extend_schema(operation_id="createPool", request=PoolIn, responses={201: PoolOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Found a pool. A member is in one pool of a program at a time (409 `already_in_pool`)."""
        body = read_body(request, PoolIn)
        given = body.model_dump(exclude={"owner", "bring"})
        pool = create_pool(
            owner=member_named(body.owner, "owner"),
            terms=PoolTerms(**given),
            bring=body.bring,
            actor=self.actor,
            source=Transfer.Source.API.value,
            now=timezone.now(),
        )
        return answer(pool_out(pool), HTTPStatus.CREATED)


class OnePool(ApiView):
    scopes = {"GET": "pools:read", "PATCH": "pools:write", "DELETE": "pools:write"}

    @extend_schema(operation_id="getPool", responses={200: PoolOut})
    def get(self, request: Request, pool_id: UUID) -> HttpResponse:
        """Read a pool with whoever is in it."""
        return answer(pool_out(get_pool(pool_id)))

    @extend_schema(operation_id="changePool", request=PoolChange, responses={200: PoolOut})
    def patch(self, request: Request, pool_id: UUID) -> HttpResponse:
        """Change a pool from now on."""
        body = read_body(request, PoolChange)
        changes = body.model_dump(exclude_unset=True, exclude_none=True)
        pool = change_pool(pool=get_pool(pool_id), changes=changes, actor=self.actor)
        return answer(pool_out(pool))

    @extend_schema(operation_id="closePool", responses={200: PoolOut})
    def delete(self, request: Request, pool_id: UUID) -> HttpResponse:
        """Give everything back to the members and close the pool. Closing it again changes
        nothing."""
        pool = get_pool(pool_id)
        if pool.status == Pool.Status.OPEN:
            close_pool(
                pool=pool,
                actor=self.actor,
                source=Transfer.Source.API.value,
                now=timezone.now(),
            )
        return answer(pool_out(get_pool(pool_id)))


class PoolBalances(ApiView):
    scopes = {"GET": "pools:read"}

    @extend_schema(operation_id="getPoolBalances", responses={200: PoolBalancesOut})
    def get(self, request: Request, pool_id: UUID) -> HttpResponse:
        """Read what a pool holds now, one balance for each wallet type."""
        now = timezone.now()
        held = [pool_balance_out(item) for item in pool_balances(get_pool(pool_id), now)]
        return answer(PoolBalancesOut(as_of=now, balances=held))


class PoolTransfers(ApiView):
    scopes = {"GET": "pools:read"}

    @extend_schema(
        operation_id="listPoolTransfers",
        parameters=query_parameters(PageQuery),
        responses={200: TransferPage},
    )
    def get(self, request: Request, pool_id: UUID) -> HttpResponse:
        """List a pool's movements with their explanations, newest business time first."""
        query = read_query(request, PageQuery)
        pool = get_pool(pool_id)
        found = pool_transfers(pool).select_related(
            "wallet__account__membership", "wallet__account__pool"
        )
        page = paginate(request, found, query, ordering=["-occurred_at", "-pk"], row=transfer_out)
        return answer(TransferPage(**page))


def pool_out(pool: Pool) -> PoolOut:
    return PoolOut(
        **_brief(pool).model_dump(),
        members=[member_out(member) for member in current_members(pool)],
    )


def member_out(member: PoolMember) -> PoolMemberOut:
    active = member.membership.status == Membership.Status.ACTIVE
    return PoolMemberOut(
        membership=member.membership.public_id,
        role=PoolRole.OWNER if member.is_owner else PoolRole.MEMBER,
        may_spend=active and member.can_spend,
        contributes=member.contributes,
        joined_at=member.joined_at,
    )


def member_named(public_id: UUID, field: str) -> Membership:
    """A membership, or the refusal of the field that names it. One that was merged into another
    stands for that one."""
    found = find_membership(public_id)
    if found is None:
        raise refuse_field(field, _("There is no such membership."), "not_found")
    return found


def member_meant(public_id: UUID, field: str) -> Membership:
    """The same, when no more is asked than which one it is."""
    found = identify_membership(public_id)
    if found is None:
        raise refuse_field(field, _("There is no such membership."), "not_found")
    return found


def _brief(pool: Pool) -> PoolBrief:
    names = set(PoolBrief.model_fields) - {"id", "program"}
    return PoolBrief(
        id=pool.public_id,
        program=pool.program.code,
        **{name: getattr(pool, name) for name in names},
    )


def pool_balance_out(item: Balance) -> PoolBalanceOut:
    scale, lapse = item.wallet_type.scale, item.next_lapse
    return PoolBalanceOut(
        wallet_type=item.wallet_type.code,
        decimals=scale,
        spendable=units_text(item.spendable, scale),
        pending=units_text(item.pending, scale),
        worth=WorthOut(amount=money_text(item.worth), currency=item.wallet_type.program.currency),
        next_expiry=ExpiryOut(units=units_text(lapse.units, scale), at=lapse.at) if lapse else None,
    )
