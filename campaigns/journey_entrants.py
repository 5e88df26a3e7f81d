"""Who is to begin a journey."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wanted:
    """That something happened to a member which leads into a journey."""

    membership_id: int
    occurrence: str
    day: dt.date | None = None
