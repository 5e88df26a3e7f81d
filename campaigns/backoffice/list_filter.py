"""What lists of promotions, challenges, games and surveys are narrowed by: a name and a state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpRequest

from campaigns.selectors.standing import STATES, standing
from members.states import state_label


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What the address asks for; what is no state there is passed over."""

    query: str
    state: str
    known: Sequence[str] = STATES

    @classmethod
    def of(cls, request: HttpRequest, known: Sequence[str] = STATES) -> ListFilter:
        """`known`: the states that there are."""
        query = request.GET.get("q", "").replace("\x00", "").strip()[:200]
        state = request.GET.get("state", "")
        return cls(query, state if state in known else "", known)

    @property
    def narrows(self) -> bool:
        return bool(self.query or self.state)

    @property
    def states(self) -> list[tuple[str, str]]:
        return [(state, str(state_label(state)[0])) for state in self.known]

    def named(self, field: str) -> Q:
        """`field`: what has the name, and the way to it."""
        return Q(**{f"{field}__icontains": self.query}) if self.query else Q()

    def condition(self, now: dt.datetime, *, of: str = "", begins_by_itself: bool = True) -> Q:
        """`of`: the way to what has the name and the times."""
        found = self.named(f"{of}name")
        if self.state:
            found &= standing(self.state, now, of=of, begins_by_itself=begins_by_itself)
        return found
