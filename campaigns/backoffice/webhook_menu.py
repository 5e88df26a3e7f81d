"""What webhooks add to the shells of the back-office: entries, a panel, words of the log."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from campaigns.selectors.webhooks import given_up
from campaigns.webhook_addresses import without_secrets
from members.audit import (
    TargetKind,
    register_audit_actions,
    register_audit_fields,
    register_audit_target,
)
from members.navigation import NavItem, register_nav_item
from members.panels import register_home_panel

NAMESPACE = "webhooks"
ITEMS = (
    NavItem(
        "webhooks",
        _("Webhooks"),
        f"{NAMESPACE}:endpoint_list",
        "webhook",
        order=35,
        permission="webhooks.view",
        section="settings",
        match=(f"{NAMESPACE}:endpoint",),
    ),
    NavItem(
        "webhook-deliveries",
        _("Webhook deliveries"),
        f"{NAMESPACE}:delivery_list",
        "send",
        order=60,
        permission="webhooks.view",
        section="operations",
        match=(f"{NAMESPACE}:delivery",),
    ),
)
ACTIONS = {
    "webhook.created": _("Made a webhook"),
    "webhook.changed": _("Changed a webhook"),
    "webhook.switched_on": _("Switched a webhook on"),
    "webhook.switched_off": _("Switched a webhook off"),
    "webhook.secret_rotated": _("Gave a webhook another secret"),
    "webhook.deleted": _("Deleted a webhook"),
    "webhook.pinged": _("Sent a test to a webhook"),
    "webhook.replayed": _("Sent an event again"),
}
FIELDS = {
    "types": _("Events"),
    "overlap_hours": _("Hours in which the secret before still signs"),
    "delivery": _("Delivery"),
    "other_path": _("What follows the host is another"),
}


def register() -> None:
    """Add everything; called once, when the application is ready."""
    for item in ITEMS:
        register_nav_item(item)
    register_home_panel(
        "webhooks", _("Webhooks"), f"{NAMESPACE}:home_panel", 35, "webhooks.view",
        icon="webhook", column="side", rows=1, needed=lambda: bool(given_up()),
    )  # fmt: skip
    register_audit_actions(ACTIONS)
    register_audit_fields(FIELDS)
    register_audit_target(
        "campaigns.webhookendpoint",
        TargetKind(_("Webhook"), f"{NAMESPACE}:endpoint", hides=without_secrets),
    )
