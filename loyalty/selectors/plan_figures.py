"""What paid plans bring in, and who leaves: said as simply as it is counted."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, QuerySet

from loyalty.models import PlanCharge, PlanVersion, Program, Subscription
from loyalty.selectors.subscriptions import running, subscriptions

State, Why = Subscription.State, Subscription.Why
LATELY = dt.timedelta(days=30)
PAYING = (State.ACTIVE, State.PAST_DUE)


@dataclass(frozen=True, slots=True)
class PlanFigures:
    """`monthly`: what those who pay are charged, by the month. `lost` of `before`: who paid thirty
    days ago, and of them who has none any more."""

    monthly: Decimal
    paying: int
    trials: int
    waiting: int
    overdue: int
    leaving: int
    before: int
    lost: int
    owed: Decimal
    received: Decimal
    not_given_back: int

    @property
    def churn(self) -> Decimal | None:
        """As a ratio; None: nobody paid thirty days ago."""
        return Decimal(self.lost) / self.before if self.before else None


def plan_figures(program: Program, *, now: dt.datetime) -> PlanFigures:
    own = Subscription.objects.filter(plan__program=program)
    states = dict(own.filter(running()).values_list("state").annotate(n=Count("pk")))
    before, lost = _churn(own, now)
    charges = PlanCharge.objects.filter(program=program)
    unpaid = charges.filter(state__in=PlanCharge.UNPAID)
    lately = charges.filter(paid_at__gt=now - LATELY, paid_at__lte=now)
    return PlanFigures(
        monthly=_monthly(own),
        paying=sum(states.get(state, 0) for state in PAYING),
        trials=states.get(State.TRIALING, 0),
        waiting=states.get(State.WAITING, 0),
        overdue=states.get(State.PAST_DUE, 0),
        leaving=own.filter(ended_at=None, cancel_at_period_end=True).count(),
        before=before,
        lost=lost,
        owed=sum(unpaid.values_list("amount", flat=True), Decimal(0)),
        not_given_back=charges.exclude(refund_failed_at=None).count(),
        received=sum(
            (paid - back for paid, back in lately.values_list("amount", "refunded")), Decimal(0)
        ),
    )


def failed_refunds() -> list[tuple[Program, int]]:
    """Programs with payments that a provider could not give back, and how many those are."""
    failed = PlanCharge.objects.exclude(refund_failed_at=None)
    counts = dict(failed.order_by().values_list("program").annotate(n=Count("pk")))
    return [(found, counts[found.pk]) for found in Program.objects.filter(pk__in=counts)]


def _monthly(own: QuerySet[Subscription]) -> Decimal:
    """Of those who pay, whether or not they have canceled for later."""
    rows = own.filter(ended_at=None, state__in=PAYING).values_list(
        "version__price", "version__period"
    )
    return sum(
        (
            number * price / PlanVersion.MONTHS[PlanVersion.Period(period)]
            for price, period, number in rows.annotate(number=Count("pk"))
        ),
        Decimal(0),
    )


def _churn(own: QuerySet[Subscription], now: dt.datetime) -> tuple[int, int]:
    """Another plan is no loss."""
    then = now - LATELY
    had = own.filter(
        Q(ended_at=None) | Q(ended_at__gt=then), benefits_from__lte=then,
        charges__paid_at__lte=then,
    ).distinct()  # fmt: skip
    lost = had.filter(ended_at__lte=now).exclude(ended_why=Why.CHANGED)
    return had.count(), lost.count()


def subscribers(program: Program, state: str = "") -> QuerySet[Subscription]:
    """Who has a plan, or has asked for one; with a state also who had one."""
    found = subscriptions().filter(plan__program=program)
    if state == "leaving":
        return found.filter(ended_at=None, cancel_at_period_end=True)
    if state == "refund_failed":
        return found.filter(charges__refund_failed_at__isnull=False).distinct()
    if state == "ended":
        return found.exclude(ended_at=None)
    if state:
        return found.filter(state=state)
    return found.filter(running())
