"""What higher applications show on the home page of a membership."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from loyalty.models import Membership


@dataclass(frozen=True, slots=True)
class HomeCard:
    """A template and what it needs, as `card`. `first`: right below the balance, since it says
    what can be had for it."""

    template: str
    card: Any
    first: bool = False


# None: nothing to show for this membership.
CardSource = Callable[[Membership, dt.datetime], HomeCard | None]

_sources: dict[str, CardSource] = {}


def register_home_card(key: str, source: CardSource) -> None:
    """Add a card; the same key again replaces it."""
    _sources[key] = source


def home_cards(membership: Membership, now: dt.datetime) -> list[HomeCard]:
    found = (source(membership, now) for source in _sources.values())
    return [card for card in found if card is not None]
