"""What came in like something earned and was not: what a paid plan brings was bought, and what came
from a program that ended was earned there. It counts neither for a tier nor for a standing gift."""

from __future__ import annotations

from django.db.models import Q

# How the keys of such movements begin.
PLAN_CREDIT = "plan-credit:"
CONVERSION = "conversion:"
UNEARNED = (PLAN_CREDIT, CONVERSION)


def was_earned(path: str = "") -> Q:
    """For a query of movements, or of what leads to one by `path`."""
    unearned = Q()
    for prefix in UNEARNED:
        unearned |= Q(**{f"{path}key__startswith": prefix})
    return ~unearned


def earned_sql(transfer: str) -> str:
    """For a query in SQL, of the movement that it calls `transfer`."""
    return " AND ".join(f"NOT starts_with({transfer}.key, '{prefix}')" for prefix in UNEARNED)
