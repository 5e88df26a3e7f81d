"""What rewards add to the bottom bar of the customer's own pages."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from loyalty.account.home_cards import register_home_card
from members.navigation import NavItem, register_mypage_item
from rewards.account.next_rewards import home_rewards

NAMESPACE = "rewards_account"
ITEM = NavItem(
    "rewards", _("Rewards"), f"{NAMESPACE}:shelf", "gift", order=20,
    match=(
        f"{NAMESPACE}:shelf", f"{NAMESPACE}:reward", f"{NAMESPACE}:voucher",
        f"{NAMESPACE}:parcel", f"{NAMESPACE}:event", f"{NAMESPACE}:content",
        f"{NAMESPACE}:library", f"{NAMESPACE}:credit", f"{NAMESPACE}:gift_card",
    ),
)  # fmt: skip


def register() -> None:
    """Add the entry; called once, when the application is ready."""
    register_mypage_item(ITEM)
    register_home_card("rewards", home_rewards)
