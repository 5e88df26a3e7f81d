"""What the self-check looks at besides the ledger."""

from __future__ import annotations

from campaigns import board_checks, game_checks, tally_checks
from loyalty.ledger.checks import register_checks


def register() -> None:
    """Called once, when the application is ready."""
    register_checks(game_checks.CHECKS)
    register_checks(board_checks.CHECKS)
    register_checks(tally_checks.CHECKS)
