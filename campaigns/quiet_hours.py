"""When somebody may be written to, by their own clock. Pure."""

from __future__ import annotations

import datetime as dt
import zoneinfo


def is_quiet(at: dt.datetime, zone: zoneinfo.ZoneInfo, begins: dt.time, ends: dt.time) -> bool:
    """Whether the clock there shows a time from `begins` on and before `ends`. Both the same:
    never."""
    shows = at.astimezone(zone).time()
    if begins <= ends:
        return begins <= shows < ends
    return shows >= begins or shows < ends


def next_allowed(
    at: dt.datetime, zone: zoneinfo.ZoneInfo, begins: dt.time, ends: dt.time
) -> dt.datetime:
    """`at`, or the end of the quiet hours that it is in.

    A clock that is put back shows the end twice, and between the two it is quiet again; one that is
    put forward may never show it, and then it is as much later as the clock was put forward.
    """
    found = at
    while is_quiet(found, zone, begins, ends):
        found = _next_end(found, zone, ends)
    return found


def _next_end(at: dt.datetime, zone: zoneinfo.ZoneInfo, ends: dt.time) -> dt.datetime:
    day = at.astimezone(zone).date()
    candidates = []
    for date in (day, day + dt.timedelta(days=1)):
        for fold in (0, 1):
            there = dt.datetime.combine(date, ends.replace(fold=fold), tzinfo=zone)
            candidates.append(there.astimezone(dt.UTC))
    return min(candidate for candidate in candidates if candidate > at)
