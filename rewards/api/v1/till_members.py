"""Who stands at a till, as the API shows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from pydantic import Field

from loyalty.api.v1.amounts import Units, units_text
from loyalty.api.v1.spending import SpendingOut, spending_out
from loyalty.models import Membership
from loyalty.selectors.balances import balances_of
from loyalty.selectors.member_tiers import tiers_now
from loyalty.selectors.rulebooks import spending_terms
from members.api.bodies import Answer, money_text
from rewards.api.v1.redemptions import VoucherBrief
from rewards.models import Redemption, Reward
from rewards.selectors.redemptions import open_vouchers
from rewards.selectors.rewards import offered
from rewards.services.eligibility import offers_for
from rewards.words import gives


class TillBalance(Answer):
    wallet_type: str
    decimals: int
    spendable: Units
    worth: str = Field(description="In the program's currency.")
    spending: SpendingOut = Field(description="How many of them can be used at once.")


class TillVoucher(VoucherBrief):
    name: str


class TillReward(Answer):
    """A reward that can be taken now."""

    id: UUID
    name: str
    wallet_type: str
    decimals: int
    price: Units
    kind: Reward.Kind
    gives: str = Field(description="What it is, in a few words.")
    takes_off: bool = Field(description="Whether it takes something off the sale.")
    combines: bool = Field(description="Whether it goes together with others.")
    stacking_group: str = Field(description="Of one group only one goes into a sale.")
    applies: int = Field(description="Its turn: smaller ones take their part off first.")


class TillMember(Answer):
    membership: UUID
    customer: UUID
    program: str
    name: str
    card_number: str
    currency: str
    tier: str | None = Field(description="The name of their tier.")
    balances: list[TillBalance]
    vouchers: list[TillVoucher] = Field(description="That can be used now.")
    rewards: list[TillReward] = Field(description="That can be taken now.")


class TillMembers(Answer):
    members: list[TillMember] = Field(
        description="Their active memberships, by program; none where nobody is found."
    )


def members_out(found: Sequence[Membership], now: dt.datetime) -> list[TillMember]:
    balances, tiers = balances_of(found, now), tiers_now(found, now)
    return [
        TillMember(
            membership=item.public_id,
            customer=item.customer.public_id,
            program=item.program.code,
            name=str(item.customer),
            card_number=item.card_number,
            currency=item.program.currency,
            tier=tiers[item.pk].name if item.pk in tiers else None,
            balances=[
                TillBalance(
                    wallet_type=held.wallet_type.code,
                    decimals=held.wallet_type.scale,
                    spendable=units_text(held.spendable, held.wallet_type.scale),
                    worth=money_text(held.worth),
                    spending=spending_out(
                        replace(spending_terms(held.wallet_type), unit_value=held.value)
                    ),
                )
                for held in balances[item.pk]
            ],
            vouchers=[_voucher(taken) for taken in open_vouchers(item, now)],
            rewards=_rewards(
                item, {held.wallet_type.pk: held.spendable for held in balances[item.pk]}, now
            ),
        )
        for item in found
    ]


def _voucher(taken: Redemption) -> TillVoucher:
    assert taken.voucher is not None
    return TillVoucher(
        id=taken.voucher.public_id, code=taken.voucher.written,
        expires_at=taken.voucher.expires_at, name=taken.reward.name,
    )  # fmt: skip


def _rewards(member: Membership, spendable: dict[int, int], now: dt.datetime) -> list[TillReward]:
    return [
        TillReward(
            id=offer.reward.public_id,
            name=offer.reward.name,
            wallet_type=offer.reward.wallet_type.code,
            decimals=offer.reward.wallet_type.scale,
            price=units_text(offer.price, offer.reward.wallet_type.scale),
            kind=Reward.Kind(offer.reward.kind),
            gives=gives(offer.reward),
            takes_off=offer.reward.takes_off,
            combines=offer.reward.combines,
            stacking_group=offer.reward.stacking_group,
            applies=offer.reward.applies,
        )
        for offer in offers_for(list(offered(member.program)), member, now)
        if not offer.refusals and offer.price <= spendable.get(offer.reward.wallet_type_id, 0)
    ]
