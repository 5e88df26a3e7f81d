"""What a member's own token opens."""

from __future__ import annotations

from django.urls import path

from loyalty.api.v1 import own_balances, own_giving, own_memberships

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
    path(f"{OWN}/tier", own_balances.OwnTier.as_view(), name="own-tier"),
    path(f"{OWN}/charities", own_giving.OwnCharities.as_view(), name="own-charities"),
    path(f"{OWN}/donations", own_giving.OwnDonations.as_view(), name="own-donations"),
    path(f"{OWN}/standing-gifts", own_giving.OwnStandingGifts.as_view(), name="own-standing-gifts"),
    path(
        f"{OWN}/standing-gifts/<slug:wallet_type>",
        own_giving.OwnStandingGift.as_view(),
        name="own-standing-gift",
    ),
]
