"""What campaigns add to the shells of the back-office: an entry, words of the log."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from campaigns.backoffice.campaign_places import find_campaigns
from members.audit import (
    TargetKind,
    register_audit_actions,
    register_audit_fields,
    register_audit_target,
)
from members.navigation import NavItem, register_nav_item
from members.panels import register_customer_panel
from members.places import register_place_finder

NAMESPACE = "campaigns_backoffice"
ACTIONS = {
    "campaign.created": _("Began to write a promotion"),
    "campaign.changed": _("Changed a promotion"),
    "campaign.deleted": _("Threw away the draft of a promotion"),
    "campaign.asked": _("Asked for somebody to publish a promotion"),
    "campaign.sent_back": _("Sent a promotion back"),
    "campaign.published": _("Published a promotion"),
    "campaign.withdrawn": _("Took back a promotion that was to come"),
    "campaign.paused": _("Paused a promotion"),
    "campaign.resumed": _("Went on with a promotion"),
    "campaign.ended": _("Ended a promotion"),
    "campaign.codes_made": _("Added codes to a promotion"),
}
FIELDS = {"number": _("Number"), "from": _("From"), "until": _("Until")}


ITEM = NavItem(
    "campaigns", _("Promotions"), f"{NAMESPACE}:campaign_list", "speakerphone", order=37,
    permission="programs.view", match=(f"{NAMESPACE}:",),
)  # fmt: skip


def register() -> None:
    """Add everything; called once, when the application is ready."""
    register_nav_item(ITEM)
    register_place_finder("campaigns", find_campaigns)
    register_customer_panel(
        "campaigns",
        _("Promotions"),
        f"{NAMESPACE}:customer_campaigns",
        26,
        icon="speakerphone",
        rows=3,
    )
    register_audit_actions(ACTIONS)
    register_audit_fields(FIELDS)
    register_audit_target("campaigns.campaign", TargetKind(_("Promotion"), f"{NAMESPACE}:campaign"))
