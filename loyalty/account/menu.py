"""The entries of the bottom bar on the customer's own pages."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.navigation import NavItem, register_mypage_item

ITEMS = (
    NavItem("home", _("Home"), "mypage:home", "home", order=10, match=("mypage:home",)),
    NavItem("earn", _("Earn"), "mypage:earn", "sparkles", order=30, match=("mypage:earn",)),
    NavItem(
        "history",
        _("History"),
        "mypage:history",
        "history",
        order=40,
        match=("mypage:history", "mypage:purchase"),
    ),
    NavItem(
        "card",
        pgettext_lazy("of a member", "Card"),
        "mypage:card",
        "qrcode",
        order=50,
        match=("mypage:card",),
    ),
    NavItem("me", pgettext_lazy("page of the customer", "Me"), "mypage:profile", "user", order=60),
)


def register() -> None:
    """Add the entries; called once, when the application is ready."""
    for item in ITEMS:
        register_mypage_item(item)
