"""What connections add to the shells of the back-office: entries, a panel, words of the log."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.selectors.connections import troubled
from campaigns.webhook_addresses import without_secrets
from members.audit import (
    TargetKind,
    register_audit_actions,
    register_audit_fields,
    register_audit_target,
)
from members.navigation import NavItem, register_nav_item
from members.panels import register_home_panel

NAMESPACE = "connections"
ITEMS = (
    NavItem(
        "connections",
        _("Connections"),
        f"{NAMESPACE}:connection_list",
        "plug-connected",
        order=34,
        permission="connections.view",
        section="settings",
        match=(f"{NAMESPACE}:connection",),
    ),
    NavItem(
        "messages-in",
        _("What came in"),
        f"{NAMESPACE}:message_list",
        "inbox",
        order=59,
        permission="connections.view",
        section="operations",
        match=(f"{NAMESPACE}:message",),
    ),
)
ACTIONS = {
    "connection.created": _("Made a connection"),
    "connection.changed": _("Changed a connection"),
    "connection.secret_set": _("Set the secret of a connection"),
    "connection.api_set": _("Set what opens the API of a connection"),
    "connection.switched_on": _("Switched a connection on"),
    "connection.switched_off": _("Switched a connection off"),
    "connection.replayed": _("Had what came in taken in again"),
    "connection.deleted": _("Deleted a connection"),
}
FIELDS = {
    "source": _("Source"),
    "customer_prefix": _("Before customer numbers"),
    "shop_url": _("Address of the shop"),
    "mapping": _("Mapping"),
    "message": _("Message"),
    "messages": _("Messages"),
}


def register() -> None:
    """Add everything; called once, when the application is ready."""
    for item in ITEMS:
        register_nav_item(item)
    register_home_panel(
        "connections", _("Connections"), f"{NAMESPACE}:home_panel", 34, "connections.view",
        icon="plug-connected", column="side", rows=1,
        needed=lambda: bool(troubled(now=timezone.now())),
    )  # fmt: skip
    register_audit_actions(ACTIONS)
    register_audit_fields(FIELDS)
    register_audit_target(
        "campaigns.connection",
        TargetKind(_("Connection"), f"{NAMESPACE}:connection", hides=without_secrets),
    )
