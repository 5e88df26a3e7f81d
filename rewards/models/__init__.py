from rewards.models.gifts import GiftDay, GiftOccasion
from rewards.models.redemptions import Redemption
from rewards.models.rewards import Reward, RewardPrice
from rewards.models.vouchers import Voucher, VoucherPool, VoucherUse

__all__ = [
    "GiftDay",
    "GiftOccasion",
    "Redemption",
    "Reward",
    "RewardPrice",
    "Voucher",
    "VoucherPool",
    "VoucherUse",
]
