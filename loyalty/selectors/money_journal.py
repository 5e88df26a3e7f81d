"""Journals of money that moves without units: of a program, beside those of its units."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from loyalty.models import Program
from loyalty.selectors.journal import Balance, Entry


@dataclass(frozen=True, slots=True)
class MoneyJournal:
    """Of a program, for days `since` to `until`; units are nothing in it."""

    program: Program
    since: dt.date
    until: dt.date
    entries: tuple[Entry, ...]
    balances: tuple[Balance, ...]
    open_from: dt.date | None

    @property
    def closed(self) -> bool:
        """Whether it never changes any more."""
        return self.open_from is not None and self.until < self.open_from

    @property
    def used(self) -> bool:
        return bool(self.balances)
