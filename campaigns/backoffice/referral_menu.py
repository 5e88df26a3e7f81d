"""What referrals add to the shells of the back-office: entries, a panel, words of the log."""

from __future__ import annotations

from collections.abc import Collection

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from campaigns.models import Referral
from loyalty.backoffice.risk_facts import register_fact_kind
from members.audit import register_audit_actions, register_audit_fields
from members.navigation import NavItem, register_nav_item
from members.panels import register_customer_panel

NAMESPACE = "referrals_backoffice"
ACTIONS = {
    "referrals.written": _("Wrote what bringing friends brings"),
    "referrals.discarded": _("Threw away what was written about bringing friends"),
    "referrals.published": _("Published what bringing friends brings"),
    "referrals.paused": _("Paused bringing friends"),
    "referrals.resumed": _("Went on with bringing friends"),
    "referral.brought": _("Noted who brought a friend"),
    "referral.approved": _("Let a referral pass"),
    "referral.refused": _("Refused a referral"),
    "affiliate.added": _("Added an affiliate"),
    "affiliate.changed": _("Changed an affiliate"),
    "affiliate.page_renewed": _("Gave an affiliate another address"),
    "affiliate.stopped": _("Stopped an affiliate"),
    "affiliate.paid": _("Noted what an affiliate was paid"),
}


ITEMS = (
    NavItem(
        "referrals", _("Referrals"), f"{NAMESPACE}:referral_list", "user-heart", order=38,
        permission="programs.view", match=(f"{NAMESPACE}:",),
    ),
    NavItem(
        "referral_review", _("Referrals in review"), f"{NAMESPACE}:referral_review", "user-search",
        order=25, permission="points.approve", section="operations",
    ),
)  # fmt: skip


def find_referrals(keys: Collection[int]) -> dict[int, tuple[str, str]]:
    """For the facts of fraud cases."""
    rows = Referral.objects.filter(pk__in=keys).select_related("friend")
    return {
        row.pk: (str(row.friend), reverse(f"{NAMESPACE}:referral", args=[row.public_id]))
        for row in rows
    }


def register() -> None:
    """Add everything; called once, when the application is ready."""
    register_fact_kind("referral", find_referrals)
    for item in ITEMS:
        register_nav_item(item)
    register_audit_actions(ACTIONS)
    register_audit_fields({"code": _("Code")})
    register_customer_panel(
        "referrals", _("Referrals"), f"{NAMESPACE}:referral_panel", 45, icon="user-heart",
        column="side", rows=3,
    )  # fmt: skip
