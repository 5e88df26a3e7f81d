"""Where a member stands on the way through a tier set, and where that way can be gone on with."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from loyalty.tiers.facts import Why
from loyalty.tiers.plan import Entry, Event
from loyalty.tiers.windows import a_year_later, begins

ZERO = Decimal(0)


class State(NamedTuple):
    """Where a member stands: the wording that applies, the tier's rank in it and what counts.

    `turn`: when the period ends. `due`: when a tier that was not kept is lost, after the grace
    period, and `landing` what is held then at least. `held`: until then a rolling window is not
    looked at again. `anew`: what came before counts no more.
    """

    place: int
    rank: int
    total: Decimal
    turn: dt.datetime | None = None
    due: dt.datetime | None = None
    landing: int = 0
    held: dt.datetime | None = None
    anew: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """From `at` on a member has the tier of this rank, in this wording. `total`: what counted when
    it changed."""

    at: dt.datetime
    place: int
    rank: int
    why: Why
    total: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All that the facts dated before `at` come to. Whoever goes on from here needs none of them,
    as long as nothing dated earlier is told or changes.

    It is taken in the last wording only. `carried`: what a rolling window still counts, by the day
    that it is dated. `began`: the member, or the first that counted; `tiers_since`: with tiers.
    """

    at: dt.datetime
    joined_at: dt.datetime
    began: dt.datetime
    tiers_since: dt.datetime
    state: State
    changes: tuple[Change, ...]
    carried: Mapping[dt.date, Decimal] = field(default_factory=dict)

    def events(self, zone: zoneinfo.ZoneInfo) -> list[tuple[Event, Decimal]]:
        """What is carried, as it leaves."""
        return [(self._leaving(day, zone), amount) for day, amount in self.carried.items()]

    def _leaving(self, day: dt.date, zone: zoneinfo.ZoneInfo) -> Event:
        key, until = f"carried:{day}", begins(a_year_later(day), zone)
        # Whatever else begins to count anew from some instant on, this was before it.
        dated = max(begins(day, zone), self.state.anew or self.began)
        entry = Entry(key, ("carried", key), self.began, until, dated)
        return Event(until, "out", entry, key)
