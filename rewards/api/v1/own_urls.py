"""What a member's own token opens of rewards."""

from __future__ import annotations

from django.urls import path

from loyalty.api.v1.own_urls import OWN
from rewards.api.v1 import own_credit, own_events, own_rewards, own_storefront, own_vouchers

REWARD = f"{OWN}/rewards/<uuid:reward_id>"
EVENT = f"{OWN}/events/<uuid:event_id>"

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
    path(f"{REWARD}/auto-take", own_credit.OwnAutoTake.as_view(), name="own-auto-take"),
    path(f"{OWN}/goal", own_rewards.OwnGoal.as_view(), name="own-goal"),
    path(f"{OWN}/quote", own_rewards.OwnCartQuote.as_view(), name="own-quote"),
    path(f"{OWN}/vouchers", own_vouchers.OwnVouchers.as_view(), name="own-vouchers"),
    path(
        f"{OWN}/vouchers/<uuid:redemption_id>",
        own_vouchers.OwnVoucher.as_view(),
        name="own-voucher",
    ),
    path(f"{OWN}/events", own_events.OwnEvents.as_view(), name="own-events"),
    path(EVENT, own_events.OwnEvent.as_view(), name="own-event"),
    path(f"{EVENT}/wait", own_events.OwnEventWait.as_view(), name="own-event-wait"),
    path(f"{EVENT}/accept", own_events.OwnEventAccepting.as_view(), name="own-event-accepting"),
    path(f"{EVENT}/give-up", own_events.OwnEventGivingUp.as_view(), name="own-event-giving-up"),
    path(f"{OWN}/library", own_events.OwnLibrary.as_view(), name="own-library"),
    path(
        f"{OWN}/library/<uuid:content_id>/link",
        own_events.OwnLibraryLink.as_view(),
        name="own-library-link",
    ),
    path(f"{OWN}/credit", own_credit.OwnCredit.as_view(), name="own-credit"),
    path(f"{OWN}/credit/add", own_credit.OwnCreditAdding.as_view(), name="own-credit-adding"),
    path(f"{OWN}/parcels", own_credit.OwnParcels.as_view(), name="own-parcels"),
    path(
        f"{OWN}/parcels/<uuid:parcel_id>/address",
        own_credit.OwnParcelAddress.as_view(),
        name="own-parcel-address",
    ),
]
