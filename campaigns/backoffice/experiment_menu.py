"""What experiments add to the shells of the back-office: an entry, words of the log."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from members.audit import (
    TargetKind,
    register_audit_actions,
    register_audit_fields,
    register_audit_target,
)
from members.navigation import NavItem, register_nav_item

NAMESPACE = "experiments_backoffice"
ACTIONS = {
    "experiment.created": _("Began to write an experiment"),
    "experiment.changed": _("Changed an experiment"),
    "experiment.deleted": _("Threw away the draft of an experiment"),
    "experiment.asked": _("Asked for somebody to start an experiment"),
    "experiment.sent_back": _("Sent an experiment back"),
    "experiment.started": _("Started an experiment"),
    "experiment.decided": _("Declared what an experiment has shown"),
    "experiment.ended": _("Ended an experiment"),
    "experiment.made_permanent": _("Drafted rules of the better arm of an experiment"),
}
FIELDS = {"verdict": _("Verdict"), "rules": _("Rules")}
ITEM = NavItem(
    "experiments", _("Experiments"), f"{NAMESPACE}:experiment_list", "flask", order=38,
    permission="programs.view", match=(f"{NAMESPACE}:",),
)  # fmt: skip


def register() -> None:
    """Add everything; called once, when the application is ready."""
    register_nav_item(ITEM)
    register_audit_actions(ACTIONS)
    register_audit_fields(FIELDS)
    register_audit_target(
        "campaigns.experiment", TargetKind(_("Experiment"), f"{NAMESPACE}:experiment")
    )
