"""/reward-redemptions: what members took, from the reservation to its end."""

from __future__ import annotations

import datetime as dt
from functools import partial
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
from loyalty.api.v1.pools import member_meant, member_named
from loyalty.api.v1.transfers import ledger_key
from loyalty.models import Transfer
from members.api.bodies import (
    Answer,
    Body,
    PublicId,
    answer,
    read_body,
    read_query,
    refuse_field,
)
from members.api.idempotency import idempotent
from members.api.pagination import Page, PageQuery, paginate
from members.api.schema import query_parameters
from members.api.views import ApiView
from rewards.addresses import Address
from rewards.codes import masked
from rewards.models import Redemption
from rewards.selectors.redemptions import get_redemption, of_member, redemptions
from rewards.selectors.rewards import find_reward
from rewards.services.asked_back import cancel_when_asked
from rewards.services.redemptions import (
    issue_redemption,
    take_reward,
    use_redemption,
)

Why = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]


class RewardRedemptionIn(Body):
    """A reward for a member."""

    reward: PublicId
    membership: PublicId
    hold_minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)] | None = Field(
        None,
        description="Only reserve it for so long: its units are held, and come back by themselves"
        " if it is not issued by then. Without it it is issued at once.",
    )
    address: Address | None = Field(
        None,
        description="Where it goes to, if the reward is one that is sent; without it, it waits"
        " for its address.",
    )


class RedemptionCancel(Body):
    reason: Why = Field("", description="For the merchant's staff.")


class VoucherBrief(Answer):
    id: UUID
    code: str = Field(
        description="As people read it. When reading, a key without `vouchers:read` gets “••••7P”."
    )
    expires_at: dt.datetime | None = Field(description="Cannot be used from then on.")


class RedemptionOut(Answer):
    id: UUID
    reward: UUID
    name: str
    membership: UUID
    status: Redemption.Status
    wallet_type: str
    decimals: int
    units: Units = Field(description="What it took of the member; 0: it was given.")
    gift: Redemption.Gift | None = Field(description="Why it was given. Null: it was taken.")
    message: str = Field(description="What the member reads with a gift.")
    drawn: UUID | None = Field(description="What was drawn, where it is a mystery gift.")
    voucher: VoucherBrief | None = Field(
        description="Null while it is only reserved, and for what gives money."
    )
    gift_card: UUID | None = Field(description="The gift card that it gave: GET /gift-cards/{id}.")
    reserved_until: dt.datetime | None
    created_at: dt.datetime
    issued_at: dt.datetime | None
    closed_at: dt.datetime | None
    reason: str


class RedemptionPage(Page):
    results: list[RedemptionOut]


class RedemptionQuery(PageQuery):
    membership: PublicId | None = Field(None, description="Only what this member took.")
    reward: PublicId | None = Field(None, description="Only of this reward.")
    status: Redemption.Status | None = None


class RewardRedemptions(ApiView):
    scopes = {"GET": "rewards:read", "POST": "redemptions:write"}

    @extend_schema(
        operation_id="listRewardRedemptions",
        parameters=query_parameters(RedemptionQuery),
        responses={200: RedemptionPage},
    )
    def get(self, request: Request) -> HttpResponse:
        """List what was taken, newest first."""
        query = read_query(request, RedemptionQuery)
        found = redemptions()
        if query.membership:
            found = found.filter(of_member(member_named(query.membership, "membership")))
        if query.reward:
            found = found.filter(reward__public_id=query.reward)
        if query.status:
            found = found.filter(status=query.status)
        shown = partial(redemption_out, hidden=hides_codes(self))
        page = paginate(request, found, query, ordering=["-pk"], row=shown)
        return answer(RedemptionPage(**page))

    @extend_schema(
        operation_id="takeReward", request=RewardRedemptionIn, responses={201: RedemptionOut}
    )
    @idempotent(required=True)
    def post(self, request: Request) -> HttpResponse:
        """Take a reward for a member. What is against it is said with 409 and its code: not_yet,
        over, sold_out, limit_reached, not_for_you, not_active, insufficient_balance."""
        body = read_body(request, RewardRedemptionIn)
        reward = find_reward(body.reward)
        if reward is None:
            raise refuse_field("reward", _("There is no such reward."), "not_found")
        taken, _replayed = take_reward(
            membership=member_meant(body.membership, "membership"),
            reward=reward,
            key=ledger_key(self, request),
            source=Transfer.Source.API.value,
            actor=self.actor,
            now=timezone.now(),
            hold=dt.timedelta(minutes=body.hold_minutes) if body.hold_minutes else None,
            address=body.address,
        )
        return answer(redemption_out(taken), HTTPStatus.CREATED)


class OneRewardRedemption(ApiView):
    scopes = {"GET": "rewards:read"}

    @extend_schema(operation_id="getRewardRedemption", responses={200: RedemptionOut})
    def get(self, request: Request, redemption_id: UUID) -> HttpResponse:
        """Read what was taken."""
        return answer(redemption_out(get_redemption(redemption_id), hidden=hides_codes(self)))


class RedemptionIssue(ApiView):
    scopes = {"POST": "redemptions:write"}

    @extend_schema(operation_id="issueReward", request=None, responses={200: RedemptionOut})
    @idempotent()
    def post(self, request: Request, redemption_id: UUID) -> HttpResponse:
        """Issue what was reserved. Issuing it again changes nothing."""
        found = issue_redemption(
            redemption=get_redemption(redemption_id), actor=self.actor, now=timezone.now()
        )
        return answer(redemption_out(found))


class RedemptionUse(ApiView):
    scopes = {"POST": "redemptions:write"}

    @extend_schema(operation_id="useReward", request=None, responses={200: RedemptionOut})
    @idempotent()
    def post(self, request: Request, redemption_id: UUID) -> HttpResponse:
        """Note that it was used, where no voucher is used at a checkout."""
        found = use_redemption(
            redemption=get_redemption(redemption_id), actor=self.actor, now=timezone.now()
        )
        return answer(redemption_out(found))


class RedemptionCancellation(ApiView):
    scopes = {"POST": "redemptions:write"}

    @extend_schema(
        operation_id="cancelReward", request=RedemptionCancel, responses={200: RedemptionOut}
    )
    @idempotent()
    def post(self, request: Request, redemption_id: UUID) -> HttpResponse:
        """Give it up: its units come back to where they came from, its voucher is called back.
        What was used, or ran out, is refused with 409 `redemption_state`, what somebody took who
        was erased since with 409 `customer_erased`."""
        body = read_body(request, RedemptionCancel)
        found = cancel_when_asked(
            redemption=get_redemption(redemption_id), reason=body.reason,
            source=Transfer.Source.API.value, actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        return answer(redemption_out(found))


def redemption_out(found: Redemption, *, hidden: bool = False) -> RedemptionOut:
    """`hidden`: for a key that may not see codes."""
    unit, voucher = found.reward.wallet_type, found.voucher
    return RedemptionOut(
        id=found.public_id,
        reward=found.reward.public_id,
        name=found.reward.name,
        membership=found.membership.public_id,
        status=Redemption.Status(found.status),
        wallet_type=unit.code,
        decimals=unit.scale,
        units=units_text(found.units, unit.scale),
        gift=Redemption.Gift(found.gift) if found.gift else None,
        message=found.message,
        drawn=found.drawn.public_id if found.drawn and found.issued_at else None,
        voucher=None
        if voucher is None
        else VoucherBrief(
            id=voucher.public_id,
            expires_at=voucher.expires_at,
            code=masked(voucher.written) if hidden else voucher.written,
        ),
        gift_card=found.gift_card.public_id if found.gift_card else None,
        reserved_until=found.reserved_until if found.status == "reserved" else None,
        created_at=found.created_at,
        issued_at=found.issued_at,
        closed_at=found.closed_at,
        reason=found.reason,
    )


def hides_codes(view: ApiView) -> bool:
    """Whoever reads a code could use it."""
    return "vouchers:read" not in view.api_key.scopes
