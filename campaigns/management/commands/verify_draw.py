"""Work draws of games out again: one, all of a game, or all there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.models import AnyDraw
from campaigns.selectors.game_proofs import Proof, drawn, drawn_for_guests, proof_of
from campaigns.services.game_seeds import secret_of
from members.errors import DomainError


class Command(BaseCommand):
    help = "Works out past draws of games again, also those whose seed is not revealed yet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("draw", nargs="?", type=UUID, help="The draw's id; none: all draws.")
        parser.add_argument("--game", help="The code of a game: all of its draws.")

    def handle(self, *_args: Any, draw: UUID | None, game: str | None, **_options: Any) -> None:
        asked: dict[str, Any] = {"public_id": draw} if draw is not None else {}
        asked |= {"game__code": game} if game else {}
        wrong = looked_at = 0
        for found in _all(asked):
            proof = proof_of(found, _secret(found))
            looked_at += 1
            if draw is not None or not proof.holds:
                self._show(proof)
            wrong += not proof.holds
        if draw is not None and not looked_at:
            raise CommandError("There is no such draw.")
        if wrong:
            raise CommandError(f"{wrong} of {looked_at} draws do not follow from their seeds.")
        self.stdout.write(f"{looked_at} draws were worked out again: all of them hold.")

    def _show(self, proof: Proof) -> None:
        found = proof.draw
        self.stdout.write(f"draw {found.public_id} of {found.game.code}")
        self.stdout.write(f"  text {proof.message}")
        for check in proof.checks:
            said = "holds" if check.holds else f"WRONG: has to be {check.found}"
            self.stdout.write(f"  {check.code:<10} {check.kept} · {said}")


def _all(asked: dict[str, Any]) -> Iterator[AnyDraw]:
    """Those of members, then those of guests."""
    yield from drawn().filter(**asked).order_by("pk").iterator(chunk_size=1000)
    yield from drawn_for_guests().filter(**asked).order_by("pk").iterator(chunk_size=1000)


def _secret(found: AnyDraw) -> str:
    """Nothing where no key opens it: then the rest is looked at."""
    try:
        return secret_of(found.seed)
    except DomainError:
        return ""
