"""A game as it is drawn on a page: plain shapes whose places are worked out here, so that nothing
on the page has to move to say what came of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from campaigns.game_words import PRIZE_ICONS
from campaigns.models import AnyDraw, Game, GamePrize

MIDDLE, RADIUS = 100, 96
# A part of a wheel is never so narrow that nobody sees it.
NARROWEST = 0.02


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the wheel. `place`: from 1, which is its color; `middle`: its angle, clockwise from
    the top."""

    code: str
    place: int
    path: str
    middle: float


@dataclass(frozen=True, slots=True)
class Picture:
    """`turn`: by how many degrees the wheel is turned, so that what was drawn is on top; `reels`:
    the icons of a slot machine; `icon`: what is in a box or under a card; `won`: whether there is
    something to be glad of; `fresh`: it was played just now."""

    kind: str
    slices: Sequence[Slice]
    turn: str
    reels: Sequence[str]
    icon: str
    won: bool
    fresh: bool


def picture_of(game: Game, draw: AnyDraw | None = None) -> Picture:
    """As it waits, or with what came of a draw."""
    prizes = list(game.prizes.all())
    slices = _slices(prizes) if game.kind == Game.Kind.WHEEL else []
    on_top = next((item for item in slices if draw and item.code == draw.prize.code), None)
    kind = draw.prize.kind if draw else ""
    return Picture(
        game.kind, slices, f"{-on_top.middle:.2f}" if on_top else "0", _reels(kind),
        PRIZE_ICONS.get(kind, "question-mark"), bool(kind) and kind != GamePrize.Kind.NOTHING,
        draw is not None,
    )  # fmt: skip


def _slices(prizes: Sequence[GamePrize]) -> list[Slice]:
    total = sum(prize.weight for prize in prizes)
    parts = [max(prize.weight / total, NARROWEST) for prize in prizes]
    found, begun = [], 0.0
    for place, (prize, part) in enumerate(zip(prizes, parts, strict=True), start=1):
        share = part / sum(parts)
        middle = 360 * (begun + share / 2)
        found.append(Slice(prize.code, place, _path(begun, begun + share), middle))
        begun += share
    return found


def _path(begin: float, end: float) -> str:
    (x1, y1), (x2, y2) = _at(begin), _at(end)
    large = int(end - begin > 0.5)
    return f"M{MIDDLE} {MIDDLE}L{x1} {y1}A{RADIUS} {RADIUS} 0 {large} 1 {x2} {y2}Z"


def _at(share: float) -> tuple[str, str]:
    angle = 2 * math.pi * min(share, 0.9999)
    x, y = MIDDLE + RADIUS * math.sin(angle), MIDDLE - RADIUS * math.cos(angle)
    return f"{x:.2f}", f"{y:.2f}"


def _reels(kind: str) -> list[str]:
    """Three alike, where something is won."""
    if not kind:
        return ["question-mark"] * 3
    if kind == GamePrize.Kind.NOTHING:
        return ["coins", "gift", "repeat"]
    return [PRIZE_ICONS[kind]] * 3
