"""What was won in a game before joining, said where the joining ends."""

from __future__ import annotations

import datetime as dt

from campaigns.game_words import outcome_words
from campaigns.services.guest_plays import joined_for
from loyalty.account.joined_words import register_joined_words
from loyalty.models import Membership


def register() -> None:
    """Called once, when the application is ready."""
    register_joined_words("games", won_words)


def won_words(membership: Membership, now: dt.datetime) -> str:
    """Of what is theirs already, or becomes theirs as soon as a worker follows the joining."""
    drawn = joined_for(membership, now)
    return outcome_words(drawn) if drawn is not None else ""
