"""Whose turn it is: a member does one thing at a time, and only what can be played is."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from campaigns.models import Game
from campaigns.selectors.games import playable_game
from loyalty.ledger.posting import lock_with_kept
from loyalty.models import Membership
from loyalty.selectors.memberships import kept_membership, wallet_ids
from members.errors import ConflictError


class GameClosedError(ConflictError):
    code = "game_closed"


def hold_member(membership: Membership) -> Membership:
    """Lock the member's wallets, which comes before all other locks, and return them as they are
    then: whoever was merged meanwhile is the one they are now."""
    lock_with_kept(wallet_ids([membership]))
    return kept_membership(membership.pk)


def playable(game: Game, now: dt.datetime) -> Game:
    """The game as it is now. It is not locked: everybody who plays would wait for each other.
    Raises GameClosedError."""
    found = playable_game(game.pk, now)
    if found is None:
        raise GameClosedError(_("This game cannot be played now."))
    return found
