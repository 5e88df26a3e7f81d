"""When a program gives something and when its units can be spent: its pauses, and its end."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

State = Literal["live", "paused", "ending", "ended"]


@dataclass(frozen=True, slots=True)
class PauseTimes:
    """Nothing is earned in [starts_at, ends_at); without an end it goes on. `spending`: units can
    be spent meanwhile."""

    starts_at: dt.datetime
    ends_at: dt.datetime | None
    spending: bool

    def holds(self, at: dt.datetime) -> bool:
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


@dataclass(frozen=True, slots=True)
class EndTimes:
    """The first instants at which nothing is earned any more, and nothing can be spent."""

    earn_until: dt.datetime
    spend_until: dt.datetime


@dataclass(frozen=True, slots=True)
class ProgramTimes:
    """What is asked is asked of the instant at which something happened, whenever it is told."""

    pauses: tuple[PauseTimes, ...] = ()
    end: EndTimes | None = None

    def pause_at(self, at: dt.datetime) -> PauseTimes | None:
        return next((pause for pause in self.pauses if pause.holds(at)), None)

    def earns_at(self, at: dt.datetime) -> bool:
        return self.pause_at(at) is None and (self.end is None or at < self.end.earn_until)

    def spends_at(self, at: dt.datetime) -> bool:
        pause = self.pause_at(at)
        over = self.end is not None and at >= self.end.spend_until
        return not over and (pause is None or pause.spending)

    def state_at(self, at: dt.datetime) -> State:
        """In one word; a pause at the end of a program is no longer one."""
        if self.end is not None and at >= self.end.earn_until:
            return "ending" if at < self.end.spend_until else "ended"
        return "paused" if self.pause_at(at) else "live"


ALWAYS = ProgramTimes()
