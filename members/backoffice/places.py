"""The panels of this application on the customer page and the home page, and its search box."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from members.navigation import register_search_url
from members.panels import (
    CustomerAction,
    register_customer_action,
    register_customer_panel,
    register_home_panel,
)


def register() -> None:
    """Called once, when the application is ready."""
    register_customer_panel(
        "timeline", _("Timeline"), "backoffice:customer_timeline", 50, icon="history", rows=8
    )
    register_customer_panel(
        "identity", _("Details"), "backoffice:customer_identity", 10,
        icon="id", column="side", rows=6,
    )  # fmt: skip
    register_customer_panel(
        "notes", _("Notes"), "backoffice:customer_notes", 20, icon="note", column="side"
    )
    register_customer_panel(
        "tasks", _("Tasks"), "backoffice:customer_tasks", 15, icon="checkbox", column="side", rows=2
    )
    register_customer_panel(
        "segments", _("Segments"), "backoffice:customer_segments", 30,
        icon="users-group", column="side", rows=3,
    )  # fmt: skip
    register_customer_panel(
        "audit", _("Changes"), "backoffice:customer_audit", 90,
        icon="list-search", column="side",
    )  # fmt: skip
    register_home_panel(
        "tasks", _("My tasks"), "backoffice:home_tasks", 12, "customers.annotate", icon="checkbox",
        column="side",
    )  # fmt: skip
    register_home_panel(
        "newest-customers", _("Newest customers"), "backoffice:home_newest_customers", 80,
        "customers.view", icon="users", rows=5,
    )  # fmt: skip
    register_customer_action(
        CustomerAction(
            "merge", _("Merge"), "backoffice:customer_merge", "git-merge", 80, "customers.merge",
            dialog=False,
        )
    )  # fmt: skip
    register_customer_action(
        CustomerAction(
            "data", _("Data"), "backoffice:customer_data", "file-export", 90, "customers.export",
            dialog=False,
        )
    )  # fmt: skip
    register_search_url("backoffice:search")
