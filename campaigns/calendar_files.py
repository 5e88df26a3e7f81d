"""The calendar as a file that other calendars subscribe to (RFC 5545)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from campaigns.calendar_entries import Entry
from members.states import state_label
from rewards.calendar_entries import escaped, folded


def calendar_file(entries: Iterable[Entry], *, origin: str, now: dt.datetime) -> str:
    """Everything that has an end or is a moment. `origin`: where the pages are, as
    https://shop.example."""
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Setia//Calendar//EN", "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escaped(_('Campaigns'))}", "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ]  # fmt: skip
    for entry in entries:
        if not entry.endless:
            lines += _event(entry, origin, now)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in folded(line))


def _event(entry: Entry, origin: str, now: dt.datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{entry.kind}-{entry.key}@setia"
    yield f"DTSTAMP:{_instant(now)}"
    yield from _times(entry)
    yield f"SUMMARY:{escaped(entry.title)}"
    state, _kind = state_label(entry.state)
    said = [f"{entry.label} ({state})", entry.program.name, entry.note]
    yield f"DESCRIPTION:{escaped(' · '.join(part for part in said if part))}"
    yield f"CATEGORIES:{escaped(str(entry.label))}"
    yield f"URL:{origin}{entry.url}"
    yield "STATUS:TENTATIVE" if entry.state == "draft" else "STATUS:CONFIRMED"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _times(entry: Entry) -> Iterator[str]:
    """Whole days as days, so that they are days in every zone."""
    zone, midnight = entry.program.zone, dt.time()
    starts_at = entry.starts_at.astimezone(zone)
    ends_at = entry.ends_at.astimezone(zone) if entry.ends_at else None
    if starts_at.time() == midnight and (ends_at is None or ends_at.time() == midnight):
        after = ends_at.date() if ends_at else starts_at.date() + dt.timedelta(days=1)
        yield f"DTSTART;VALUE=DATE:{starts_at:%Y%m%d}"
        yield f"DTEND;VALUE=DATE:{after:%Y%m%d}"
        return
    yield f"DTSTART:{_instant(starts_at)}"
    if ends_at:
        yield f"DTEND:{_instant(ends_at)}"


def _instant(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"
