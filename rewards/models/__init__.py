from rewards.models.checkouts import (
    Checkout,
    CheckoutReward,
    CheckoutUnits,
    CheckoutVoucher,
)
from rewards.models.gift_cards import GiftCard, GiftCardBatch
from rewards.models.gifts import GiftDay, GiftOccasion
from rewards.models.redemptions import Redemption
from rewards.models.rewards import Reward, RewardPrice
from rewards.models.vouchers import Voucher, VoucherPool, VoucherUse

__all__ = [
    "Checkout",
    "CheckoutReward",
    "CheckoutUnits",
    "CheckoutVoucher",
    "GiftCard",
    "GiftCardBatch",
    "GiftDay",
    "GiftOccasion",
    "Redemption",
    "Reward",
    "RewardPrice",
    "Voucher",
    "VoucherPool",
    "VoucherUse",
]
