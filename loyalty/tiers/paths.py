"""The tiers that priced a member's orders, one order after the other."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass, field

from loyalty.tiers.course import Course
from loyalty.tiers.facts import Fact, Manual, TierHeld
from loyalty.tiers.history import spans
from loyalty.tiers.ladders import Ladder, in_force


@dataclass(slots=True)
class TierPath:
    """A member's course, gone along in the order of time. `ends_at`: there are no tiers from then
    on."""

    ladders: tuple[Ladder, ...]
    facts: Sequence[Fact]
    manual: Sequence[Manual]
    joined_at: dt.datetime
    zone: zoneinfo.ZoneInfo
    ends_at: dt.datetime | None = None
    _course: Course | None = None
    _known: tuple[tuple[dt.datetime, bool], TierHeld | None] | None = field(default=None)

    def pricing(self, at: dt.datetime, *, leading: bool = True) -> TierHeld | None:
        """The tier by which an order of that instant is judged: the one before it, or the one that
        it leads to, as the wording says; what comes back leads nowhere. None: there are no tiers
        then."""
        if self._known is None or self._known[0] != (at, leading):
            self._known = (at, leading), self._work_out(at, leading)
        return self._known[1]

    def _work_out(self, at: dt.datetime, leading: bool) -> TierHeld | None:
        place = in_force(self.ladders, at)
        if place is None or (self.ends_at is not None and self.ends_at <= at):
            return None
        course = self._course
        # One that has gone so far already may have taken in what happened at that instant.
        if course is None or at < course.at or (at == course.at and not leading):
            # Whoever comes with an order is a member by then.
            joined_at = min(self.joined_at, at)
            course = Course(self.ladders, self.facts, joined_at=joined_at, zone=self.zone)
            self._course = course
        ladder = self.ladders[place]
        leads = leading and ladder.priced_by == "after" and ladder.metric in ("spend", "orders")
        state = course.run(at) if leads else course.run_before(at)
        if state is None:
            return None
        [*_before, last] = spans(course.ladders, course.changes, self.manual, until=at)
        return TierHeld.on(course.ladders[state.place], last.tier)
