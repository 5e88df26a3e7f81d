"""Leaderboards as they are read: the first places, and one's own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from campaigns.models import BoardName, BoardScore, Challenge, ChallengeWin
from loyalty.models import Membership, Program

SHOWN = 10
# Whoever is behind so many reads that, and nothing more exact.
COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """`rank`: the same for the same score, and as many are left out after it as share it; None: one
    that is not counted exactly."""

    rank: int | None
    name: str
    score: int
    own: bool


@dataclass(frozen=True, slots=True)
class Board:
    """`own`: a member's place where it is not among the first; None: they have none, or it is."""

    places: Sequence[Place]
    own: Place | None


def board_of(
    program: Program, *, challenge: Challenge | None = None, month: str = "",
    member: Membership | None = None, limit: int = SHOWN,
) -> Board:  # fmt: skip
    """A constant number of queries, each of which reads so many rows of an index at most."""
    rows = _scores(program, challenge, month)
    first = list(rows.order_by("-score", "membership")[:limit])
    places, rank = [], 0
    for number, row in enumerate(first, start=1):
        if number == 1 or row.score < first[number - 2].score:
            rank = number
        mine = member is not None and row.membership_id == member.pk
        places.append(Place(rank, row.membership.board_name.name, row.score, mine))
    if member is None or any(place.own for place in places):
        return Board(places, None)
    return Board(places, _own(rows, member))


def name_of(member: Membership) -> BoardName | None:
    return BoardName.objects.filter(membership=member).first()


def month_of(program: Program, now: dt.datetime) -> str:
    """As scores are kept by, by the program's clocks."""
    return f"{now.astimezone(program.zone):%Y-%m}"


def done_by(member: Membership) -> int:
    """How often a member has done a challenge of the program."""
    won = ChallengeWin.State.WON
    return ChallengeWin.objects.filter(entry__membership=member, state=won).count()


def board_names() -> QuerySet[BoardName]:
    """Of those who are seen, or were, the newest first."""
    rows = BoardName.objects.select_related("membership__customer", "program", "hidden_by")
    return rows.order_by("-pk")


def _scores(program: Program, challenge: Challenge | None, month: str) -> QuerySet[BoardScore]:
    """Of active members."""
    return BoardScore.objects.filter(
        program=program, challenge=challenge, month=month,
        membership__status=Membership.Status.ACTIVE, membership__merged_into=None,
    ).select_related("membership__board_name")  # fmt: skip


def _own(rows: QuerySet[BoardScore], member: Membership) -> Place | None:
    row = rows.filter(membership=member).first()
    if row is None:
        return None
    before = rows.filter(score__gt=row.score).order_by().values("pk")[:COUNTED].count()
    rank = before + 1 if before < COUNTED else None
    return Place(rank, row.membership.board_name.name, row.score, own=True)
