from __future__ import annotations

from django.urls import path

from rewards.api.v1 import gifts, redemptions, rewards, vouchers

app_name = "api-rewards"

TAKEN = "reward-redemptions/<uuid:redemption_id>"

urlpatterns = [
    path("rewards", rewards.Rewards.as_view(), name="rewards"),
    path("rewards/<uuid:reward_id>", rewards.OneReward.as_view(), name="reward"),
    path("reward-redemptions", redemptions.RewardRedemptions.as_view(), name="reward-redemptions"),
    path(TAKEN, redemptions.OneRewardRedemption.as_view(), name="reward-redemption"),
    path(f"{TAKEN}/issue", redemptions.RedemptionIssue.as_view(), name="reward-redemption-issue"),
    path(f"{TAKEN}/use", redemptions.RedemptionUse.as_view(), name="reward-redemption-use"),
    path(
        f"{TAKEN}/cancel",
        redemptions.RedemptionCancellation.as_view(),
        name="reward-redemption-cancel",
    ),
    path("reward-gifts", gifts.RewardGifts.as_view(), name="reward-gifts"),
    path("vouchers/check", vouchers.VoucherCheck.as_view(), name="voucher-check"),
    path("vouchers/hold", vouchers.VoucherHold.as_view(), name="voucher-hold"),
    path("vouchers/use", vouchers.VoucherUsing.as_view(), name="voucher-use"),
    path("vouchers/release", vouchers.VoucherRelease.as_view(), name="voucher-release"),
]
