"""What pools add to the shells of the back-office: an entry, a panel, words of the log."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from loyalty.timeline import pool_events
from members.audit import (
    TargetKind,
    register_audit_actions,
    register_audit_fields,
    register_audit_target,
)
from members.navigation import NavItem, register_nav_item
from members.panels import register_customer_panel
from members.timeline import register_timeline_source

NAMESPACE = "loyalty_backoffice"


def register() -> None:
    """Add everything; called once, when the application is ready."""
    register_nav_item(
        NavItem(
            "pools", _("Pools"), f"{NAMESPACE}:pool_list", "home-heart", order=25,
            permission="customers.view", match=(f"{NAMESPACE}:pool",), shortcut="g o",
        )
    )  # fmt: skip
    register_nav_item(
        NavItem(
            "companies", _("Companies"), f"{NAMESPACE}:company_list", "building", order=26,
            permission="customers.view", match=(f"{NAMESPACE}:company",), shortcut="g k",
        )
    )  # fmt: skip
    register_customer_panel(
        "pool", _("Pool"), f"{NAMESPACE}:pool_panel", 8, icon="home-heart", column="side", rows=3
    )
    register_timeline_source(pool_events, "membership")
    _register_audit()


def _register_audit() -> None:
    register_audit_actions(
        {
            "pool.created": _("Founded a pool"),
            "pool.changed": _("Changed a pool"),
            "pool.closed": _("Closed a pool"),
            "pool.joined": _("Joined a pool"),
            "pool.left": _("Left a pool"),
            "pool.member_changed": _("Changed a member of a pool"),
            "pool.put_in": _("Put into a pool"),
            "pool.taken": _("Taken from a pool"),
            "company.changed": _("Changed a company"),
            "spending.asked": _("Asked to spend for a company"),
            "spending.approved": _("Approved what a buyer asked for"),
            "spending.rejected": _("Rejected what a buyer asked for"),
            "spending.withdrawn": _("Withdrew what was asked for"),
        }
    )
    register_audit_target("loyalty.pool", TargetKind(_("Pool"), f"{NAMESPACE}:pool_page"))
    register_audit_fields(
        {
            "pool": _("Pool"),
            "role": _("Role"),
            "may_spend": _("May spend"),
            "contributes": _("Shares what is earned"),
            "legal_name": _("Registered name"),
            "registration_number": _("Registration number"),
            "vat_number": _("VAT number"),
            "billing_email": _("Billing e-mail"),
            "address": _("Address"),
            "employees": _("Employees"),
            "tags": _("Tags"),
            "manager": _("Account manager"),
            "most_at_once": _("At once without asking"),
            "most_in_period": _("In a period without asking"),
            "period": _("Period"),
            "answer_days": _("Days to answer"),
        }
    )
