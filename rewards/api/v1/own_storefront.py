"""/me/storefront: what the shop's pages show to a member, in words that are ready to be shown."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.codes import PromoCodeOut, codes_out
from loyalty.codes_asked import Answers
from loyalty.models import Membership, Program
from loyalty.selectors.balances import Balance, get_balances
from loyalty.selectors.member_tiers import tiers_now
from loyalty.selectors.memberships import list_memberships
from loyalty.services.order_inputs import CustomerRef
from members.api.bodies import Answer, answer, money_text, read_body
from members.api.member_views import MEMBER, MemberView
from members.formatting import format_money, format_units
from members.languages import locale_of
from rewards.api.v1.basket_parts import BasketPart, basket_parts
from rewards.api.v1.storefront import (
    EarningsOut,
    StorefrontBasket,
    basket_lines,
    earnings_out,
    preview_order,
)
from rewards.selectors.redemptions import open_vouchers
from rewards.selectors.storefront import get_storefront, shown_program
from rewards.services.access import held_back
from rewards.services.checkout_quotes import Fit, quote_cart
from rewards.services.storefront import earned_in
from rewards.storefront_words import words_of_window
from rewards.texts import told

# So many rewards and codes fit beside a basket; all of them are on the member's page.
MOST_SHOWN = 5


class OwnBadgeOut(Answer):
    name: str
    color: str
    icon: str


class OwnUnitsHeld(Answer):
    wallet_type: str
    words: str
    worth: str = Field(description="In the program's currency, as people write it; or empty.")


class OwnStorefrontOut(Answer):
    """What the header needs."""

    membership: UUID | None = Field(description="Null: they are in no such program yet.")
    active: bool
    given_name: str
    balances: list[OwnUnitsHeld]
    tier: OwnBadgeOut | None


class FittingReward(Answer):
    id: UUID
    name: str
    price: str = Field(description="With the units' name.")
    saves: str = Field(description="What it takes off this basket, as people write it; or empty.")
    fits: bool
    missing: str = Field(description="What is missing, with the units' name; or empty.")


class OpenCode(Answer):
    id: UUID
    name: str
    code: str


class HeldBack(Answer):
    """A line of the basket that a sale names which has not opened for everybody."""

    line: int = Field(description="Its place, from 1 on.")
    allowed: bool = Field(description="Whether the member may buy it now.")
    opens_at: dt.datetime | None = Field(description="For the member; null: it does not.")
    words: str


class OwnBasketOut(EarningsOut):
    discount: str = Field(description="What the program takes off it for members.")
    rewards: list[FittingReward] = Field(description="That fit, then those that are near.")
    codes: list[OpenCode] = Field(description="Taken before, and not used yet.")
    promotions: list[PromoCodeOut] = Field(description="Of each code that was typed in.")
    parts: list[BasketPart] = Field([], description="What it earns and saves is made of this.")
    held: list[HeldBack] = Field([], description="What waits for the opening of a sale.")


class OwnStorefront(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="getOwnStorefront", responses={200: OwnStorefrontOut})
    def get(self, request: Request) -> HttpResponse:
        """Read what the shop's header shows to the member."""
        program, member = _shown(self)
        if program is None or member is None:
            return answer(_nobody(self.customer.given_name))
        now = timezone.now()
        tier = tiers_now([member], now).get(member.pk)
        return answer(
            OwnStorefrontOut(
                membership=member.public_id,
                active=member.status == Membership.Status.ACTIVE,
                given_name=self.customer.given_name,
                balances=[_held(item, program) for item in get_balances(member, now)
                          if item.balance or not item.wallet_type.stored_value],
                tier=OwnBadgeOut(name=tier.name, color=tier.color, icon=tier.icon)
                if tier
                else None,
            )
        )  # fmt: skip


class OwnStorefrontBasket(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(
        operation_id="previewOwnBasket", request=StorefrontBasket, responses={200: OwnBasketOut}
    )
    def post(self, request: Request) -> HttpResponse:
        """Say what a basket earns for the member, which rewards fit, and which codes they have.
        Nothing is kept."""
        body, now = read_body(request, StorefrontBasket), timezone.now()
        program, member = _shown(self)
        if program is None:
            return answer(OwnBasketOut(earns=[], words="", discount="0.00", rewards=[], codes=[],
                                       promotions=[]))  # fmt: skip
        who = CustomerRef(key=self.customer.pk)
        order = preview_order(program, body.currency, basket_lines(body), now, who, body.codes)
        if member is None:
            joining = preview_order(program, body.currency, basket_lines(body), now)
            told_so = earnings_out(earned_in(program, joining)).model_dump()
            return answer(OwnBasketOut(**told_so, discount="0.00", rewards=[], codes=[],
                                       promotions=[]))  # fmt: skip
        found = earnings_out(earned_in(program, order))
        fits, discount = [], "0.00"
        said: Answers = ()
        parts: list[BasketPart] = []
        if order.currency == program.currency and order.total > 0:
            cart = quote_cart(order, member, now=now)
            fits, discount = list(cart.fits), money_text(cart.quote.discounted.amount)
            said, parts = cart.quote.codes, list(basket_parts(cart.quote))
        vouchers = open_vouchers(member, now).order_by("voucher__expires_at", "-pk")[:MOST_SHOWN]
        locale = locale_of(self.customer)
        return answer(
            OwnBasketOut(
                **found.model_dump(),
                discount=discount,
                rewards=_fitting(fits, program, locale),
                codes=[
                    OpenCode(
                        id=item.public_id, name=told(item.got, locale).name,
                        code=item.voucher.written,
                    )
                    for item in vouchers
                    if item.voucher is not None
                ],
                promotions=codes_out(said),
                parts=parts,
                held=_held_back(member, body, now),
            )
        )  # fmt: skip


def _shown(view: MemberView) -> tuple[Program | None, Membership | None]:
    """The program that the shop shows, and the customer's membership of it, if they are in."""
    program = shown_program(get_storefront(), timezone.now())
    if program is None:
        return None, None
    own = [item for item in list_memberships(view.customer) if item.program_id == program.pk]
    member = own[0] if own and own[0].status != Membership.Status.LEFT else None
    return program, member


def _held_back(member: Membership, body: StorefrontBasket, now: dt.datetime) -> list[HeldBack]:
    products = [(line.sku, [line.category] if line.category else []) for line in body.lines]
    found = []
    for place, own in held_back(member, products, now).items():
        found.append(
            HeldBack(
                line=place + 1,
                allowed=own.is_open(now),
                opens_at=own.opens_at,
                words=words_of_window(own, member.program, now),
            )
        )
    return found


def _nobody(given_name: str) -> OwnStorefrontOut:
    return OwnStorefrontOut(
        membership=None, active=False, given_name=given_name, balances=[], tier=None
    )


def _held(balance: Balance, program: Program) -> OwnUnitsHeld:
    unit, worth = balance.wallet_type, balance.worth
    return OwnUnitsHeld(
        wallet_type=unit.code,
        words=format_units(balance.spendable, unit),
        worth=format_money(worth, program.currency) if worth else "",
    )


def _fitting(fits: list[Fit], program: Program, locale: str) -> list[FittingReward]:
    """Those that can be taken first; then what only units are missing for, the nearest first. What
    is sent is taken on the member's page, where its address is asked for."""
    ready = [fit for fit in fits if fit.fits and not fit.reward.sent]
    near = [
        fit
        for fit in fits
        if fit.missing and [item.code for item in fit.refusals] == ["insufficient_balance"]
    ]
    near.sort(key=lambda fit: fit.missing)
    return [
        FittingReward(
            id=fit.reward.public_id,
            name=told(fit.reward, locale).name,
            price=format_units(fit.price, fit.reward.wallet_type),
            saves=format_money(fit.amount, program.currency) if fit.amount else "",
            fits=fit.fits,
            missing=format_units(fit.missing, fit.reward.wallet_type) if fit.missing else "",
        )
        for fit in (*ready[:MOST_SHOWN], *near[:2])
    ]
