"""What surveys add to the shells of the back-office: an entry, words of the log."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from members.audit import (
    TargetKind,
    register_audit_actions,
    register_audit_fields,
    register_audit_target,
)
from members.navigation import NavItem, register_nav_item
from members.panels import register_customer_panel

NAMESPACE = "surveys_backoffice"
ITEM = NavItem(
    "surveys", _("Surveys"), f"{NAMESPACE}:survey_list", "message-question", order=39,
    permission="programs.view", match=(f"{NAMESPACE}:",),
)  # fmt: skip
ACTIONS = {
    "survey.created": _("Wrote a survey"),
    "survey.changed": _("Changed a survey"),
    "survey.published": _("Began to ask a survey"),
    "survey.paused": _("Paused a survey"),
    "survey.resumed": _("Resumed a survey"),
    "survey.ended": _("Ended a survey"),
    "survey.deleted": _("Deleted the draft of a survey"),
    "survey.text_removed": _("Took a text out of a survey's answers"),
}
FIELDS = {"response": _("Answer")}


def register() -> None:
    """Add everything; called once, when the application is ready."""
    from campaigns.backoffice.customer_surveys import has_surveys

    register_nav_item(ITEM)
    register_customer_panel(
        "surveys", _("Surveys"), f"{NAMESPACE}:customer_surveys", 29, icon="message-question",
        rows=3, needed=has_surveys,
    )  # fmt: skip
    register_audit_actions(ACTIONS)
    register_audit_fields(FIELDS)
    register_audit_target("campaigns.survey", TargetKind(_("Survey"), f"{NAMESPACE}:survey"))
