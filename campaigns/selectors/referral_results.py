"""What bringing friends brings: invited, joined, bought, paid, and what it cost; in all and by
month."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, DecimalField, F, Q, QuerySet, Sum, When
from django.db.models.functions import TruncMonth

from campaigns.models import Referral, ReferralLink, ReferralPayment, ReferralVisit
from loyalty.models import Program

MONTHS = 12
_MONEY = DecimalField(max_digits=18, decimal_places=4)
ZERO = Decimal(0)
Status = Referral.Status
BOUGHT = Q(order__isnull=False)


@dataclass(slots=True)
class Month:
    """What happened in it; each by its own day."""

    first: dt.date
    invited: int = 0
    joined: int = 0
    bought: int = 0
    paid: int = 0
    cost: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Friends:
    """Those of a state who joined, bought and were paid for in the same months; None: they did, or
    were, not."""

    status: str
    joined: dt.datetime | None
    bought: dt.datetime | None
    paid: dt.datetime | None
    count: int


@dataclass(frozen=True, slots=True)
class Results:
    """`invited`: visitors of links, each once a day."""

    invited: int
    joined: int
    bought: int
    paid: int
    in_review: int
    refused: int
    # Further purchases of friends that something was given for.
    further: int
    cost: Decimal
    months: list[Month] = field(default_factory=list)


def results_of(program: Program) -> Results:
    """Of a program, with the last twelve months in which there was anything, newest first."""
    friends = _friends(program)
    visits = ReferralVisit.objects.filter(link__referral_program__program=program)
    payments = ReferralPayment.objects.filter(referral__program=program)
    given = payments.aggregate(
        cost=_cost(), further=Count("order", filter=Q(missed=""), distinct=True)
    )
    return Results(
        invited=visits.count() + _visits_before(program),
        cost=given["cost"] or ZERO,
        further=given["further"],
        joined=sum(item.count for item in friends if item.joined),
        bought=sum(item.count for item in friends if item.bought),
        paid=sum(item.count for item in friends if item.paid),
        in_review=sum(item.count for item in friends if item.status == Status.IN_REVIEW),
        refused=sum(item.count for item in friends if item.status == Status.REFUSED),
        months=_months(program, friends, visits, payments),
    )


def _friends(program: Program) -> list[Friends]:
    """All of them, looked at once: there may be very many, and few months."""
    zone = program.zone
    rows = Referral.objects.filter(program=program).order_by()
    grouped = rows.values_list(
        "status", TruncMonth("joined_at", tzinfo=zone),
        Case(When(BOUGHT, then=TruncMonth("bought_at", tzinfo=zone))),
        Case(When(status=Status.PAID, then=TruncMonth("closed_at", tzinfo=zone))),
    )  # fmt: skip
    return [Friends(*row) for row in grouped.annotate(count=Count("pk"))]


def _visits_before(program: Program) -> int:
    links = ReferralLink.objects.filter(referral_program__program=program)
    return links.aggregate(before=Sum("visits_before"))["before"] or 0


def _months(
    program: Program, friends: Sequence[Friends], visits: QuerySet[ReferralVisit],
    payments: QuerySet[ReferralPayment],
) -> list[Month]:  # fmt: skip
    found: defaultdict[dt.date, dict[str, Any]] = defaultdict(dict)
    zone = program.zone
    for first, count in _counted(visits, TruncMonth("day")):
        found[first]["invited"] = count
    for item in friends:
        for name in ("joined", "bought", "paid"):
            month = getattr(item, name)
            if month is not None:
                counts = found[month.date()]
                counts[name] = counts.get(name, 0) + item.count
    by_month = payments.annotate(first=TruncMonth("paid_at", tzinfo=zone)).order_by()
    for first, cost in by_month.values_list("first").annotate(cost=_cost()):
        found[first.date()]["cost"] = cost
    return [Month(first, **found[first]) for first in sorted(found, reverse=True)[:MONTHS]]


def _counted(rows: QuerySet[Any], month: TruncMonth) -> list[tuple[Any, int]]:
    grouped = rows.annotate(first=month).order_by().values_list("first")
    return list(grouped.annotate(count=Count("pk")))


def _cost() -> Sum:
    return Sum(F("money") - F("money_back"), output_field=_MONEY)
