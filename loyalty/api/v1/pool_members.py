"""/pools/{id}/members, and what members put into their pool and take from it by hand."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import Units, UnitsAboveZero, parse_units, units_text
from loyalty.api.v1.pools import (
    PoolMemberOut,
    PoolOut,
    PoolRole,
    member_named,
    member_out,
    pool_out,
)
from loyalty.api.v1.transfers import (
    TransferOut,
    ledger_key,
    listed_transfer,
    transfer_out,
    wallet_named,
)
from loyalty.models import Pool, PoolMember, Transfer
from loyalty.selectors.memberships import with_id
from loyalty.selectors.pools import current_members, get_pool
from loyalty.services.pool_leaving import leave_pool, summed
from loyalty.services.pool_moves import put_into_pool, take_from_pool
from loyalty.services.pools import add_pool_member, change_pool_member
from members.api.bodies import TEXT, Answer, Body, PublicId, answer, read_body, refuse_field
from members.api.idempotency import idempotent
from members.api.views import ApiView
from members.errors import NotFoundError


class PoolMemberIn(Body):
    membership: PublicId
    role: PoolRole = PoolRole.MEMBER
    may_spend: bool = Field(
        False, description="Asked where spending is named: whether this member may."
    )
    bring: bool = Field(
        False, description="What they hold goes into the pool too, at the share of their earnings."
    )


class PoolMemberChange(Body):
    """What is to be different; what is left out stays."""

    role: PoolRole | None = None
    may_spend: bool | None = None
    contributes: bool | None = None


class ReturnedOut(Answer):
    """Units that went back to the member."""

    wallet_type: str
    decimals: int
    units: Units


class PoolLeavingOut(Answer):
    pool: PoolOut
    returned: list[ReturnedOut]


class PoolMoveIn(Body):
    membership: PublicId
    wallet_type: Annotated[str, Field(max_length=64, pattern=TEXT)] = Field(
        "points", description="The wallet type's code."
    )
    units: UnitsAboveZero


class PoolMembers(ApiView):
    scopes = {"POST": "pools:write"}

    @extend_schema(
        operation_id="addPoolMember", request=PoolMemberIn, responses={201: PoolMemberOut}
    )
    @idempotent()
    def post(self, request: Request, pool_id: UUID) -> HttpResponse:
        """Let a member join. What they earn from now on is shared as the pool says."""
        body = read_body(request, PoolMemberIn)
        member = add_pool_member(
            pool=get_pool(pool_id),
            membership=member_named(body.membership, "membership"),
            role=body.role,
            may_spend=body.may_spend,
            bring=body.bring,
            actor=self.actor,
            source=Transfer.Source.API.value,
            now=timezone.now(),
        )
        return answer(member_out(_member(member.pool, body.membership)), HTTPStatus.CREATED)


class OnePoolMember(ApiView):
    scopes = {"PATCH": "pools:write", "DELETE": "pools:write"}

    @extend_schema(
        operation_id="changePoolMember", request=PoolMemberChange, responses={200: PoolMemberOut}
    )
    def patch(self, request: Request, pool_id: UUID, membership_id: UUID) -> HttpResponse:
        """Change a member's role, whether they may spend, or whether what they earn is shared."""
        body = read_body(request, PoolMemberChange)
        member = change_pool_member(
            member=_member(get_pool(pool_id), membership_id),
            changes=body.model_dump(exclude_unset=True, exclude_none=True),
            actor=self.actor,
        )
        return answer(member_out(member))

    @extend_schema(operation_id="leavePool", responses={200: PoolLeavingOut})
    def delete(self, request: Request, pool_id: UUID, membership_id: UUID) -> HttpResponse:
        """Let a member leave. They get back what the pool's rule says; whoever leaves last gets
        all that is there, and the pool is closed."""
        returned = leave_pool(
            member=_member(get_pool(pool_id), membership_id),
            actor=self.actor,
            source=Transfer.Source.API.value,
            now=timezone.now(),
        )
        rows = []
        for item in summed(returned):
            wallet_type = item.wallet.wallet_type
            units = units_text(item.units, wallet_type.scale)
            rows.append(
                ReturnedOut(wallet_type=wallet_type.code, decimals=wallet_type.scale, units=units)
            )
        return answer(PoolLeavingOut(pool=pool_out(get_pool(pool_id)), returned=rows))


class _PoolMove(ApiView):
    scopes = {"POST": "pools:write"}

    def move(
        self, request: Request, pool_id: UUID, act: Callable[..., tuple[Transfer, bool]]
    ) -> HttpResponse:
        body = read_body(request, PoolMoveIn)
        wallet_type = wallet_named(body.membership, body.wallet_type).wallet_type
        how: dict[str, Any] = {
            "member": _member(get_pool(pool_id), body.membership, field="membership"),
            "wallet_type": wallet_type,
            "units": parse_units(body.units, wallet_type),
            "actor": self.actor,
            "key": ledger_key(self, request),
            "source": Transfer.Source.API.value,
            "now": timezone.now(),
        }
        transfer, _replayed = act(**how)
        return answer(transfer_out(listed_transfer(transfer.pk)), HTTPStatus.CREATED)


class PoolContributions(_PoolMove):
    @extend_schema(operation_id="putIntoPool", request=PoolMoveIn, responses={201: TransferOut})
    @idempotent(required=True)
    def post(self, request: Request, pool_id: UUID) -> HttpResponse:
        """A member puts in some of what they can spend. Answers with the movement out of their
        wallet."""
        return self.move(request, pool_id, put_into_pool)


class PoolWithdrawals(_PoolMove):
    @extend_schema(operation_id="takeFromPool", request=PoolMoveIn, responses={201: TransferOut})
    @idempotent(required=True)
    def post(self, request: Request, pool_id: UUID) -> HttpResponse:
        """A member who may spend takes units into their own wallet. Answers with the movement out
        of the pool's."""
        return self.move(request, pool_id, take_from_pool)


def _member(pool: Pool, membership: UUID, field: str = "") -> PoolMember:
    """The member's place in the pool. Raises NotFoundError, or the refusal of the field."""
    wanted = with_id(membership).first()
    for member in current_members(pool):
        if member.membership_id == wanted:
            return member
    if field:
        raise refuse_field(field, _("This member is not in the pool."), "not_found")
    raise NotFoundError(_("This member is not in the pool."))
