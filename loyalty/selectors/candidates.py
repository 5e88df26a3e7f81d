"""Who was invited to a program, or waits for it."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, Q, QuerySet

from loyalty.models import Candidate, Program


def candidates() -> QuerySet[Candidate]:
    """Those of merged duplicates are left out: the customer who was kept has their own."""
    found = Candidate.objects.select_related("program", "customer")
    return found.filter(customer__merged_into=None)


def candidate_counts(program: Program, now: dt.datetime) -> dict[str, int]:
    """How many are in each state; of the invited only those who can still accept, the others as
    "expired"."""
    passed = Q(state=Candidate.State.INVITED, expires_at__lte=now)
    states: list[str] = Candidate.State.values
    counts: dict[str, int] = (
        candidates()
        .filter(program=program)
        .aggregate(
            **{state: Count("pk", filter=Q(state=state) & ~passed) for state in states},
            expired=Count("pk", filter=passed),
        )
    )
    return counts
