from __future__ import annotations

from django.urls import path

from loyalty.api.v1 import (
    activities,
    adjustment_reasons,
    backtests,
    balances,
    bulk_adjustments,
    claims,
    discounts,
    gifts,
    judgments,
    liability,
    lots,
    memberships,
    order_holds,
    orders,
    pool_members,
    pools,
    programs,
    quotes,
    redemptions,
    refund_previews,
    refunds,
    rules,
    settlements,
    transfers,
)

app_name = "api-loyalty"

MEMBERSHIP = "memberships/<uuid:membership_id>"
POOL = "pools/<uuid:pool_id>"
ACTIVITY = "activities/<uuid:activity_id>"
BULK = "bulk-adjustments/<uuid:bulk_id>"

urlpatterns = [
    path("memberships", memberships.Memberships.as_view(), name="memberships"),
    path(MEMBERSHIP, memberships.OneMembership.as_view(), name="membership"),
    path(f"{MEMBERSHIP}/balances", balances.Balances.as_view(), name="balances"),
    path(f"{MEMBERSHIP}/lots", balances.Lots.as_view(), name="lots"),
    path(
        f"{MEMBERSHIP}/transfers",
        memberships.MembershipTransfers.as_view(),
        name="membership-transfers",
    ),
    path("activities", activities.Activities.as_view(), name="activities"),
    path("activities/batch", activities.ActivitiesBatch.as_view(), name="activities-batch"),
    path(ACTIVITY, activities.OneActivity.as_view(), name="activity"),
    path(f"{ACTIVITY}/approve", activities.ActivityApproval.as_view(), name="activity-approve"),
    path(f"{ACTIVITY}/reject", activities.ActivityRejection.as_view(), name="activity-reject"),
    path(f"{ACTIVITY}/reverse", activities.ActivityReversal.as_view(), name="activity-reverse"),
    path("activity-types", activities.ActivityTypes.as_view(), name="activity-types"),
    path("gifts", gifts.Gifts.as_view(), name="gifts"),
    path(f"{MEMBERSHIP}/settlements", settlements.Settlements.as_view(), name="settlements"),
    path("orders", orders.Orders.as_view(), name="orders"),
    path("orders/batch", orders.OrdersBatch.as_view(), name="orders-batch"),
    path("orders/hold", order_holds.OrderHold.as_view(), name="order-hold"),
    path("orders/release", order_holds.OrderRelease.as_view(), name="order-release"),
    path("orders/confirm", order_holds.OrderConfirmation.as_view(), name="order-confirm"),
    path("orders/claim", claims.Claim.as_view(), name="order-claim"),
    path("orders/unclaim", claims.Unclaim.as_view(), name="order-unclaim"),
    # An order's number may contain anything, also slashes.
    path("orders/<str:source>/<path:external_id>", orders.OneOrder.as_view(), name="order"),
    path("quotes", quotes.Quotes.as_view(), name="quotes"),
    path(
        "order-explanations/<str:source>/<path:external_id>",
        judgments.OrderExplanation.as_view(),
        name="order-explanation",
    ),
    path("refunds", refunds.Refunds.as_view(), name="refunds"),
    path("refunds/preview", refund_previews.RefundPreviews.as_view(), name="refund-preview"),
    path("refunds/<str:source>/<path:external_id>", refunds.OneRefund.as_view(), name="refund"),
    path("lots/<int:lot_id>/extension", lots.LotExtension.as_view(), name="lot-extension"),
    path("redemptions", redemptions.Redemptions.as_view(), name="redemptions"),
    path("transfers", transfers.Transfers.as_view(), name="transfers"),
    path("transfers/<int:transfer_id>", transfers.OneTransfer.as_view(), name="transfer"),
    path(
        "transfers/<int:transfer_id>/reversal",
        transfers.TransferReversal.as_view(),
        name="transfer-reversal",
    ),
    path(
        "adjustment-reasons",
        adjustment_reasons.AdjustmentReasons.as_view(),
        name="adjustment-reasons",
    ),
    path(
        "transfers/<int:transfer_id>/reinstatement",
        lots.Reinstatement.as_view(),
        name="transfer-reinstatement",
    ),
    path("bulk-adjustments", bulk_adjustments.BulkAdjustments.as_view(), name="bulk-adjustments"),
    path(BULK, bulk_adjustments.OneBulkAdjustment.as_view(), name="bulk-adjustment"),
    path(f"{BULK}/rows", bulk_adjustments.BulkRows.as_view(), name="bulk-rows"),
    path(f"{BULK}/post", bulk_adjustments.BulkPosting.as_view(), name="bulk-post"),
    path(f"{BULK}/undo", bulk_adjustments.BulkUndoing.as_view(), name="bulk-undo"),
    path(f"{BULK}/withdraw", bulk_adjustments.BulkWithdrawal.as_view(), name="bulk-withdraw"),
    path(f"{BULK}/resume", bulk_adjustments.BulkResumption.as_view(), name="bulk-resume"),
    path("pools", pools.Pools.as_view(), name="pools"),
    path(POOL, pools.OnePool.as_view(), name="pool"),
    path(f"{POOL}/balances", pools.PoolBalances.as_view(), name="pool-balances"),
    path(f"{POOL}/transfers", pools.PoolTransfers.as_view(), name="pool-transfers"),
    path(f"{POOL}/members", pool_members.PoolMembers.as_view(), name="pool-members"),
    path(
        f"{POOL}/members/<uuid:membership_id>",
        pool_members.OnePoolMember.as_view(),
        name="pool-member",
    ),
    path(
        f"{POOL}/contributions",
        pool_members.PoolContributions.as_view(),
        name="pool-contributions",
    ),
    path(f"{POOL}/withdrawals", pool_members.PoolWithdrawals.as_view(), name="pool-withdrawals"),
    path("backtests", backtests.Backtests.as_view(), name="backtests"),
    path("backtests/<uuid:backtest_id>", backtests.OneBacktest.as_view(), name="backtest"),
    path("programs", programs.Programs.as_view(), name="programs"),
    path("programs/<slug:code>", programs.OneProgram.as_view(), name="program"),
    path(
        "programs/<slug:code>/discounts",
        discounts.ProgramDiscounts.as_view(),
        name="program-discounts",
    ),
    path(
        "programs/<slug:code>/liability",
        liability.ProgramLiability.as_view(),
        name="program-liability",
    ),
    path("programs/<slug:code>/rules", rules.ProgramRules.as_view(), name="program-rules"),
]
