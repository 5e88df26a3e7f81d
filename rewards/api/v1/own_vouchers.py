"""/me/…/vouchers: what a member took and was given, with its codes."""

from __future__ import annotations

import datetime as dt
from functools import partial
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import Units, units_text
from loyalty.api.v1.own_memberships import own_membership
from members.api.bodies import Answer, answer, read_query
from members.api.member_views import MEMBER, MemberView
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.errors import NotFoundError
from members.languages import locale_of
from rewards.models import Redemption
from rewards.selectors.redemptions import open_vouchers, taken_by
from rewards.texts import told
from rewards.words import conditions_of, icon_of


class OwnVoucherOut(Answer):
    code: str = Field(description="As people read it.")
    usable: bool
    expires_at: dt.datetime | None = Field(description="Cannot be used from then on.")


class OwnRedemptionOut(Answer):
    """Something that the member took, or was given."""

    id: UUID
    reward: UUID
    name: str
    icon: str
    status: Redemption.Status = Field(description="By the clock, also what just ran out.")
    conditions: list[str] = Field(description="What applies to it while it can be used.")
    wallet_type: str
    decimals: int
    units: Units = Field(description="What it took; 0: it was given.")
    message: str = Field(description="What came with a gift.")
    voucher: OwnVoucherOut | None = Field(description="Null where there is no code.")
    created_at: dt.datetime
    closed_at: dt.datetime | None


class OwnRedemptionPage(Page):
    results: list[OwnRedemptionOut]


class OwnVoucherQuery(PageQuery):
    usable: bool = Field(False, description="Only what can be used now.")


class OwnVouchers(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(
        operation_id="listOwnVouchers",
        parameters=query_parameters(OwnVoucherQuery),
        responses={200: OwnRedemptionPage},
    )
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List what the member took and was given, newest first."""
        query, now = read_query(request, OwnVoucherQuery), timezone.now()
        member = own_membership(self, membership_id)
        found = open_vouchers(member, now) if query.usable else taken_by([member])
        row = partial(own_redemption_out, now=now)
        return answer(
            OwnRedemptionPage(**paginate(request, found, query, ordering=["-pk"], row=row))
        )


class OwnVoucher(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="getOwnVoucher", responses={200: OwnRedemptionOut})
    def get(self, request: Request, membership_id: UUID, redemption_id: UUID) -> HttpResponse:
        """Read one of them."""
        member = own_membership(self, membership_id)
        found = taken_by([member]).filter(public_id=redemption_id).first()
        if found is None:
            raise NotFoundError("This member has taken no such reward.")
        return answer(own_redemption_out(found, timezone.now()))


def own_redemption_out(found: Redemption, now: dt.datetime) -> OwnRedemptionOut:
    unit, voucher = found.reward.wallet_type, found.voucher
    # What was drawn is told when it is handed out.
    told_of = found.got if found.issued_at else found.reward
    usable = voucher is not None and voucher.is_usable(now)
    ran_out = found.status == Redemption.Status.ISSUED and voucher is not None and not usable
    return OwnRedemptionOut(
        id=found.public_id,
        reward=found.reward.public_id,
        name=told(told_of, locale_of(found.membership.customer)).name,
        icon=icon_of(told_of),
        status=Redemption.Status.EXPIRED if ran_out else Redemption.Status(found.status),
        conditions=list(conditions_of(told_of, for_members=True)) if usable else [],
        wallet_type=unit.code,
        decimals=unit.scale,
        units=units_text(found.units, unit.scale),
        message=found.message,
        voucher=None
        if voucher is None
        else OwnVoucherOut(code=voucher.written, usable=usable, expires_at=voucher.expires_at),
        created_at=found.created_at,
        closed_at=found.closed_at,
    )
