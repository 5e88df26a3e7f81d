"""A past draw, worked out again from what it follows from."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from campaigns.fair_draws import (
    Place,
    Ticket,
    commitment_of,
    draw,
    hash_of,
    number_of,
    prove,
    read_odds,
)
from campaigns.models import AnyDraw, GameDraw, GameSeed, GuestDraw
from members.errors import NotFoundError
from rewards.weights import fallen_on


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must agree: what is kept, and what it has to be."""

    code: str
    kept: str
    found: str

    @property
    def holds(self) -> bool:
        return self.kept == self.found


@dataclass(frozen=True, slots=True)
class Proof:
    """`seed`: empty as long as it is in use, so only what does not need it was looked at."""

    draw: AnyDraw
    message: str
    seed: str
    total: int
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        return all(check.holds for check in self.checks)


def get_draw(public_id: UUID | str) -> AnyDraw:
    """Of a member, or of a guest. Raises NotFoundError."""
    found = (
        drawn().filter(public_id=public_id).first()
        or drawn_for_guests().filter(public_id=public_id).first()
    )
    if found is None:
        raise NotFoundError("There is no such draw.")
    return found


def drawn() -> QuerySet[GameDraw]:
    return GameDraw.objects.select_related(
        "game__program", "seed", "membership", "drawn", "prize", "guest"
    )


def drawn_for_guests() -> QuerySet[GuestDraw]:
    return GuestDraw.objects.select_related("game__program", "seed", "drawn", "prize")


def proof_of(found: AnyDraw, secret: str = "") -> Proof:
    """`secret`: the seed, for who has it before it is public."""
    game, seed = found.game, secret or found.seed.revealed
    ticket = Ticket(game.odds_hash, found.player, found.turn, found.nonce)
    places = read_odds(game.odds)
    total = sum(place.weight for place in places)
    checks = [
        Check("odds", game.odds_hash, hash_of(game.odds)),
        Check("number", str(found.number), str(number_of(found.proof, total))),
        Check("prize", found.drawn.code, _fallen_on(found, places)),
        Check("given", found.prize.code, _given(found)),
    ]
    if seed:
        again = draw(seed, ticket, places)
        checks[:0] = [
            Check("commitment", found.seed.commitment, commitment_of(seed)),
            Check("proof", found.proof, prove(seed, ticket.message(found.passed))),
            Check("passed", str(found.passed), str(again.passed)),
        ]
    return Proof(found, ticket.message(found.passed), seed, total, tuple(checks))


def revealed_seeds(game_id: int, limit: int = 30) -> list[tuple[int, str, str]]:
    """The newest seeds that were revealed: number, commitment, seed."""
    rows = GameSeed.objects.filter(game=game_id, ended_at__isnull=False).order_by("-number")
    return list(rows.values_list("number", "commitment", "revealed")[:limit])


def commitment_in_use(game_id: int) -> str:
    """The hash of what is drawn with now; empty: nothing is drawn."""
    rows = GameSeed.objects.filter(game=game_id, ended_at=None)
    return rows.values_list("commitment", flat=True).first() or ""


def _fallen_on(found: AnyDraw, places: list[Place]) -> str:
    total = sum(place.weight for place in places)
    return fallen_on(places, found.number).code if 0 <= found.number < total else ""


def _given(found: AnyDraw) -> str:
    """What was drawn, or, where it had run out, the prize that catches."""
    if not found.instead:
        return found.drawn.code
    catching = found.game.prizes.filter(catches=True).values_list("code", flat=True).first()
    return catching or ""
