"""What the calendar adds to the back-office: an entry, words of the log."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from members.audit import register_audit_actions, register_audit_fields
from members.navigation import NavItem, register_nav_item

NAMESPACE = "calendar_backoffice"
ACTIONS = {
    "season.created": _("Added a season"),
    "season.changed": _("Changed a season"),
    "season.moved": _("Changed when a season is in a year"),
    "season.archived": _("Put a season away"),
    "quarter.planned": _("Said what a quarter shall come to"),
    "calendar_feed.opened": _("Made an address for their own calendar"),
    "calendar_feed.closed": _("Took back the address for their own calendar"),
}
FIELDS = {
    "season": _("Season"), "quarter": _("Quarter"), "aim": _("Aim"), "revenue": _("Sales"),
    "budget": _("Budget"),
}  # fmt: skip
ITEM = NavItem(
    "calendar", _("Calendar"), f"{NAMESPACE}:calendar", "calendar-event", order=36,
    permission="programs.view", match=(f"{NAMESPACE}:",),
)  # fmt: skip


def register() -> None:
    """Add everything; called once, when the application is ready."""
    register_nav_item(ITEM)
    register_audit_actions(ACTIONS)
    register_audit_fields(FIELDS)
