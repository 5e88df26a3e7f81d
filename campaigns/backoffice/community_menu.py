"""What the community adds to the shells of the back-office: an entry, words of the log."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from campaigns.selectors.posts import waiting_comments
from members.audit import (
    TargetKind,
    register_audit_actions,
    register_audit_fields,
    register_audit_target,
)
from members.navigation import NavItem, register_nav_item
from members.policy import is_allowed

NAMESPACE = "community_backoffice"
HOME = "backoffice:home"
ACTIONS = {
    "post.created": _("Began to write a post"),
    "post.changed": _("Changed a post"),
    "post.translated": _("Wrote a post in another language"),
    "post.picture_changed": _("Changed the picture of a post"),
    "post.scheduled": _("Said when a post appears"),
    "post.unscheduled": _("Took back when a post appears"),
    "post.published": _("Published a post"),
    "post.archived": _("Put a post away"),
    "post.restored": _("Showed a post again"),
    "post.deleted": _("Threw away the draft of a post"),
    "post.comment_shown": _("Let a comment be read"),
    "post.comment_hidden": _("Hid a comment"),
    "forum.set_up": _("Set up the forum"),
    "forum.changed": _("Changed the forum"),
    "forum.tested": _("Tested the forum"),
    "forum.task_repeated": _("Had the forum told again"),
    "forum.agreed": _("Agreed that the forum is told who they are"),
    "forum.left": _("Left the forum"),
}
FIELDS = {
    "comment": _("Comment"), "teaser": _("Teaser"), "body": _("Text"), "pinned": _("On top"),
    "comments_open": _("Members may comment"), "publish_at": _("Appears"),
    "api_user": _("User of the key"), "problem": _("What is wrong"),
    "new_secret": _("Another secret"), "new_api_key": _("Another key"),
    "told": _("What is told"),
}  # fmt: skip


def comments_to_judge(request: HttpRequest) -> int:
    """For those who decide, where they begin and here: other pages do not ask for it."""
    here = request.resolver_match.view_name if request.resolver_match else ""
    if here != HOME and not here.startswith(f"{NAMESPACE}:"):
        return 0
    return waiting_comments() if is_allowed(request.user, "community.moderate") else 0


ITEM = NavItem(
    "community", _("Community"), f"{NAMESPACE}:post_list", "messages", order=40,
    permission="programs.view", match=(f"{NAMESPACE}:",), badge=comments_to_judge,
)  # fmt: skip


def register() -> None:
    """Add everything; called once, when the application is ready."""
    register_nav_item(ITEM)
    register_audit_actions(ACTIONS)
    register_audit_fields(FIELDS)
    register_audit_target("campaigns.post", TargetKind(_("Post"), f"{NAMESPACE}:post"))
    register_audit_target("campaigns.forum", TargetKind(_("Forum")))
