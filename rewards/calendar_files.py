"""An event as a file that calendars take (RFC 5545)."""

from __future__ import annotations

import datetime as dt

from rewards.models import Event

WIDTH = 74
SPECIAL = {"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": ""}


def calendar_file(event: Event, *, host: str, now: dt.datetime) -> str:
    """One entry; times in UTC, so that no zone has to be described."""
    reward = event.reward
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Setia//Events//EN", "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{event.public_id}@{host}",
        f"DTSTAMP:{_stamp(now)}",
        f"DTSTART:{_stamp(event.starts_at)}",
        f"DTEND:{_stamp(event.ends_at)}",
        f"SUMMARY:{_text(reward.name)}",
        *([f"LOCATION:{_text(event.place or event.link)}"]),
        *([f"DESCRIPTION:{_text(reward.summary)}"] if reward.summary else []),
        *([f"URL:{event.link}"] if event.link else []),
        f"STATUS:{'CANCELLED' if event.status == Event.Status.CANCELED else 'CONFIRMED'}",
        "END:VEVENT", "END:VCALENDAR",
    ]  # fmt: skip
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _stamp(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(words: str) -> str:
    return "".join(SPECIAL.get(sign, sign) for sign in words)


def _folded(line: str) -> list[str]:
    """Lines are at most 75 bytes; what goes on begins with a blank."""
    parts, current = [], ""
    for sign in line:
        if len((current + sign).encode()) > WIDTH:
            parts.append(current)
            current = " "
        current += sign
    return [*parts, current]
