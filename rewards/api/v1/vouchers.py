"""/vouchers: codes at a checkout or a till."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.order_bodies import OrderFacts, known_people, order_input
from loyalty.api.v1.pools import member_named
from loyalty.models import Membership
from loyalty.rules.facts import Occasion
from loyalty.services.order_checks import check_order
from members.api.bodies import (
    NAME,
    TEXT,
    Answer,
    Body,
    Instant,
    PublicId,
    answer,
    money_text,
    read_body,
    refuse_field,
)
from members.api.idempotency import idempotent
from members.api.views import ApiView
from members.conditions.moments import Moment
from members.errors import NotFoundError
from rewards.models import Reward, Voucher, VoucherUse
from rewards.services.vouchers import (
    check_voucher,
    find_voucher,
    hold_voucher,
    release_voucher,
    use_voucher,
)
from rewards.voucher_terms import Taken


class BasketIn(OrderFacts):
    """What is bought, as an order says it. Without a time it is bought now."""

    placed_at: Instant | None = Field(None, description="By default now.")  # type: ignore[assignment]


class VoucherAddress(Body):
    code: Annotated[str, Field(min_length=1, max_length=64, pattern=TEXT)] = Field(
        description="As it was typed or scanned; capitals and hyphens do not matter."
    )
    checkout: Annotated[str, Field(min_length=1, max_length=128, pattern=NAME)] = Field(
        description="Your own name for the checkout or receipt: all that is told of it is once."
    )


class VoucherIn(VoucherAddress):
    """A voucher at a checkout."""

    membership: PublicId | None = Field(
        None, description="Who uses it: needed for a shared code, which each member may use once."
    )
    order: BasketIn | None = Field(
        None, description="With it the discount is worked out, and a basket it is not for refused."
    )


class HoldIn(VoucherIn):
    hold_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = Field(
        30, description="Nobody else can use it for so long."
    )


class LineShareOut(Answer):
    line_no: int
    amount: str


class VoucherCheckOut(Answer):
    id: UUID
    code: str
    name: str
    kind: Reward.Kind
    membership: UUID | None = Field(description="Whose it is.")
    expires_at: dt.datetime | None
    combines: bool = Field(description="Whether it goes together with other vouchers.")
    discount: str = Field(description="What it takes off this basket; 0 without one.")
    lines: list[LineShareOut] = Field(description="What each line bears of it; they add up.")
    shipping: str = Field(description="What it takes off what sending costs.")


class VoucherUseOut(Answer):
    id: UUID = Field(description="The voucher's.")
    code: str
    checkout: str
    state: VoucherUse.State
    discount: str | None = Field(description="What it took off; null while no basket was told.")
    held_until: dt.datetime | None


class VoucherCheck(ApiView):
    scopes = {"POST": "vouchers:read"}

    @extend_schema(operation_id="checkVoucher", request=VoucherIn, responses={200: VoucherCheckOut})
    def post(self, request: Request) -> HttpResponse:
        """Say what a voucher would take off, without holding it. One that cannot be used is refused
        with 409 and why: voucher_used, voucher_expired, voucher_void, voucher_held, …"""
        body, now = read_body(request, VoucherIn), timezone.now()
        voucher = _voucher(body.code)
        occasion = _occasion(body.order, voucher, now)
        taken = check_voucher(
            voucher, occasion, checkout=body.checkout, now=now, member=_member(body)
        )
        return answer(_check_out(voucher, taken, occasion))


class VoucherHold(ApiView):
    scopes = {"POST": "vouchers:write"}

    @extend_schema(operation_id="holdVoucher", request=HoldIn, responses={200: VoucherUseOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Keep a voucher for one checkout while it is paid."""
        body, now = read_body(request, HoldIn), timezone.now()
        voucher = _voucher(body.code)
        use, _taken = hold_voucher(
            voucher=voucher, checkout=body.checkout, now=now,
            occasion=_occasion(body.order, voucher, now),
            hold=dt.timedelta(minutes=body.hold_minutes), member=_member(body),
        )  # fmt: skip
        return answer(_use_out(use, voucher))


class VoucherUsing(ApiView):
    scopes = {"POST": "vouchers:write"}

    @extend_schema(operation_id="useVoucher", request=VoucherIn, responses={200: VoucherUseOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Use a voucher up for a checkout, held or not. Using it again at the same one changes
        nothing and says the same."""
        body, now = read_body(request, VoucherIn), timezone.now()
        voucher = _voucher(body.code)
        use, _known = use_voucher(
            voucher=voucher, checkout=body.checkout, actor=self.actor, now=now,
            occasion=_occasion(body.order, voucher, now), member=_member(body),
        )  # fmt: skip
        return answer(_use_out(use, voucher))


class VoucherRelease(ApiView):
    scopes = {"POST": "vouchers:write"}

    @extend_schema(
        operation_id="releaseVoucher", request=VoucherAddress, responses={200: VoucherUseOut}
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Let a checkout's voucher go, also one that it had used: the order was canceled. It can
        be used again until it runs out."""
        body, now = read_body(request, VoucherAddress), timezone.now()
        voucher = _voucher(body.code)
        use = release_voucher(
            voucher=voucher, checkout=body.checkout, actor=self.actor, now=now
        ) or VoucherUse(voucher=voucher, checkout=body.checkout, state=VoucherUse.State.RELEASED)
        return answer(_use_out(use, voucher))


def _voucher(code: str) -> Voucher:
    try:
        return find_voucher(code)
    except NotFoundError as error:
        raise refuse_field("code", str(error.message), "not_found") from error


def _member(body: VoucherIn) -> Membership | None:
    return member_named(body.membership, "membership") if body.membership else None


def _occasion(order: BasketIn | None, voucher: Voucher, now: dt.datetime) -> Occasion | None:
    if order is None:
        return None
    people = known_people([("order.customer", order.customer)])
    facts = order.model_copy(update={"placed_at": order.placed_at or now})
    given = order_input(facts, "checkout", "checkout", people)
    check_order(given)
    return Occasion(
        given.basket(), Moment(given.placed_at, voucher.program.zone), currency=given.currency
    )


def _check_out(voucher: Voucher, taken: Taken, occasion: Occasion | None) -> VoucherCheckOut:
    lines = occasion.basket.lines if occasion else ()
    return VoucherCheckOut(
        id=voucher.public_id,
        code=voucher.written,
        name=voucher.terms["name"],
        kind=Reward.Kind(voucher.terms["kind"]),
        membership=voucher.membership.public_id if voucher.membership else None,
        expires_at=voucher.expires_at,
        combines=voucher.terms["combines"],
        discount=money_text(taken.amount),
        lines=[
            LineShareOut(line_no=lines[place].line_no, amount=money_text(share))
            for place, share in sorted(taken.lines.items())
        ],
        shipping=money_text(taken.shipping),
    )


def _use_out(use: VoucherUse, voucher: Voucher) -> VoucherUseOut:
    return VoucherUseOut(
        id=voucher.public_id,
        code=voucher.written,
        checkout=use.checkout,
        state=VoucherUse.State(use.state),
        discount=None if use.discount is None else money_text(Decimal(use.discount)),
        held_until=use.held_until,
    )
