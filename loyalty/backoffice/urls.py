"""The back-office screens of programs, wallets, orders and imports."""

from __future__ import annotations

from django.urls import path

from loyalty.backoffice import (
    adjustments,
    approvals,
    bulk,
    customers,
    figures,
    gifts,
    home,
    imports,
    limits,
    line_values,
    memberships,
    order_holds,
    order_refunds,
    orders,
    past,
    pool_editing,
    pool_members,
    pools,
    program_editing,
    programs,
    reasons,
    redemptions,
    reversals,
)

app_name = "loyalty_backoffice"

urlpatterns = [
    # The customer page
    path("customers/<uuid:public_id>/wallets/", customers.wallet_panel, name="wallet_panel"),
    path("customers/<uuid:public_id>/movements/", customers.movement_panel, name="movement_panel"),
    path("customers/<uuid:public_id>/orders/", customers.order_panel, name="order_panel"),
    path("customers/<uuid:public_id>/past/", past.customer_past, name="customer_past"),
    path("customers/<uuid:public_id>/enroll/", memberships.enroll, name="enroll"),
    path("customers/<uuid:public_id>/adjust/", adjustments.customer_adjust, name="customer_adjust"),
    path("orders/<int:pk>/", orders.order_page, name="order_page"),
    *(
        path(f"orders/<int:pk>/{act}/", order_holds.order_hold, {"act": act}, name=f"order_{act}")
        for act in order_holds.ACTS
    ),
    path("orders/<int:pk>/refund/", order_refunds.order_refund, name="order_refund"),
    path("wallets/<int:pk>/lots/", past.wallet_lots, name="wallet_lots"),
    path("wallets/<int:pk>/adjust/", adjustments.wallet_adjust, name="wallet_adjust"),
    path(
        "wallets/<int:pk>/adjust/preview/",
        adjustments.wallet_adjust_preview,
        name="wallet_adjust_preview",
    ),
    path("customers/<uuid:public_id>/give/", gifts.customer_give, name="customer_give"),
    path("wallets/<int:pk>/give/", gifts.wallet_give, name="wallet_give"),
    path("wallets/<int:pk>/give/preview/", gifts.wallet_give_preview, name="wallet_give_preview"),
    path("customers/<uuid:public_id>/pool/", pools.pool_panel, name="pool_panel"),
    path("gifts/<int:pk>/undo/", gifts.gift_undo, name="gift_undo"),
    path("movements/<int:pk>/give-back/", redemptions.redemption_undo, name="redemption_undo"),
    path("movements/<int:pk>/undo/", reversals.transfer_undo, name="transfer_undo"),
    # Pools
    path("pools/", pools.pool_list, name="pool_list"),
    path("pools/new/", pool_editing.pool_create, name="pool_create"),
    path("pools/<uuid:public_id>/", pools.pool_page, name="pool_page"),
    path("pools/<uuid:public_id>/edit/", pool_editing.pool_edit, name="pool_edit"),
    path("pools/<uuid:public_id>/close/", pool_editing.pool_close, name="pool_close"),
    path(
        "pools/<uuid:public_id>/members/add/", pool_members.pool_member_add, name="pool_member_add"
    ),
    path(
        "pools/<uuid:public_id>/members/<int:pk>/",
        pool_members.pool_member_edit,
        name="pool_member_edit",
    ),
    path(
        "pools/<uuid:public_id>/members/<int:pk>/remove/",
        pool_members.pool_member_remove,
        name="pool_member_remove",
    ),
    path("pools/<uuid:public_id>/members/<int:pk>/move/", pool_members.pool_move, name="pool_move"),
    path(
        "pools/<uuid:public_id>/members/<int:pk>/move/preview/",
        pool_members.pool_move_preview,
        name="pool_move_preview",
    ),
    # Programs
    path("programs/", programs.program_list, name="program_list"),
    path("program/new/", program_editing.program_create, name="program_create"),
    path("program/new/code/", program_editing.program_code, name="program_code"),
    path("program/example/", program_editing.program_example, name="program_example"),
    path("program/lines/<slug:name>/add/", line_values.line_values_add, name="line_values_add"),
    path("program/lines/<slug:name>/", line_values.line_value_options, name="line_value_options"),
    path("programs/<uuid:public_id>/", programs.program_by_id, name="program_by_id"),
    path("programs/<slug:code>/", programs.program_page, name="program_page"),
    path("programs/<slug:code>/edit/", program_editing.program_edit, name="program_edit"),
    path("programs/<slug:code>/publish/", programs.program_publish, name="program_publish"),
    path("programs/<slug:code>/archive/", programs.program_archive, name="program_archive"),
    path("programs/<slug:code>/export/", programs.program_export, name="program_export"),
    path("programs/<slug:code>/figures/", figures.program_figures, name="program_figures"),
    path("programs/<slug:code>/trend/", figures.program_trend, name="program_trend"),
    # Imports
    path("imports/", imports.import_list, name="import_list"),
    path("imports/new/", imports.import_create, name="import_create"),
    path("imports/samples/<slug:name>/", imports.import_sample, name="import_sample"),
    path("imports/<uuid:public_id>/", imports.import_page, name="import_page"),
    path("imports/<uuid:public_id>/errors/", imports.import_errors, name="import_errors"),
    path("imports/<uuid:public_id>/resume/", imports.import_resume, name="import_resume"),
    path("imports/<uuid:public_id>/cancel/", imports.import_cancel, name="import_cancel"),
    # Approvals and bulk adjustments
    path("approvals/", approvals.approval_list, name="approval_list"),
    path("approvals/<uuid:public_id>/", approvals.approval, name="approval"),
    path("approvals/<uuid:public_id>/reject/", approvals.approval_reject, name="approval_reject"),
    path(
        "approvals/<uuid:public_id>/withdraw/",
        approvals.approval_withdraw,
        name="approval_withdraw",
    ),
    path("bulk/", bulk.bulk_list, name="bulk_list"),
    path("bulk/new/<slug:kind>/", bulk.bulk_create, name="bulk_create"),
    path("bulk/samples/<slug:kind>/", bulk.bulk_sample, name="bulk_sample"),
    path("bulk/<uuid:public_id>/", bulk.bulk_page, name="bulk_page"),
    path("bulk/jobs/<uuid:public_id>/", bulk.bulk_of_job, name="bulk_of_job"),
    path("bulk/<uuid:public_id>/problems/", bulk.bulk_problems, name="bulk_problems"),
    path("bulk/<uuid:public_id>/post/", bulk.bulk_post, name="bulk_post"),
    path("bulk/<uuid:public_id>/approve/", bulk.bulk_approve, name="bulk_approve"),
    path("bulk/<uuid:public_id>/reject/", bulk.bulk_reject, name="bulk_reject"),
    path("bulk/<uuid:public_id>/withdraw/", bulk.bulk_withdraw, name="bulk_withdraw"),
    path("bulk/<uuid:public_id>/undo/", bulk.bulk_undo, name="bulk_undo"),
    path("bulk/<uuid:public_id>/stop/", bulk.bulk_stop, name="bulk_stop"),
    path("bulk/<uuid:public_id>/resume/", bulk.bulk_resume, name="bulk_resume"),
    # Settings
    path("reasons/", reasons.reason_list, name="reason_list"),
    path("reasons/new/", reasons.reason_create, name="reason_create"),
    path("reasons/<int:pk>/", reasons.reason_edit, name="reason_edit"),
    path("limits/", limits.limit_list, name="limit_list"),
    path("limits/new/", limits.limit_create, name="limit_create"),
    path("limits/<int:pk>/", limits.limit_edit, name="limit_edit"),
    path("limits/<int:pk>/remove/", limits.limit_remove, name="limit_remove"),
    # Home
    path("home/attention/", home.attention_panel, name="attention_panel"),
    path("home/figures/", figures.figures_panel, name="figures_panel"),
    path("home/trend/", figures.trend_panel, name="trend_panel"),
    path("home/movements/", home.feed_panel, name="feed_panel"),
]
