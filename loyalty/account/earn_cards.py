"""What higher applications show on the page of ways to earn of a membership."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from loyalty.models import Membership


@dataclass(frozen=True, slots=True)
class EarnCard:
    """A template and what it needs, as `card`."""

    template: str
    card: Any


# None: nothing to show for this membership.
EarnSource = Callable[[Membership, dt.datetime], EarnCard | None]

_sources: dict[str, tuple[int, EarnSource]] = {}


def register_earn_card(key: str, source: EarnSource, *, order: int = 100) -> None:
    """Add a card; the same key again replaces it. The lower `order`, the further up."""
    _sources[key] = order, source


def earn_cards(membership: Membership, now: dt.datetime) -> list[EarnCard]:
    ordered = sorted(_sources.items(), key=lambda item: (item[1][0], item[0]))
    found = (source(membership, now) for _key, (_order, source) in ordered)
    return [card for card in found if card is not None]
