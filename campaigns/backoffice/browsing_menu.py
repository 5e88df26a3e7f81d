"""What browsing adds to the shells of the back-office: an entry, words of the log."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from members.audit import (
    TargetKind,
    register_audit_actions,
    register_audit_fields,
    register_audit_target,
)
from members.navigation import NavItem, register_nav_item

NAMESPACE = "browsing"
ITEM = NavItem(
    "browsing",
    _("Browsing"),
    f"{NAMESPACE}:browsing",
    "eye",
    order=16,
    permission="merchant.edit",
    section="settings",
)


def register() -> None:
    """Called once, when the application is ready."""
    register_nav_item(ITEM)
    register_audit_actions({"browsing.policy": _("Changed what is kept of what members look at")})
    register_audit_fields(
        {"kept_days": _("Days that it is kept"), "shop_browsing": _("What they look at")}
    )
    register_audit_target(
        "campaigns.browsingpolicy",
        TargetKind(_("Browsing"), f"{NAMESPACE}:browsing", takes_id=False),
    )
