"""Levels: how far somebody has come by the challenges that they have done. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Level:
    """`needs`: so many challenges done."""

    number: int
    needs: int
    name: Promise | str
    icon: str


# Those of a program that has written none of its own.
STANDARD = (
    Level(1, 1, _("Starter"), "leaf"),
    Level(2, 3, _("Regular"), "star"),
    Level(3, 8, _("Enthusiast"), "flame"),
    Level(4, 20, _("Champion"), "award"),
    Level(5, 50, _("Legend"), "trophy"),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """`level` None: none yet; `next` None: it is the highest."""

    done: int
    level: Level | None
    next: Level | None

    @property
    def missing(self) -> int:
        return self.next.needs - self.done if self.next else 0


def standing_of(done: int, levels: Sequence[Level]) -> Standing:
    """`levels` in the order of what they need."""
    reached = [level for level in levels if level.needs <= done]
    ahead = [level for level in levels if level.needs > done]
    return Standing(done, reached[-1] if reached else None, ahead[0] if ahead else None)


@dataclass(frozen=True, slots=True)
class Achieved:
    """What a member has done before something, for conditions. `level` 0: none yet."""

    done: int
    level: int
    badges: frozenset[str]
