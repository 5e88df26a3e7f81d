"""One timeline of a customer, made of what every application knows about them."""

from __future__ import annotations

import base64
import binascii
import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.models import Customer
from members.timeline_view import TimelineEntry, WhyStep

TimelineEvent = TimelineEntry

__all__ = [
    "TimelineEvent",
    "TimelinePage",
    "WhyStep",
    "list_timeline",
    "page_timeline",
    "register_timeline_source",
]

# Called as source(customer, before=..., limit=...): at most `limit` events that happened before the
# instant (all when None), newest first, in a constant number of queries and always in one order.
TimelineSource = Callable[..., Sequence[TimelineEntry]]

_INSTANT = timedelta(microseconds=1)
# What a reader may look for; a source whose kind is none of these is told among all alone.
KINDS: dict[str, str | Promise] = {
    "units": _("Points"),
    "orders": _("Orders that earned nothing"),
    "membership": _("Membership and tier"),
    "rewards": _("Rewards and parcels"),
    "campaigns": _("Friends, games and surveys"),
    "messages": _("Messages"),
    "activities": _("Activities"),
    "browsing": _("Looked at in the shop"),
    "notes": _("Notes and merges"),
}
# Told where they are asked for: most customers have none and each costs a query, or they are many.
APART = frozenset({"rewards", "campaigns", "browsing"})
_sources: dict[str, tuple[str, TimelineSource]] = {}


@dataclass(frozen=True)
class TimelinePage:
    """Some events, and where the older ones begin."""

    events: list[TimelineEntry]
    next_cursor: str = ""


def register_timeline_source(source: TimelineSource, kind: str = "") -> None:
    """Add a source of a kind; registering the same function again changes nothing."""
    _sources[f"{source.__module__}.{source.__qualname__}"] = kind, source


def list_timeline(
    customer: Customer, before: datetime | None = None, limit: int = 30, *, kind: str = ""
) -> list[TimelineEntry]:
    """The newest `limit` events before an instant, from all sources together or those of a kind."""
    found = [
        source(customer, before=before, limit=limit)
        for own_kind, source in _sources.values()
        if kind == own_kind or (not kind and own_kind not in APART)
    ]
    merged = heapq.merge(*found, key=attrgetter("moment"), reverse=True)
    return [event for event, _ in zip(merged, range(limit), strict=False)]


def page_timeline(
    customer: Customer, *, cursor: str = "", limit: int = 30, kind: str = ""
) -> TimelinePage:
    """A page of the timeline.

    Many events can share one instant (a file of orders), so the cursor is an instant and how many
    of its events have been shown.
    """
    start, shown = _decode(cursor)
    before = None if start is None else start + _INSTANT
    events = list_timeline(customer, before, limit + shown + 1, kind=kind)[shown:]
    if len(events) <= limit:
        return TimelinePage(events)
    events = events[:limit]
    last = events[-1].moment
    same = sum(1 for event in events if event.moment == last)
    return TimelinePage(events, _encode(last, same + (shown if last == start else 0)))


def _encode(moment: datetime, shown: int) -> str:
    return base64.urlsafe_b64encode(f"{moment.isoformat()}|{shown}".encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[datetime | None, int]:
    """Read a cursor; what cannot be read counts as none."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        moment, _, shown = text.partition("|")
        return datetime.fromisoformat(moment), min(int(shown), 10_000)
    except (ValueError, binascii.Error):
        return None, 0
