"""Which messages a journey can tell, and how each is worked out for a member."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from campaigns.occasions import Occasion, occasion_named

if TYPE_CHECKING:
    from campaigns.news import News
    from loyalty.models import Membership


@dataclass(frozen=True, slots=True)
class Asked:
    """For whom a message is worked out. `occurrence`: what the passage began with, as order:12;
    `name`: of the message, so that it is written once."""

    member: Membership
    occurrence: str
    name: str
    now: dt.datetime
    # What else is known, such as what the journey gave.
    given: Mapping[str, str]

    def subject(self, kind: str) -> int | None:
        """The key of what it began with, if it was of this kind."""
        found, _colon, key = self.occurrence.partition(":")
        return int(key) if found == kind and key.isdecimal() else None


# None: there is nothing to say.
Teller = Callable[[Asked], "News | None"]
_tellers: dict[str, Teller] = {}


def register_journey_message(code: str, teller: Teller) -> None:
    """Make it known; the same code again replaces it."""
    _tellers[code] = teller


def told_in_journeys(code: str) -> bool:
    return code in _tellers and occasion_named(code) is not None


def teller_of(code: str) -> Teller | None:
    return _tellers.get(code)


def journey_messages() -> list[Occasion]:
    return [found for code in _tellers if (found := occasion_named(code)) is not None]
