from __future__ import annotations

from django.urls import path

from rewards.api.v1 import (
    access,
    checkout_quotes,
    checkouts,
    content,
    events,
    fulfillment,
    gift_card_uses,
    gift_cards,
    gifts,
    redemptions,
    rewards,
    storefront,
    till,
    vouchers,
)
from rewards.api.v1.own_urls import urlpatterns as own

app_name = "api-rewards"

CHECKOUT = "checkouts/<uuid:checkout_id>"


CARD = "gift-cards/<uuid:card_id>"
TAKEN = "reward-redemptions/<uuid:redemption_id>"
TASK = "fulfillment-tasks/<uuid:task_id>"
EVENT = "events/<uuid:event_id>"
WAIT = "event-waits/<uuid:wait_id>"

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
    path("checkouts", checkouts.Checkouts.as_view(), name="checkouts"),
    path("checkouts/quote", checkout_quotes.CartQuotes.as_view(), name="checkout-quote"),
    path(CHECKOUT, checkouts.OneCheckout.as_view(), name="checkout"),
    path(f"{CHECKOUT}/commit", checkouts.CheckoutCommit.as_view(), name="checkout-commit"),
    path(f"{CHECKOUT}/cancel", checkouts.CheckoutCancel.as_view(), name="checkout-cancel"),
    path("till/people", till.TillPeople.as_view(), name="till-people"),
    path("till/sales", till.TillSales.as_view(), name="till-sales"),
    path("till/sync", till.TillSync.as_view(), name="till-sync"),
    path("gift-cards", gift_cards.GiftCards.as_view(), name="gift-cards"),
    path("gift-cards/check", gift_card_uses.GiftCardCheck.as_view(), name="gift-card-check"),
    path(
        "gift-cards/activate",
        gift_card_uses.GiftCardActivation.as_view(),
        name="gift-card-activate",
    ),
    path("gift-cards/redeem", gift_card_uses.GiftCardPayment.as_view(), name="gift-card-redeem"),
    path("gift-cards/move", gift_card_uses.GiftCardMove.as_view(), name="gift-card-move"),
    path(CARD, gift_cards.OneGiftCard.as_view(), name="gift-card"),
    path(f"{CARD}/movements", gift_cards.GiftCardMovements.as_view(), name="gift-card-movements"),
    path(f"{CARD}/refund", gift_card_uses.GiftCardRefund.as_view(), name="gift-card-refund"),
    path(f"{CARD}/top-up", gift_card_uses.GiftCardTopUp.as_view(), name="gift-card-top-up"),
    path(f"{CARD}/block", gift_cards.GiftCardBlock.as_view(), name="gift-card-block"),
    path(f"{CARD}/unblock", gift_cards.GiftCardUnblock.as_view(), name="gift-card-unblock"),
    path(f"{CARD}/replace", gift_cards.GiftCardReplacement.as_view(), name="gift-card-replace"),
    path(f"{CARD}/cancel", gift_cards.GiftCardCancellation.as_view(), name="gift-card-cancel"),
    path(
        "store-credit/refunds", gift_card_uses.CreditRefunds.as_view(), name="store-credit-refunds"
    ),
    path("vouchers/check", vouchers.VoucherCheck.as_view(), name="voucher-check"),
    path("vouchers/hold", vouchers.VoucherHold.as_view(), name="voucher-hold"),
    path("vouchers/use", vouchers.VoucherUsing.as_view(), name="voucher-use"),
    path("vouchers/release", vouchers.VoucherRelease.as_view(), name="voucher-release"),
    path("access/check", access.AccessCheck.as_view(), name="access-check"),
    path("access/windows", access.AccessWindows.as_view(), name="access-windows"),
    path("content", content.Content.as_view(), name="content"),
    path("content/<uuid:content_id>/link", content.ContentLink.as_view(), name="content-link"),
    path("storefront", storefront.StorefrontSettings.as_view(), name="storefront"),
    path("storefront/earn", storefront.StorefrontEarn.as_view(), name="storefront-earn"),
    path("storefront/basket", storefront.StorefrontBaskets.as_view(), name="storefront-basket"),
    path("storefront/tiers", storefront.StorefrontTiers.as_view(), name="storefront-tiers"),
    path("events", events.Events.as_view(), name="events"),
    path(EVENT, events.OneEvent.as_view(), name="event"),
    path(f"{EVENT}/waiting-list", events.EventWaitingList.as_view(), name="event-waiting-list"),
    path(f"{EVENT}/check-in", events.EventCheckIn.as_view(), name="event-check-in"),
    path(f"{EVENT}/cancel", events.EventCancellation.as_view(), name="event-cancel"),
    path(WAIT, events.OneEventWait.as_view(), name="event-wait"),
    path(f"{WAIT}/accept", events.EventWaitAccept.as_view(), name="event-wait-accept"),
    path(f"{WAIT}/leave", events.EventWaitLeave.as_view(), name="event-wait-leave"),
    path("fulfillment-tasks", fulfillment.FulfillmentTasks.as_view(), name="fulfillment-tasks"),
    path(TASK, fulfillment.OneFulfillmentTask.as_view(), name="fulfillment-task"),
    path(f"{TASK}/address", fulfillment.FulfillmentAddress.as_view(), name="fulfillment-address"),
    path(f"{TASK}/advance", fulfillment.FulfillmentAdvance.as_view(), name="fulfillment-advance"),
    *own,
]
