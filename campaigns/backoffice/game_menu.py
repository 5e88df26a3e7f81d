"""What games add to the shells of the back-office: an entry, words of the log."""

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

NAMESPACE = "games_backoffice"
ACTIONS = {
    "game.created": _("Began to write a game"),
    "game.changed": _("Changed a game"),
    "game.deleted": _("Threw away the draft of a game"),
    "game.asked": _("Asked for somebody to publish a game"),
    "game.sent_back": _("Sent a game back"),
    "game.published": _("Published a game"),
    "game.held": _("Let a game begin with its program"),
    "game.not_held": _("No longer lets a game begin with its program"),
    "game.withdrawn": _("Took a planned game back"),
    "game.paused": _("Paused a game"),
    "game.resumed": _("Went on with a game"),
    "game.ended": _("Ended a game"),
    "game.seed_begun": _("Committed to the seed of a game"),
    "game.seed_revealed": _("Revealed the seed of a game"),
}
FIELDS = {"odds": _("Hash of its weights"), "commitment": _("Hash of the seed")}
ITEM = NavItem(
    "games", _("Games"), f"{NAMESPACE}:game_list", "dice", order=38,
    permission="programs.view", match=(f"{NAMESPACE}:",),
)  # fmt: skip


def register() -> None:
    """Add everything; called once, when the application is ready."""
    from campaigns.backoffice.customer_games import has_games

    register_nav_item(ITEM)
    register_customer_panel(
        "games", _("Games"), f"{NAMESPACE}:customer_games", 28, icon="dice", rows=3,
        needed=has_games,
    )  # fmt: skip
    register_audit_actions(ACTIONS)
    register_audit_fields(FIELDS)
    register_audit_target("campaigns.game", TargetKind(_("Game"), f"{NAMESPACE}:game"))
