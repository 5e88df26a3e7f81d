"""The back-office screens of rewards, what was taken, and vouchers."""

from __future__ import annotations

from django.urls import path

from rewards.backoffice import (
    bulk_changes,
    checkouts,
    gift_card_acts,
    gift_card_batches,
    gift_cards,
    gifts,
    pictures,
    redemptions,
    rewards,
    shared_codes,
    voucher_pools,
)

app_name = "rewards_backoffice"

CATALOGUE = "programs/<slug:code>/rewards"
REWARD = f"{CATALOGUE}/<slug:reward_code>"
CARD = "gift-cards/<uuid:public_id>"
BATCH = "gift-cards/batches"
TAKEN = "redemptions/<uuid:public_id>"

urlpatterns = [
    path(f"{CATALOGUE}/", rewards.reward_list, name="reward_list"),
    path(f"{CATALOGUE}/new/", rewards.reward_create, name="reward_create"),
    path(f"{CATALOGUE}/change/", bulk_changes.reward_bulk, name="reward_bulk"),
    path(f"{CATALOGUE}/preview/", bulk_changes.reward_preview, name="reward_preview"),
    path("programs/<slug:code>/vouchers/", voucher_pools.pool_list, name="voucher_pool_list"),
    path(
        "programs/<slug:code>/vouchers/new/", voucher_pools.pool_create, name="voucher_pool_create"
    ),
    path(
        "programs/<slug:code>/vouchers/<slug:pool_code>/fill/",
        voucher_pools.pool_fill,
        name="voucher_pool_fill",
    ),
    path(
        "programs/<slug:code>/vouchers/<slug:pool_code>/generate/",
        voucher_pools.pool_generate,
        name="voucher_pool_generate",
    ),
    path(f"{REWARD}/", rewards.reward_page, name="reward_page"),
    path(f"{REWARD}/edit/", rewards.reward_edit, name="reward_edit"),
    path(f"{REWARD}/state/", rewards.reward_state, name="reward_state"),
    path(f"{REWARD}/duplicate/", rewards.reward_duplicate, name="reward_duplicate"),
    path(f"{REWARD}/give/", gifts.reward_give_many, name="reward_give_many"),
    path(f"{REWARD}/days/", gifts.gift_day_start, name="gift_day_start"),
    path("gift-days/<uuid:public_id>/stop/", gifts.gift_day_stop, name="gift_day_stop"),
    path("memberships/<uuid:public_id>/give-reward/", gifts.reward_give, name="reward_give"),
    path(f"{REWARD}/codes/new/", shared_codes.shared_code_create, name="shared_code_create"),
    path(
        "shared-codes/<uuid:public_id>/stop/",
        shared_codes.shared_code_stop,
        name="shared_code_stop",
    ),
    path(f"{REWARD}/picture/", pictures.reward_picture, name="reward_picture"),
    path(f"{REWARD}/move/", rewards.reward_move, name="reward_move"),
    path("rewards/<uuid:public_id>/", rewards.reward_by_id, name="reward_by_id"),
    path("redemptions/", redemptions.redemption_list, name="redemption_list"),
    path(f"{TAKEN}/cancel/", redemptions.redemption_cancel, name="redemption_cancel"),
    path(f"{TAKEN}/reopen/", redemptions.redemption_reopen, name="redemption_reopen"),
    path(f"{TAKEN}/use/", redemptions.redemption_use, name="redemption_use"),
    path(
        "customers/<uuid:public_id>/rewards/",
        redemptions.redemption_panel,
        name="redemption_panel",
    ),
    path("customers/<uuid:public_id>/carts/", checkouts.checkout_panel, name="checkout_panel"),
    path("carts/<uuid:public_id>/cancel/", checkouts.checkout_cancel, name="checkout_cancel"),
    path("gift-cards/", gift_cards.gift_card_list, name="gift_card_list"),
    path("gift-cards/new/", gift_card_acts.gift_card_issue, name="gift_card_issue"),
    path(f"{BATCH}/", gift_card_batches.batch_list, name="gift_card_batch_list"),
    path(f"{BATCH}/new/", gift_card_batches.batch_create, name="gift_card_batch_create"),
    path(
        f"{BATCH}/<uuid:public_id>/codes/",
        gift_card_batches.batch_codes,
        name="gift_card_batch_codes",
    ),
    path(
        f"{BATCH}/<uuid:public_id>/forget/",
        gift_card_batches.batch_forget,
        name="gift_card_batch_forget",
    ),
    path(f"{CARD}/", gift_cards.gift_card_page, name="gift_card_page"),
    path(f"{CARD}/block/", gift_card_acts.gift_card_block, name="gift_card_block"),
    path(f"{CARD}/unblock/", gift_card_acts.gift_card_unblock, name="gift_card_unblock"),
    path(f"{CARD}/replace/", gift_card_acts.gift_card_replace, name="gift_card_replace"),
    path(f"{CARD}/cancel/", gift_card_acts.gift_card_cancel, name="gift_card_cancel"),
    path(f"{CARD}/top-up/", gift_card_acts.gift_card_top_up, name="gift_card_top_up"),
    path(f"{CARD}/forget/", gift_card_acts.gift_card_forget, name="gift_card_forget"),
    path(
        "customers/<uuid:public_id>/gift-cards/",
        gift_cards.gift_card_panel,
        name="gift_card_panel",
    ),
    path("memberships/<uuid:public_id>/reward/", redemptions.reward_take, name="reward_take"),
]
