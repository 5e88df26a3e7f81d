"""Figures of whole programs, from the daily totals: they cost the same at any number of members."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from django.db.models import OuterRef, Q, Subquery, Sum
from django.db.models.functions import Greatest

from loyalty.models import DailyTotal, LotChange, Order, Transfer, WalletType
from loyalty.selectors.member_tallies import joined_between


@dataclass(frozen=True, slots=True)
class DayFigures:
    """Units of one day at the wallet type's scale."""

    day: dt.date
    earned: int = 0
    taken_back: int = 0
    redeemed: int = 0
    adjusted: int = 0


@dataclass(frozen=True, slots=True)
class Activity:
    """What happened in a period of days; `orders` counts those that earned."""

    orders: int
    new_members: int
    earned: int
    taken_back: int
    redeemed: int


@dataclass(frozen=True, slots=True)
class BookedDays:
    """The accounting days on which units of a wallet type moved, from the first to the last."""

    wallet_type: int
    first: dt.date
    last: dt.date

    @property
    def count(self) -> int:
        return (self.last - self.first).days + 1


def booked_days() -> list[BookedDays]:
    """One entry for each wallet type with movements: a few looks into an index, however many.

    The last one may have seen a lot get another expiry only.
    """
    days = Transfer.objects.filter(wallet_type=OuterRef("pk")).values("booked_on")
    changes = LotChange.objects.order_by("-booked_on").values("booked_on")
    rows = WalletType.objects.annotate(
        first=Subquery(days.order_by("booked_on")[:1]),
        last=Greatest(Subquery(days.order_by("-booked_on")[:1]), Subquery(changes[:1])),
    ).exclude(first=None)
    return [BookedDays(*row) for row in rows.order_by("pk").values_list("pk", "first", "last")]


def daily_figures(wallet_type: WalletType, first: dt.date, last: dt.date) -> list[DayFigures]:
    """One entry per day from first to last, days without movements included."""
    rows = DailyTotal.objects.filter(wallet_type=wallet_type, day__range=(first, last))
    found: defaultdict[dt.date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        day = found[row.day]
        day["earned"] += row.incoming if row.kind == Transfer.Kind.ACCRUAL else 0
        day["taken_back"] += row.outgoing if row.kind == Transfer.Kind.CLAWBACK else 0
        day["redeemed"] += row.outgoing if row.kind == Transfer.Kind.REDEMPTION else 0
        if row.kind in {Transfer.Kind.ADJUSTMENT, Transfer.Kind.REVERSAL}:
            day["adjusted"] += row.incoming - row.outgoing
    days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    return [DayFigures(day, **found[day]) if day in found else DayFigures(day) for day in days]


def activity(wallet_type: WalletType, first: dt.date, last: dt.date) -> Activity:
    """Orders and new members of the program, units of the wallet type, from first to last day."""
    program = wallet_type.program
    sums = DailyTotal.objects.filter(wallet_type=wallet_type, day__range=(first, last)).aggregate(
        earned=Sum("incoming", filter=Q(kind=Transfer.Kind.ACCRUAL), default=0),
        taken_back=Sum("outgoing", filter=Q(kind=Transfer.Kind.CLAWBACK), default=0),
        redeemed=Sum("outgoing", filter=Q(kind=Transfer.Kind.REDEMPTION), default=0),
        orders=Sum("orders", filter=Q(kind=Transfer.Kind.ACCRUAL), default=0),
    )
    return Activity(
        orders=sums["orders"],
        new_members=joined_between(program, first, last),
        earned=sums["earned"],
        taken_back=sums["taken_back"],
        redeemed=sums["redeemed"],
    )


def has_orders() -> bool:
    return Order.objects.exists()
