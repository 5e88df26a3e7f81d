"""The back-office screens of rewards, what was taken, and vouchers."""

from __future__ import annotations

from django.urls import path

from rewards.backoffice import (
    access_windows,
    bulk_changes,
    checkouts,
    content,
    events,
    fulfillment,
    fulfillment_queue,
    gift_card_acts,
    gift_card_batches,
    gift_cards,
    gifts,
    override_limits,
    pictures,
    redemptions,
    rewards,
    shared_codes,
    storefront,
    voucher_pools,
)

app_name = "rewards_backoffice"

CATALOG = "programs/<slug:code>/rewards"
REWARD = f"{CATALOG}/<slug:reward_code>"
CARD = "gift-cards/<uuid:public_id>"
BATCH = "gift-cards/batches"
TAKEN = "redemptions/<uuid:public_id>"
EVENTS = "programs/<slug:code>/events"
EVENT = f"{EVENTS}/<slug:event_code>"
CONTENT = "programs/<slug:code>/library"
WINDOWS = "programs/<slug:code>/early-access"
TASK = "fulfillment/<uuid:public_id>"

urlpatterns = [
    path("settings/storefront/", storefront.storefront, name="storefront"),
    path("settings/exceptions/", override_limits.override_limit_list, name="override_limit_list"),
    path(
        "settings/exceptions/<slug:role>/",
        override_limits.override_limit_edit,
        name="override_limit_edit",
    ),
    path(f"{TAKEN}/minimum/", redemptions.redemption_minimum, name="redemption_minimum"),
    path(f"{CATALOG}/", rewards.reward_list, name="reward_list"),
    path(f"{CATALOG}/new/", rewards.reward_create, name="reward_create"),
    path(f"{CATALOG}/change/", bulk_changes.reward_bulk, name="reward_bulk"),
    path(f"{CATALOG}/preview/", bulk_changes.reward_preview, name="reward_preview"),
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
    path(f"{EVENTS}/", events.event_list, name="event_list"),
    path(f"{EVENTS}/new/", events.event_create, name="event_create"),
    path(f"{EVENT}/", events.event_page, name="event_page"),
    path(f"{EVENT}/edit/", events.event_edit, name="event_edit"),
    path(f"{EVENT}/state/", events.event_state, name="event_state"),
    path(f"{EVENT}/cancel/", events.event_cancel, name="event_cancel"),
    path(f"{EVENT}/check-in/", events.event_check_in, name="event_check_in"),
    path(f"{EVENT}/no-show/", events.event_no_show, name="event_no_show"),
    path(f"{CONTENT}/", content.content_list, name="content_list"),
    path(f"{CONTENT}/new/", content.content_create, name="content_create"),
    path(f"{CONTENT}/<slug:item_code>/", content.content_edit, name="content_edit"),
    path(f"{WINDOWS}/", access_windows.window_list, name="window_list"),
    path(f"{WINDOWS}/new/", access_windows.window_create, name="window_create"),
    path(f"{WINDOWS}/<slug:window_code>/", access_windows.window_edit, name="window_edit"),
    path(
        f"{WINDOWS}/<slug:window_code>/archive/",
        access_windows.window_archive,
        name="window_archive",
    ),
    path("fulfillment/", fulfillment_queue.task_list, name="task_list"),
    path("fulfillment/steps/", fulfillment_queue.task_steps, name="task_steps"),
    path("fulfillment/undo/", fulfillment_queue.task_undo, name="task_undo"),
    path("fulfillment/file/", fulfillment_queue.task_csv, name="task_csv"),
    path("fulfillment/labels/", fulfillment_queue.task_labels, name="task_labels"),
    path("programs/<slug:code>/fulfillment/", fulfillment_queue.task_days, name="task_days"),
    path(f"{TASK}/", fulfillment.task_page, name="task"),
    path(f"{TASK}/address/", fulfillment.task_address, name="task_address"),
    path(f"{TASK}/assign/", fulfillment.task_assign, name="task_assign"),
    path(f"{TASK}/<slug:to>/", fulfillment.task_advance, name="task_advance"),
    path("customers/<uuid:public_id>/parcels/", fulfillment.task_panel, name="task_panel"),
    path("customers/<uuid:public_id>/parcels/forget/", fulfillment.task_forget, name="task_forget"),
    path("memberships/<uuid:public_id>/parcel/", fulfillment.task_give, name="task_give"),
]
