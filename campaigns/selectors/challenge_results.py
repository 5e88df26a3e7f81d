"""What has become of a challenge: who takes part, who has done it, how far the others are."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q, Sum

from campaigns.models import Challenge, ChallengeEntry, ChallengeTally, ChallengeWin
from members.formatting import format_percent

State = ChallengeEntry.State


@dataclass(frozen=True, slots=True)
class ChallengeResult:
    """Members, or what they received twice, by how far they are; and how often it was done."""

    taking_part: int
    near: int
    done: int
    ended: int
    left: int
    wins: int
    undone: int
    unrewarded: int

    @property
    def share(self) -> float:
        """How many of those who began have done it, between 0 and 1."""
        return self.done / self.taking_part if self.taking_part else 0.0


def challenge_result(challenge: Challenge) -> ChallengeResult:
    """Two queries."""
    of = {
        "near": Q(state=State.NEAR), "done": Q(done=True), "ended": Q(state=State.ENDED),
        "left": Q(state=State.LEFT), "taking_part": ~Q(state=State.LEFT),
    }  # fmt: skip
    sums = {name: Sum("entries", filter=which, default=0) for name, which in of.items()}
    entries = ChallengeTally.objects.filter(challenge=challenge).aggregate(**sums)
    won = Q(state=ChallengeWin.State.WON)
    wins = ChallengeWin.objects.filter(entry__challenge=challenge).aggregate(
        wins=Count("pk", filter=won), undone=Count("pk", filter=~won),
        unrewarded=Count("pk", filter=won & ~Q(unrewarded="")),
    )  # fmt: skip
    return ChallengeResult(**entries, **wins)


def parts_of_the_way(challenge: Challenge) -> list[int]:
    """How many have come how far, in quarters; those who have done it last."""
    rows = ChallengeEntry.objects.filter(challenge=challenge).exclude(state=State.LEFT)
    counted = rows.aggregate(
        a=Count("pk", filter=Q(rounds=0, percent__lt=25)),
        b=Count("pk", filter=Q(rounds=0, percent__gte=25, percent__lt=50)),
        c=Count("pk", filter=Q(rounds=0, percent__gte=50, percent__lt=75)),
        d=Count("pk", filter=Q(rounds=0, percent__gte=75)),
        e=Count("pk", filter=Q(rounds__gt=0)),
    )
    return [counted[key] for key in "abcde"]


def labels_of_the_way() -> list[str]:
    """What these parts are called, as the reader writes shares."""
    parts = [f"{low}–{format_percent((low + 24) / 100)}" for low in (0, 25, 50, 75)]
    return [*parts, format_percent(1)]
