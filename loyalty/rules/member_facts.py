"""A membership as conditions read it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """`balance`: in whole units of the rule's kind."""

    enrolled_at: dt.datetime | None
    balance: Decimal
