"""The back-office entries of this application; an entry without a screen is not shown."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from members.job_access import count_failed_jobs
from members.navigation import NavItem, register_nav_item


def _failed_jobs(request: HttpRequest) -> int:
    return count_failed_jobs(request.user)


ITEMS = (
    NavItem(
        "home",
        _("Home"),
        "backoffice:home",
        "home",
        order=10,
        permission="home.view",
        match=("backoffice:home",),
        shortcut="g h",
    ),
    NavItem(
        "customers",
        _("Customers"),
        "backoffice:customer_list",
        "users",
        order=20,
        permission="customers.view",
        match=("backoffice:customer",),
        shortcut="g c",
    ),
    NavItem(
        "segments",
        _("Segments"),
        "backoffice:segment_list",
        "users-group",
        order=22,
        permission="customers.view",
        match=("backoffice:segment",),
        shortcut="g s",
    ),
    NavItem(
        "profile_questions",
        _("Questions about people"),
        "backoffice:profile_question_list",
        "user-question",
        order=45,
        permission="customers.view",
        section="settings",
        match=("backoffice:profile_question",),
    ),
    NavItem(
        "jobs",
        _("Jobs"),
        "backoffice:job_list",
        "settings-automation",
        order=40,
        permission="jobs.view",
        section="operations",
        match=("backoffice:job",),
        shortcut="g j",
        badge=_failed_jobs,
    ),
    NavItem(
        "merchant",
        _("Merchant"),
        "backoffice:merchant",
        "building-store",
        order=10,
        permission="merchant.edit",
        section="settings",
    ),
    NavItem(
        "team",
        _("Team"),
        "backoffice:team",
        "users-group",
        order=20,
        permission="staff.view",
        section="settings",
        match=("backoffice:team",),
    ),
    NavItem(
        "api_keys",
        _("API keys"),
        "backoffice:api_key_list",
        "key",
        order=30,
        permission="api_keys.view",
        section="settings",
        match=("backoffice:api_key",),
    ),
    NavItem(
        "sign_in",
        _("Sign-in"),
        "backoffice:sign_in_provider_list",
        "login-2",
        order=25,
        permission="sign_in.view",
        section="settings",
        match=("backoffice:sign_in",),
    ),
    NavItem(
        "audit",
        _("Audit log"),
        "backoffice:audit_log",
        "list-search",
        order=90,
        permission="audit.view",
        section="settings",
        match=("backoffice:audit",),
    ),
)


def register() -> None:
    """Add the entries; called once, when the application is ready."""
    for item in ITEMS:
        register_nav_item(item)
