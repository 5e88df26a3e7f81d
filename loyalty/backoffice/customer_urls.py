"""Addresses of a customer's page and what is done there: wallets, orders, pools, companies."""

from __future__ import annotations

from django.urls import path

from loyalty.backoffice import (
    activities,
    adjustments,
    card_replacements,
    claims,
    companies,
    company_editing,
    company_imports,
    customers,
    gifts,
    giving,
    leaving,
    lot_changes,
    member_plan_changes,
    member_plans,
    member_tiers,
    memberships,
    occasions,
    order_holds,
    order_list,
    order_refunds,
    orders,
    past,
    pool_editing,
    pool_members,
    pools,
    redeeming,
    redemptions,
    reversals,
    settlements,
    statements,
    suspensions,
    till,
)

urlpatterns = [
    # The customer page
    path("customers/<uuid:public_id>/wallets/", customers.wallet_panel, name="wallet_panel"),
    path("customers/<uuid:public_id>/occasions/", occasions.occasion_panel, name="occasion_panel"),
    path("customers/<uuid:public_id>/tier/", member_tiers.tier_panel, name="tier_panel"),
    path("customers/<uuid:public_id>/plan/", member_plans.plan_panel, name="plan_panel"),
    path("memberships/<uuid:public_id>/plan/", member_plans.plan_join, name="plan_join"),
    path(
        "subscriptions/<uuid:public_id>/change/",
        member_plan_changes.subscription_change,
        name="subscription_change",
    ),
    path(
        "subscriptions/<uuid:public_id>/cancel/",
        member_plans.subscription_cancel,
        name="subscription_cancel",
    ),
    path(
        "subscriptions/<uuid:public_id>/resume/",
        member_plans.subscription_resume,
        name="subscription_resume",
    ),
    path("invoices/<uuid:public_id>/pay/", member_plans.invoice_pay, name="invoice_pay"),
    path("invoices/<uuid:public_id>/refund/", member_plans.invoice_refund, name="invoice_refund"),
    path(
        "invoices/<uuid:public_id>/refund/retry/",
        member_plans.invoice_refund_retry,
        name="invoice_refund_retry",
    ),
    path("memberships/<uuid:public_id>/tier/", member_tiers.tier_give, name="tier_give"),
    path(
        "memberships/<uuid:public_id>/suspension/",
        suspensions.membership_suspension,
        name="membership_suspension",
    ),
    path(
        "memberships/<uuid:public_id>/leave/",
        leaving.membership_leaving,
        name="membership_leaving",
    ),
    path(
        "memberships/<uuid:public_id>/card/",
        card_replacements.membership_card,
        name="membership_card",
    ),
    path("manual-tiers/<uuid:public_id>/end/", member_tiers.tier_end, name="tier_end"),
    path("till/", till.till, name="till"),
    path("customers/<uuid:public_id>/movements/", customers.movement_panel, name="movement_panel"),
    path("customers/<uuid:public_id>/lots/", customers.lot_panel, name="lot_panel"),
    path("customers/<uuid:public_id>/orders/", customers.order_panel, name="order_panel"),
    path(
        "customers/<uuid:public_id>/activities/", activities.activity_panel, name="activity_panel"
    ),
    path("activities/<uuid:public_id>/", activities.activity, name="activity"),
    path("activities/<uuid:public_id>/reject/", activities.activity_reject, name="activity_reject"),
    path(
        "activities/<uuid:public_id>/take-back/",
        activities.activity_reverse,
        name="activity_reverse",
    ),
    path("customers/<uuid:public_id>/past/", past.customer_past, name="customer_past"),
    path(
        "customers/<uuid:public_id>/statement/",
        statements.customer_statement,
        name="customer_statement",
    ),
    path("customers/<uuid:public_id>/enroll/", memberships.enroll, name="enroll"),
    path("customers/<uuid:public_id>/adjust/", adjustments.customer_adjust, name="customer_adjust"),
    path("orders/", order_list.order_list, name="order_list"),
    path("orders/<int:pk>/", orders.order_page, name="order_page"),
    *(
        path(f"orders/<int:pk>/{act}/", order_holds.order_hold, {"act": act}, name=f"order_{act}")
        for act in order_holds.ACTS
    ),
    path("orders/<int:pk>/refund/", order_refunds.order_refund, name="order_refund"),
    path("wallets/<int:pk>/lots/", past.wallet_lots, name="wallet_lots"),
    path("orders/<int:pk>/claim/", claims.order_claim, name="order_claim"),
    path("orders/<int:pk>/unclaim/", claims.order_unclaim, name="order_unclaim"),
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
    path("occasions/<int:pk>/undo/", occasions.occasion_undo, name="occasion_undo"),
    path("wallets/<int:pk>/redeem/", redeeming.wallet_redeem, name="wallet_redeem"),
    path("wallets/<int:pk>/settle/", settlements.wallet_settle, name="wallet_settle"),
    path("lots/<int:pk>/extend/", lot_changes.lot_extend, name="lot_extend"),
    path("movements/<int:pk>/reinstate/", lot_changes.units_reinstate, name="units_reinstate"),
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
    # Companies
    path("companies/", companies.company_list, name="company_list"),
    path("companies/new/", company_editing.company_create, name="company_create"),
    path("companies/import/", company_imports.company_import, name="company_import"),
    path(
        "companies/import/sample/",
        company_imports.company_import_sample,
        name="company_import_sample",
    ),
    path("companies/<uuid:public_id>/", companies.company_page, name="company_page"),
    path("companies/<uuid:public_id>/edit/", company_editing.company_edit, name="company_edit"),
    path(
        "companies/<uuid:public_id>/orders/",
        companies.company_orders_panel,
        name="company_orders",
    ),
    path("customers/<uuid:public_id>/giving/", giving.giving_panel, name="giving_panel"),
    path(
        "memberships/<uuid:public_id>/standing-gifts/<slug:wallet_type>/end/",
        giving.standing_gift_end,
        name="standing_gift_end",
    ),
]
