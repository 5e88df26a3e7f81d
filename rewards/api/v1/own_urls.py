"""What a member's own token opens of rewards."""

from __future__ import annotations

from django.urls import path

from loyalty.api.v1.own_urls import OWN
from rewards.api.v1 import own_rewards, own_storefront, own_vouchers

REWARD = f"{OWN}/rewards/<uuid:reward_id>"

urlpatterns = [
    path("me/storefront", own_storefront.OwnStorefront.as_view(), name="own-storefront"),
    path(
        "me/storefront/basket",
        own_storefront.OwnStorefrontBasket.as_view(),
        name="own-storefront-basket",
    ),
    path(f"{OWN}/rewards", own_rewards.OwnRewards.as_view(), name="own-rewards"),
    path(REWARD, own_rewards.OwnReward.as_view(), name="own-reward"),
    path(f"{REWARD}/take", own_rewards.OwnRewardTaking.as_view(), name="own-reward-taking"),
    path(f"{OWN}/goal", own_rewards.OwnGoal.as_view(), name="own-goal"),
    path(f"{OWN}/quote", own_rewards.OwnCartQuote.as_view(), name="own-quote"),
    path(f"{OWN}/vouchers", own_vouchers.OwnVouchers.as_view(), name="own-vouchers"),
    path(
        f"{OWN}/vouchers/<uuid:redemption_id>",
        own_vouchers.OwnVoucher.as_view(),
        name="own-voucher",
    ),
]
