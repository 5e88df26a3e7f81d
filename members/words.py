"""The audit log's words for what is done in this application."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from members.audit import (
    TargetKind,
    register_audit_actions,
    register_audit_fields,
    register_audit_target,
)

ACTIONS = {
    "customer.created": _("Created a customer"),
    "customer.updated": _("Changed a customer"),
    "customer.tokens_revoked": _("Called back a member's tokens"),
    "customer.noted": _("Wrote a note"),
    "customer.task_given": _("Gave a task"),
    "customer.task_done": _("Did a task"),
    "customer.task_reopened": _("Took up a task again"),
    "customer.task_released": _("A task is nobody’s now"),
    "customer.task_taken": _("Took a task"),
    "customer.data_fetched": _("Fetched the file with their data"),
    "customer.signed_out": _("Signed out elsewhere"),
    "customer.erased": _("Erased a customer’s details"),
    "customer.exported": _("Handed out what is known of a customer"),
    "customer.merged": _("Merged a duplicate into a customer"),
    "customer.merged_away": _("Merged a customer into another"),
    "customer.merge_undone": _("Undid a merge of customers"),
    "customer.signed_in_first": _("Signed in for the first time"),
    "customer.sign_in_connected": _("Connected an account elsewhere"),
    "customer.sign_in_disconnected": _("Disconnected an account elsewhere"),
    "merchant.updated": _("Changed the merchant’s settings"),
    "staff.invited": _("Gave access to the back-office"),
    "staff.invited_again": _("Sent the invitation again"),
    "staff.role_changed": _("Changed a role"),
    "staff.phone_changed": _("Changed a phone number"),
    "staff.removed": _("Took away access to the back-office"),
    "staff.signed_out": _("Ended a sign-in"),
    "staff.two_factor_on": _("Switched two-factor sign-in on"),
    "staff.two_factor_off": _("Switched two-factor sign-in off"),
    "staff.two_factor_taken_away": _("Took two-factor sign-in away from a colleague"),
    "staff.two_factor_required": _("Changed who must have a second factor"),
    "api_key.created": _("Created an API key"),
    "api_key.revoked": _("Revoked an API key"),
    "api_key.rotated": _("Gave an API key another secret"),
    "sign_in_provider.added": _("Let customers sign in elsewhere"),
    "sign_in_provider.changed": _("Changed where customers sign in"),
    "sign_in_provider.removed": _("Removed a place where customers sign in"),
    "profile_question.created": _("Added a question about people"),
    "profile_question.changed": _("Changed a question about people"),
    "segment.created": _("Created a segment"),
    "segment.updated": _("Changed a segment"),
    "segment.archived": _("Put a segment away"),
    "segment.handed_out": _("Took a segment as a file"),
    "list.handed_out": _("Took a list as a file"),
    "segment.restored": _("Took a segment back into use"),
    "segment.list_loaded": _("Loaded a list of customers"),
    "segment.customer_added": _("Put a customer on a list"),
    "segment.customer_removed": _("Took a customer off a list"),
    "job.started": _("Started a job"),
    "job.cancelled": _("Canceled a job"),
    "job.retried": _("Had a job go on"),
}
TARGETS = {
    "members.customer": TargetKind(_("Customer"), "backoffice:customer"),
    "members.merchant": TargetKind(_("Merchant"), "backoffice:merchant", takes_id=False),
    "members.staffmember": TargetKind(_("Team"), "backoffice:team", takes_id=False),
    "members.apikey": TargetKind(_("API key"), "backoffice:api_key_list", takes_id=False),
    "members.signinprovider": TargetKind(
        _("Sign-in"), "backoffice:sign_in_provider_list", takes_id=False
    ),
    "members.profilequestion": TargetKind(
        _("Question about people"), "backoffice:profile_question_list", takes_id=False
    ),
    "members.segment": TargetKind(_("Segment"), "backoffice:segment_by_key"),
    "members.job": TargetKind(_("Job"), "backoffice:job"),
}
FIELDS = {
    "duplicate": _("Duplicate"),
    "merged_into": _("Merged into"),
    "email": _("E-mail"),
    "note": _("Note"),
    "task": _("Task"),
    "due_on": _("Due by"),
    "assignee": _("Who"),
    "erased": _("Erased"),
    "own": _("By the customer"),
    "tags": _("Tags"),
    "customer": _("Customer"),
    "added": _("Added"),
    "removed": _("Removed"),
    "scopes": _("May do"),
    "revoked_at": _("Revoked"),
    "device": _("Device"),
    "place": _("Address"),
    "former_until": _("The secret before opens until"),
    "provider": _("Provider"),
    "secret": _("Secret"),
}


def register() -> None:
    register_audit_actions(ACTIONS)
    register_audit_fields(FIELDS)
    for label, kind in TARGETS.items():
        register_audit_target(label, kind)
