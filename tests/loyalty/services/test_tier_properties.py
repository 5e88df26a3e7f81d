"""Whatever happens to members, in whatever order it is told: one tier history, and rows that say
it."""

import datetime as dt
import random
from typing import Any

import pytest
from django.db import transaction

from loyalty.models import Membership, MemberTier
from loyalty.selectors.member_tiers import standing_of
from loyalty.selectors.rulebooks import fresh_terms
from loyalty.services.member_tiers import rebuild_tiers
from tests.loyalty.factories import day, give_back, order, record, refund
from tests.loyalty.ladders import LADDER, tiered

pytestmark = pytest.mark.django_db

END = day(900)
SETTINGS = [
    {"window": "calendar_year"},
    {"window": "rolling_12_months", "downgrade": "soft_landing", "grace_days": 14},
    {"window": "membership_year", "downgrade": "to_base"},
    {"window": "rolling_12_months", "downgrade": "immediate", "refunds_count_on": "refund_date"},
    {"metric": "orders", "window": "rolling_12_months",
     "tiers": [LADDER[0], LADDER[1] | {"threshold": 3}, LADDER[2] | {"threshold": 6}]},
]  # fmt: skip


def facts(seed: int, orders: int = 9) -> list[Any]:
    """Orders of two people and what came back of them, each thing told by a call of its own."""
    dice = random.Random(seed)
    told: list[Any] = []
    for number in range(orders):
        at, total = day(dice.randrange(700)), dice.randrange(50, 900)
        buyer = dice.choice(["c1", "c2"])
        told.append(order(f"A{number}", str(total), at=at, buyer=buyer))
        if dice.random() < 0.5:
            back = dice.choice([total, total // 2, 1])
            late = dt.timedelta(days=dice.randrange(60))
            told.append(refund(f"R{number}", str(back), of=f"A{number}", at=at + late, buyer=buyer))
    return told


def tell(thing: Any) -> None:
    """Heard of after all of it has happened, or at once."""
    if hasattr(thing, "placed_at"):
        record(thing, now=END)
    else:
        give_back(thing, now=END)


def histories() -> dict[str, Any]:
    [terms] = fresh_terms().programs
    found = {}
    for member in Membership.objects.select_related("customer"):
        stands = standing_of(terms, member, END)
        assert stands is not None
        spans = [(span.tier, span.since, span.why.kind) for span in stands.history]
        found[member.customer.external_id] = spans, stands.total, stands.lost
    return found


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("settings", SETTINGS)
def test_told_in_any_order_it_is_the_same_history(settings: dict[str, Any], seed: int) -> None:
    tiered(**settings)
    known = facts(seed)
    outcomes = []
    for shuffling in range(3):
        told = known[:]
        if shuffling:
            random.Random(shuffling).shuffle(told)
        else:
            told.sort(key=lambda thing: getattr(thing, "placed_at", None) or thing.refunded_at)
        with transaction.atomic():
            for thing in told:
                tell(thing)
            rows = MemberTier.objects.order_by("membership__customer__external_id")
            written = list(rows.values_list("tier__code", "since", "total", "lost_at"))
            rebuild_tiers(now=END, all_of_them=True)
            assert list(rows.values_list("tier__code", "since", "total", "lost_at")) == written
            outcomes.append((histories(), written))
            transaction.set_rollback(True)
    assert outcomes[0] == outcomes[1] == outcomes[2]


def test_rows_are_exact_after_every_step_and_by_the_passing_of_time() -> None:
    tiered(window="rolling_12_months", downgrade="soft_landing", grace_days=14)
    told = sorted(
        facts(7, 14), key=lambda thing: getattr(thing, "placed_at", None) or thing.refunded_at
    )
    for thing in told:
        at = getattr(thing, "placed_at", None) or thing.refunded_at
        rebuild_tiers(now=at)
        record(thing, now=at) if hasattr(thing, "placed_at") else give_back(thing, now=at)
        before = list(MemberTier.objects.order_by("pk").values())
        rebuild_tiers(now=at, all_of_them=True)
        assert list(MemberTier.objects.order_by("pk").values()) == before
    # A row that has not reached `changes_at` says what is worked out anew then. By the end both
    # have fallen from gold, step by step.
    for days in range(0, 357, 17):
        later = at + dt.timedelta(days=days)
        rebuild_tiers(now=later)
        before = list(MemberTier.objects.order_by("pk").values())
        rebuild_tiers(now=later, all_of_them=True)
        assert list(MemberTier.objects.order_by("pk").values()) == before
