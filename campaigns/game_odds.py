"""The odds of a game as a page shows them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from campaigns.game_words import INSTEAD, told_prize
from campaigns.models import Game
from campaigns.selectors.games import Odd, odds_of


@dataclass(frozen=True, slots=True)
class OddRow:
    """A line of the odds. `place`: its color on the wheel; `gone`: why it is not given now."""

    odd: Odd
    name: str
    place: int
    gone: str


def odd_rows(found: Game, now: dt.datetime) -> list[OddRow]:
    return [
        OddRow(odd, told_prize(odd.prize), place, str(INSTEAD.get(odd.gone, "")))
        for place, odd in enumerate(odds_of(found, now), start=1)
    ]
