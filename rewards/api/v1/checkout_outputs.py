"""Carts as the API shows them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import Field

from loyalty.api.v1.amounts import Units, units_text
from loyalty.api.v1.codes import PromoCodeOut, codes_out
from loyalty.codes_asked import answers_from_json
from members.api.bodies import Answer, money_text
from members.api.pagination import Page
from rewards.api.v1.redemptions import VoucherBrief
from rewards.models import Checkout, Redemption, Voucher


class CheckoutLineOut(Answer):
    """A line as it is to be recorded."""

    line_no: int
    total: str
    discount: str = Field(description="All that is taken off it.")
    tax: str


class CheckoutTotals(Answer):
    currency: str
    goods: str = Field(description="As the lines came.")
    shipping: str
    discount: str = Field(description="The order's own and the program's discounts.")
    voucher_discount: str = Field(description="By vouchers and rewards.")
    total: str = Field(description="What the order costs then: units pay a part of it, and take"
                       " nothing off.")  # fmt: skip
    tax: str = Field(description="In the total. What units pay is taxed like the rest.")
    paid_units: str
    paid_gift_cards: str
    to_pay: str = Field(description="What is left for money.")
    lines: list[CheckoutLineOut]


class KeptUnitsOut(Answer):
    wallet_type: str
    decimals: int
    units: Units
    amount: str = Field(description="What they pay.")


class KeptRewardOut(Answer):
    """A reward that is taken with it."""

    redemption: UUID
    reward: UUID
    name: str
    status: Redemption.Status
    wallet_type: str
    decimals: int
    units: Units
    amount: str = Field(description="What it takes off.")
    voucher: VoucherBrief | None = Field(description="Its code, once the cart was paid.")


class KeptVoucherOut(Answer):
    voucher: UUID
    code: str
    amount: str = Field(description="What it takes off.")


class KeptGiftCardOut(Answer):
    gift_card: UUID
    last_four: str = Field(description="How its code ends. More of it is not told.")
    amount: str = Field(description="What it pays.")


class CheckoutOut(Answer):
    id: UUID
    source: str
    cart: str
    membership: UUID
    status: Checkout.Status
    reserved_until: dt.datetime
    order_external_id: str = Field(description="Of its order, once it was paid.")
    totals: CheckoutTotals
    units: list[KeptUnitsOut]
    rewards: list[KeptRewardOut]
    vouchers: list[KeptVoucherOut]
    gift_cards: list[KeptGiftCardOut]
    codes: list[PromoCodeOut] = Field(
        description="Of each of its coupons that a promotion has, whether it counts."
    )
    created_at: dt.datetime
    committed_at: dt.datetime | None
    closed_at: dt.datetime | None
    reason: str


class CheckoutPage(Page):
    results: list[CheckoutOut]


def checkout_out(found: Checkout, *, hidden: bool = False) -> CheckoutOut:
    """`hidden`: for a key that may not see codes."""
    """Of a cart as `rewards.selectors.checkouts.checkouts` loads it."""
    same = ("source", "cart", "reserved_until", "order_external_id", "created_at", "committed_at",
            "closed_at", "reason")  # fmt: skip
    return CheckoutOut(
        id=found.public_id,
        membership=found.membership.public_id,
        status=Checkout.Status(found.status),
        totals=_totals(found),
        units=[
            KeptUnitsOut(
                **_units(item.wallet_type, item.transfer.amount), amount=money_text(item.amount)
            )
            for item in found.units.all()
        ],
        rewards=[_reward(item.redemption, item.amount, hidden) for item in found.rewards.all()],
        vouchers=[
            KeptVoucherOut(
                voucher=item.voucher.public_id, code=_code(item.voucher, hidden),
                amount=money_text(item.amount),
            )
            for item in found.vouchers.all()
        ],
        gift_cards=[
            KeptGiftCardOut(
                gift_card=item.gift_card.public_id, last_four=item.gift_card.last_four,
                amount=money_text(item.amount),
            )
            for item in found.gift_cards.all()
        ],
        codes=codes_out(answers_from_json(found.codes)),
        **{name: getattr(found, name) for name in same},
    )  # fmt: skip


def _totals(found: Checkout) -> CheckoutTotals:
    money = ("goods", "shipping", "discount", "voucher_discount", "total", "tax", "paid_units",
             "paid_gift_cards", "to_pay")  # fmt: skip
    return CheckoutTotals(
        currency=found.currency,
        lines=[
            CheckoutLineOut(
                line_no=line["line_no"],
                **{name: money_text(Decimal(line[name])) for name in ("total", "discount", "tax")},
            )
            for line in found.lines
        ],
        **{name: money_text(getattr(found, name)) for name in money},
    )


def _code(voucher: Voucher, hidden: bool) -> str:
    return voucher.masked if hidden else voucher.written


def _reward(taken: Redemption, amount: Decimal, hidden: bool) -> KeptRewardOut:
    voucher = taken.voucher
    return KeptRewardOut(
        redemption=taken.public_id,
        reward=taken.reward.public_id,
        name=taken.reward.name,
        status=Redemption.Status(taken.status),
        **_units(taken.reward.wallet_type, taken.units),
        amount=money_text(amount),
        voucher=VoucherBrief(
            id=voucher.public_id, code=_code(voucher, hidden), expires_at=voucher.expires_at
        )
        if voucher
        else None,
    )


def _units(kind: Any, units: int) -> dict[str, Any]:
    return {
        "wallet_type": kind.code, "decimals": kind.scale, "units": units_text(units, kind.scale),
    }  # fmt: skip
