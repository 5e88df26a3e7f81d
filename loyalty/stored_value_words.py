"""Stored value in words: what its movements are, and its accounts in the journal."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

# By the role of the account in the journal.
ACCOUNT_NAMES = {
    "stored_value": _l("Owed on gift cards and store credit"),
    "stored_value_sold": _l("Sold as gift cards"),
    "stored_value_refunded": _l("Refunded as store credit"),
    "stored_value_spent": _l("Paid with gift cards and store credit"),
    "stored_value_expired": _l("Stored value that expired"),
}


def deposit_title(details: dict[str, Any]) -> str:
    """Of what was paid in, by where it came from."""
    order: str = details.get("order", "")
    match details.get("paid"):
        case "sold":
            return _("Gift card was paid")
        case "opening":
            return _("Opening balance")
        case "top_up":
            return _("Gift card was topped up")
        case "order" if order:
            return _("Order %s was refunded as store credit") % order
        case "reward":
            return str(_("Reward: %s") % details["reward"])
    return _("Paid in")


def moved_title(last_four: str) -> str:
    """Of what went from a gift card to a member's own credit."""
    return _("From gift card ending in %s") % last_four
