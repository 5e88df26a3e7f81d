"""Which foreign keys lead from rows of this application to their program
(`members.program_scope`)."""

from __future__ import annotations

from members.program_scope import Way, register_ways
from rewards import models as m

_PROGRAM, _REWARD, _MEMBER = ("program",), ("reward",), ("membership",)

WAYS: dict[type, Way] = {
    m.Reward: _PROGRAM,
    m.RewardPrice: _REWARD,
    m.RewardTally: _REWARD,
    m.RewardPrize: _REWARD,
    m.RewardGoal: _REWARD,
    m.AutoTake: _REWARD,
    m.AwaitedWallet: ("wallet_type",),
    m.VoucherPool: _PROGRAM,
    m.Voucher: _PROGRAM,
    m.VoucherUse: ("voucher",),
    m.GiftCardBatch: _PROGRAM,
    m.GiftCard: _PROGRAM,
    m.Redemption: _REWARD,
    m.StaffOverride: ("redemption",),
    m.Checkout: _MEMBER,
    m.CheckoutUnits: ("checkout",),
    m.CheckoutGiftCard: ("checkout",),
    m.CheckoutReward: ("checkout",),
    m.CheckoutVoucher: ("checkout",),
    m.ContentItem: _PROGRAM,
    m.ContentDownload: ("item",),
    m.AccessWindow: _PROGRAM,
    m.AccessOpening: ("window",),
    m.Event: _REWARD,
    m.EventWait: ("event",),
    m.FulfillmentTerms: _PROGRAM,
    m.FulfillmentTask: _PROGRAM,
    m.FulfillmentStep: ("task",),
    m.GiftDay: _REWARD,
    m.GiftOccasion: ("gift_day",),
    m.Storefront: ("program?",),
}


def register() -> None:
    register_ways(WAYS)
