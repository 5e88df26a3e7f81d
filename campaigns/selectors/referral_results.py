"""What bringing friends brings: invited, joined, bought, paid, and what it cost; in all and by
month."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, DecimalField, F, Q, QuerySet, Sum
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
    rows = Referral.objects.filter(program=program)
    counts = rows.aggregate(
        joined=Count("pk", filter=Q(joined_at__isnull=False)), bought=Count("pk", filter=BOUGHT),
        paid=Count("pk", filter=Q(status=Status.PAID)),
        in_review=Count("pk", filter=Q(status=Status.IN_REVIEW)),
        refused=Count("pk", filter=Q(status=Status.REFUSED)),
    )  # fmt: skip
    visits = ReferralVisit.objects.filter(link__referral_program__program=program)
    payments = ReferralPayment.objects.filter(referral__program=program)
    given = payments.aggregate(
        cost=_cost(), further=Count("order", filter=Q(missed=""), distinct=True)
    )
    return Results(
        invited=visits.count() + _visits_before(program),
        cost=given["cost"] or ZERO,
        further=given["further"],
        months=_months(program, rows, visits, payments),
        **counts,
    )


def _visits_before(program: Program) -> int:
    links = ReferralLink.objects.filter(referral_program__program=program)
    return links.aggregate(before=Sum("visits_before"))["before"] or 0


def _months(
    program: Program, rows: QuerySet[Referral], visits: QuerySet[ReferralVisit],
    payments: QuerySet[ReferralPayment],
) -> list[Month]:  # fmt: skip
    found: defaultdict[dt.date, dict[str, Any]] = defaultdict(dict)
    zone = program.zone
    for first, count in _counted(visits, TruncMonth("day")):
        found[first]["invited"] = count
    for name, moment, asked in (
        ("joined", "joined_at", Q(joined_at__isnull=False)), ("bought", "bought_at", BOUGHT),
        ("paid", "closed_at", Q(status=Status.PAID)),
    ):  # fmt: skip
        for first, count in _counted(rows.filter(asked), TruncMonth(moment, tzinfo=zone)):
            found[first.date()][name] = count
    by_month = payments.annotate(first=TruncMonth("paid_at", tzinfo=zone)).order_by()
    for first, cost in by_month.values_list("first").annotate(cost=_cost()):
        found[first.date()]["cost"] = cost
    return [Month(first, **found[first]) for first in sorted(found, reverse=True)[:MONTHS]]


def _counted(rows: QuerySet[Any], month: TruncMonth) -> list[tuple[Any, int]]:
    grouped = rows.annotate(first=month).order_by().values_list("first")
    return list(grouped.annotate(count=Count("pk")))


def _cost() -> Sum:
    return Sum(F("money") - F("money_back"), output_field=_MONEY)
