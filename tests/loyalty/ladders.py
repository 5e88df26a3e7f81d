"""Programs with tiers for tests, and where members stand in them."""

import datetime as dt
from typing import Any

from loyalty.models import (
    Membership,
    MemberTier,
    Program,
)
from loyalty.selectors.member_tiers import standing_of
from loyalty.selectors.rulebooks import fresh_terms
from loyalty.services.member_tiers import rebuild_tiers
from tests.loyalty.factories import (
    day,
    make_program,
)

LADDER = [
    {"code": "base", "name": "Member"},
    {"code": "silver", "name": "Silver", "threshold": 500},
    {"code": "gold", "name": "Gold", "threshold": 1500,
     "benefits": [{"kind": "multiplier", "factor": 2}]},
]  # fmt: skip


def tiers(**changes: Any) -> dict[str, Any]:
    return {"tiers": LADDER} | changes


def tiered(**changes: Any) -> Program:
    return make_program(at=day(-800), tiers=tiers(**changes))


def held_by(number: str = "c1") -> MemberTier:
    """As it is written down."""
    return MemberTier.objects.select_related("tier").get(membership__customer__external_id=number)


def stands(at: dt.datetime, number: str = "c1") -> Any:
    [terms] = fresh_terms().programs
    return standing_of(terms, Membership.objects.get(customer__external_id=number), at)


def assert_rows_are_exact(at: dt.datetime) -> None:
    """What is written down is what follows from what happened."""
    before = list(MemberTier.objects.order_by("pk").values())
    rebuild_tiers(now=at, all_of_them=True)
    assert list(MemberTier.objects.order_by("pk").values()) == before
