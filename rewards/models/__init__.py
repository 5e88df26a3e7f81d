from rewards.models.redemptions import Redemption
from rewards.models.rewards import Reward, RewardPrice
from rewards.models.vouchers import Voucher, VoucherPool, VoucherUse

__all__ = [
    "Redemption",
    "Reward",
    "RewardPrice",
    "Voucher",
    "VoucherPool",
    "VoucherUse",
]
