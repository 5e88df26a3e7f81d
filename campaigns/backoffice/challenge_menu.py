"""What challenges add to the shells of the back-office: an entry, and a panel about a customer."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from members.audit import register_audit_actions
from members.navigation import NavItem, register_nav_item
from members.panels import register_customer_panel

NAMESPACE = "challenges_backoffice"
ACTIONS = {
    "challenge_levels.changed": _("Changed the levels of challenges"),
    "board_name.hidden": _("Hid a name on leaderboards"),
    "board_name.let_choose": _("Let a member choose a name on leaderboards again"),
}
ITEM = NavItem(
    "challenges", _("Challenges"), f"{NAMESPACE}:challenge_list", "target-arrow", order=37,
    permission="programs.view", match=(f"{NAMESPACE}:",),
)  # fmt: skip


def register() -> None:
    """Add everything; called once, when the application is ready. What happens to them is logged
    as what happens to campaigns."""
    register_nav_item(ITEM)
    register_audit_actions(ACTIONS)
    register_customer_panel(
        "challenges", _("Challenges"), f"{NAMESPACE}:customer_challenges", 27,
        icon="target-arrow", rows=3,
    )  # fmt: skip
