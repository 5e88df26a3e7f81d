"""What the calendar shows: something that is on from a moment to another, or happens at one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from loyalty.models import Program

# Kinds, with what they are called and how they are drawn.
KINDS: Mapping[str, tuple[Promise, str]] = {
    "promotion": (_("Promotions"), "speakerphone"),
    "challenge": (_("Challenges"), "target-arrow"),
    "game": (_("Games"), "dice"),
    "message": (_("Messages"), "mail"),
    "broadcast": (_("Broadcasts"), "send"),
    "journey": (_("Journeys"), "route"),
    "referral": (_("Referrals"), "users-plus"),
    "survey": (_("Surveys"), "message-question"),
    "post": (_("Posts"), "messages"),
    "experiment": (_("Experiments"), "flask"),
    "event": (_("Events"), "ticket"),
    "opening": (_("Sale openings"), "door-enter"),
    "reward": (_("Rewards"), "gift"),
    "rule": (_("Earning rules"), "coins"),
    "season": (_("Seasons"), "calendar-stats"),
    "tier": (_("Tiers"), "award"),
    "expiry": (_("Expiry"), "hourglass-low"),
    "plan": (_("Paid plans"), "credit-card"),
    "settlement": (_("Settlements"), "heart-handshake"),
    "program": (_("The program"), "building-store"),
}


@dataclass(frozen=True, slots=True)
class Span:
    """From a day to another, both of them shown; `since`, `until`: its instants in the zone of the
    programs."""

    first: dt.date
    last: dt.date

    def __post_init__(self) -> None:
        assert self.first <= self.last

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def since(self) -> dt.datetime:
        """Early enough for every zone."""
        return dt.datetime.combine(self.first, dt.time(), dt.UTC) - dt.timedelta(hours=14)

    @property
    def until(self) -> dt.datetime:
        """Late enough for every zone."""
        return dt.datetime.combine(self.last, dt.time(), dt.UTC) + dt.timedelta(hours=38)


@dataclass(frozen=True, slots=True)
class Entry:
    """`ends_at` None: it has no end, or is a moment (`is_moment`). `key`: its public id, or what
    tells it from others of its kind."""

    kind: str
    key: str
    program: Program
    title: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    state: str
    url: str
    movable: bool = False
    is_moment: bool = False
    note: str = ""
    # On which days of the week it counts, of which Monday is 0; none: on all of them.
    weekdays: frozenset[int] = frozenset()
    # What conflicts are found by; nothing of it is shown.
    facts: Mapping[str, object] = field(default_factory=dict, hash=False)

    @property
    def label(self) -> Promise:
        return KINDS[self.kind][0]

    @property
    def icon(self) -> str:
        return KINDS[self.kind][1]

    @property
    def first(self) -> dt.date:
        return self.starts_at.astimezone(self.program.zone).date()

    @property
    def last(self) -> dt.date:
        """The last day on which it is on; ends are exclusive."""
        if self.is_moment:
            return self.first
        if self.ends_at is None:
            return dt.date.max
        before = self.ends_at - dt.timedelta(microseconds=1)
        return max(before.astimezone(self.program.zone).date(), self.first)

    def meets(self, span: Span) -> bool:
        return self.first <= span.last and self.last >= span.first

    def is_on(self, day: dt.date) -> bool:
        """Whether it counts on a day."""
        within = self.first <= day <= self.last
        return within and (not self.weekdays or day.weekday() in self.weekdays)

    @property
    def endless(self) -> bool:
        return self.ends_at is None and not self.is_moment


@dataclass(frozen=True, slots=True)
class Conflict:
    """Entries, by their keys, that get in each other's way; `kind`: rules, messages, stock,
    budget."""

    kind: str
    keys: frozenset[str]
    message: str
