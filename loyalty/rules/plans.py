"""Which paid plan somebody had at an instant."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlanSpan:
    """The benefits of a plan were there in [since, until)."""

    code: str
    since: dt.datetime
    until: dt.datetime | None


def plan_at(spans: Iterable[PlanSpan], at: dt.datetime) -> str:
    """The code of the plan; of several, which only a merge leaves, the longest. Empty: none."""
    held = [span for span in spans if span.since <= at and (span.until is None or at < span.until)]
    return min(held, key=lambda span: span.since).code if held else ""
