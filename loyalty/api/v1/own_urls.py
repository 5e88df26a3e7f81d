"""What a member's own token opens."""

from __future__ import annotations

from django.urls import path

from loyalty.api.v1 import (
    own_balances,
    own_gifts,
    own_giving,
    own_memberships,
    own_passes,
    own_plans,
    own_pools,
    own_rules,
    statements,
)

OWN = "me/memberships/<uuid:membership_id>"

urlpatterns = [
    path("me/memberships", own_memberships.OwnMemberships.as_view(), name="own-memberships"),
    path(OWN, own_memberships.OwnMembership.as_view(), name="own-membership"),
    path(f"{OWN}/leave", own_memberships.OwnMembershipLeaving.as_view(), name="own-leaving"),
    path(f"{OWN}/balances", own_balances.OwnBalances.as_view(), name="own-balances"),
    path(f"{OWN}/lots", own_balances.OwnLots.as_view(), name="own-lots"),
    path(f"{OWN}/transfers", own_balances.OwnTransfers.as_view(), name="own-transfers"),
    path(
        f"{OWN}/transfers/<int:transfer_id>",
        own_balances.OwnTransfer.as_view(),
        name="own-transfer",
    ),
    path(f"{OWN}/rules", own_rules.OwnRules.as_view(), name="own-rules"),
    path(f"{OWN}/plan", own_plans.OwnPlan.as_view(), name="own-plan"),
    path(f"{OWN}/plan/change", own_plans.OwnPlanChange.as_view(), name="own-plan-change"),
    path(f"{OWN}/plan/cancel", own_plans.OwnPlanCancel.as_view(), name="own-plan-cancel"),
    path(f"{OWN}/plan/resume", own_plans.OwnPlanResume.as_view(), name="own-plan-resume"),
    path(f"{OWN}/statement", statements.OwnStatement.as_view(), name="own-statement"),
    path(f"{OWN}/statement/file", statements.OwnStatementFile.as_view(), name="own-statement-file"),
    path(f"{OWN}/wallet-passes", own_passes.OwnWalletPasses.as_view(), name="own-wallet-passes"),
    path(f"{OWN}/wallet-passes/apple", own_passes.OwnApplePass.as_view(), name="own-apple-pass"),
    path(f"{OWN}/tier", own_balances.OwnTier.as_view(), name="own-tier"),
    path(f"{OWN}/charities", own_giving.OwnCharities.as_view(), name="own-charities"),
    path(f"{OWN}/donations", own_giving.OwnDonations.as_view(), name="own-donations"),
    path(f"{OWN}/standing-gifts", own_giving.OwnStandingGifts.as_view(), name="own-standing-gifts"),
    path(
        f"{OWN}/standing-gifts/<slug:wallet_type>",
        own_giving.OwnStandingGift.as_view(),
        name="own-standing-gift",
    ),
    path(f"{OWN}/gifts", own_gifts.OwnGifts.as_view(), name="own-gifts"),
    path(f"{OWN}/purchases", own_gifts.OwnPurchases.as_view(), name="own-purchases"),
    path(f"{OWN}/pool", own_pools.OwnPool.as_view(), name="own-pool"),
    path(f"{OWN}/pool/moves", own_pools.OwnPoolMoves.as_view(), name="own-pool-moves"),
    path(f"{OWN}/pool/leave", own_pools.OwnPoolLeaving.as_view(), name="own-pool-leaving"),
    path(f"{OWN}/pool/requests", own_pools.OwnSpendRequests.as_view(), name="own-spend-requests"),
    path(
        f"{OWN}/pool/requests/<uuid:request_id>/decision",
        own_pools.OwnSpendDecision.as_view(),
        name="own-spend-decision",
    ),
    path(
        f"{OWN}/pool/requests/<uuid:request_id>/withdraw",
        own_pools.OwnSpendWithdrawal.as_view(),
        name="own-spend-withdrawal",
    ),
]
