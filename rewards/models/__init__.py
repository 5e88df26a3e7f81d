from rewards.models.access_windows import AccessOpening, AccessWindow
from rewards.models.checkouts import (
    Checkout,
    CheckoutGiftCard,
    CheckoutReward,
    CheckoutUnits,
    CheckoutVoucher,
)
from rewards.models.content import ContentDownload, ContentItem
from rewards.models.events import Event, EventWait
from rewards.models.fulfillment import FulfillmentStep, FulfillmentTask, FulfillmentTerms
from rewards.models.gift_cards import GiftCard, GiftCardBatch
from rewards.models.gifts import GiftDay, GiftOccasion
from rewards.models.overrides import OverrideLimit, StaffOverride
from rewards.models.prizes import RewardPrize
from rewards.models.redemptions import Redemption
from rewards.models.rewards import Reward, RewardPrice
from rewards.models.storefront import Element, Storefront
from rewards.models.tallies import RewardTally
from rewards.models.vouchers import Voucher, VoucherPool, VoucherUse
from rewards.models.wishes import AutoTake, AwaitedWallet, RewardGoal

__all__ = [
    "AccessOpening",
    "AccessWindow",
    "AutoTake",
    "AwaitedWallet",
    "Checkout",
    "CheckoutGiftCard",
    "CheckoutReward",
    "CheckoutUnits",
    "CheckoutVoucher",
    "ContentDownload",
    "ContentItem",
    "Element",
    "Event",
    "EventWait",
    "FulfillmentStep",
    "FulfillmentTask",
    "FulfillmentTerms",
    "GiftCard",
    "GiftCardBatch",
    "GiftDay",
    "GiftOccasion",
    "OverrideLimit",
    "Redemption",
    "Reward",
    "RewardGoal",
    "RewardPrice",
    "RewardPrize",
    "RewardTally",
    "StaffOverride",
    "Storefront",
    "Voucher",
    "VoucherPool",
    "VoucherUse",
]
