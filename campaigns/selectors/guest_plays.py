"""What was drawn for who is no member: one's own, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from campaigns.models import Game, GuestDraw

State = GuestDraw.State


def guest_draws() -> QuerySet[GuestDraw]:
    return GuestDraw.objects.select_related(
        "game__program", "seed", "drawn", "prize__reward", "claimed_as__redemption__reward"
    ).prefetch_related("game__prizes__reward")


@dataclass(frozen=True, slots=True)
class Guests:
    """How many guests played, and what became of what they drew."""

    played: int
    waiting: int
    claimed: int
    returned: int


def guests_of(game: Game) -> Guests:
    rows = GuestDraw.objects.filter(game=game)
    states = (State.WAITING, State.CLAIMED, State.RETURNED)
    found = rows.aggregate(
        played=Count("pk"), **{state.value: Count("pk", filter=Q(state=state)) for state in states}
    )
    return Guests(**found)
