"""What was won in a game before joining, said where the joining ends."""

from __future__ import annotations

import datetime as dt

from campaigns.game_words import outcome_words
from campaigns.services.guest_plays import joined_for
from loyalty.account.joined_words import register_joined_words
from loyalty.models import Membership
from members.errors import DomainError


def register() -> None:
    """Called once, when the application is ready."""
    register_joined_words("games", won_words)


def won_words(membership: Membership, detail: str, now: dt.datetime) -> str:
    """Of what is theirs already, or becomes theirs as soon as a worker follows the joining; of who
    was a member before also why they do not get it."""
    try:
        drawn = joined_for(membership, detail, now)
    except DomainError as error:
        return str(error.message)
    return outcome_words(drawn) if drawn is not None else ""
