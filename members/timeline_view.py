"""One row of a timeline as people read it; every application turns its own events into these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class WhyStep:
    """One step of an explanation: what was looked at or decided, and what came of it."""

    text: str
    value: str = ""


@dataclass(frozen=True)
class TimelineEntry:
    """Something that happened: what, when, by whom, how many units, and why."""

    icon: str
    title: str
    moment: datetime
    text: str = ""
    kind: str = "neutral"
    amount: str = ""
    amount_kind: str = ""
    url: str = ""
    actor: str = ""
    badge: str = ""
    why: Sequence[WhyStep] = ()
    id: str = ""
