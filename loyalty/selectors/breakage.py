"""Breakage: what became of the units earned in each month, and what of them was never used."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from loyalty.models import Transfer, WalletType
from loyalty.selectors.lot_totals import CohortKind, cohort_kinds

Kind = Transfer.Kind
GRANTS = {Kind.ACCRUAL, Kind.ADJUSTMENT, Kind.DEPOSIT}
SPENT = {Kind.REDEMPTION, Kind.DONATION}
EXPIRED = {Kind.EXPIRY, Kind.REINSTATEMENT}


@dataclass(frozen=True, slots=True)
class Cohort:
    """The units earned in a month, as of the end of a day. All but `granted` add up to it.

    `taken_back`: by refunds, from these units, and what repaid debts; `by_hand`: taken by staff.
    What expired is so whether or not it is written down, less what was brought back.
    """

    month: dt.date
    granted: int
    spent: int
    expired: int
    taken_back: int
    by_hand: int

    @property
    def outstanding(self) -> int:
        return self.granted - self.spent - self.expired - self.taken_back - self.by_hand

    def share(self, units: int) -> Decimal | None:
        """A part of what was granted; nothing of nothing is no share."""
        return Decimal(units) / self.granted if self.granted else None


def breakage(wallet_type: WalletType, day: dt.date) -> list[Cohort]:
    """One cohort for each month in which something was earned, the first first."""
    found: defaultdict[dt.date, list[CohortKind]] = defaultdict(list)
    for item in cohort_kinds(wallet_type, day):
        found[item.earned_in].append(item)
    return [_cohort(month, found[month]) for month in sorted(found)]


def total_of(cohorts: Iterable[Cohort], month: dt.date) -> Cohort:
    """All cohorts as one."""
    names = ("granted", "spent", "expired", "taken_back", "by_hand")
    listed = list(cohorts)
    return Cohort(month, *(sum(getattr(item, name) for item in listed) for name in names))


def _cohort(month: dt.date, items: Iterable[CohortKind]) -> Cohort:
    sums: Counter[str] = Counter()
    for item in items:
        granted = item.granted if item.kind in GRANTS else 0
        sums["granted"] += granted
        # What moved between wallets was used there and granted here.
        sums[_column(item.kind)] += item.used - item.granted + granted
        sums["expired"] += item.lapsed
    return Cohort(
        month, sums["granted"], sums["spent"], sums["expired"], sums["taken_back"], sums["by_hand"]
    )


def _column(kind: str) -> str:
    if kind in SPENT:
        return "spent"
    if kind in EXPIRED:
        return "expired"
    return "by_hand" if kind == Kind.ADJUSTMENT else "taken_back"
