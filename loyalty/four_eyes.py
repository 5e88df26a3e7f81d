"""Where two people look at rules: who may publish what somebody wrote."""

from __future__ import annotations

from django.utils.translation import gettext as _

from members.services.audit import Actor


def why_not_alone(actor: Actor, *writers: int | None, people_only: str = "") -> str:
    """Why this person must not publish what these people wrote or asked for; nothing if they may.
    `people_only`: what is said to a program that publishes, where it is no rules."""
    if actor.user is None:
        return people_only or _("Only a person may publish rules of this program.")
    if actor.user.pk in writers:
        return _("Somebody else has to publish what you have written.")
    return ""


def is_bound(actor: Actor) -> bool:
    """Whether a second person is needed beside whoever writes: people and API keys. Commands are
    run by who has the whole installation in hand."""
    return actor.user is not None or actor.api_key is not None
