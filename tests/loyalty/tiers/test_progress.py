"""What is missing, until when, what keeps a tier and when it would be lost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from loyalty.tiers.facts import Manual
from loyalty.tiers.progress import Goal, Leaving, Loss, standing
from tests.loyalty.tiers.ladder import ATHENS, at, back, bought, ladder, now

YEAR_END = at("2026-01-01", "00:00")


@pytest.mark.parametrize(
    ("window", "joined", "facts", "missing", "until"),
    [
        ("calendar_year", "2025-01-01", [("2025-03-10", 673)], 827, YEAR_END),
        ("calendar_year", "2024-01-01", [("2024-03-10", 173)], 500, YEAR_END),
        ("membership_year", "2024-07-15", [("2024-08-01", 400), ("2025-07-20", 100)], 400,
         at("2026-07-15", "00:00")),
        ("membership_year", "2024-02-29", [("2025-03-01", 100)], 400, at("2026-02-28", "00:00")),
        ("rolling_12_months", "2024-01-01", [("2024-12-03", 100), ("2025-03-10", 73)], 327,
         at("2025-12-03", "00:00")),
        ("rolling_12_months", "2024-01-01", [], 500, None),
        ("lifetime", "2015-01-01", [("2015-03-10", 173)], 327, None),
    ],
)  # fmt: skip
def test_what_is_missing_to_the_next_tier_and_up_to_when(
    window: Any, joined: str, facts: Any, missing: int, until: Any
) -> None:
    made = [bought(str(number), day, amount) for number, (day, amount) in enumerate(facts)]
    found = now(ladder(window=window), made, "2025-11-21", joined=joined)
    assert found.next is not None
    assert found.next == Goal(found.next.tier, Decimal(missing), until)


def test_in_a_rolling_window_it_says_what_drops_out_next() -> None:
    facts = [
        bought("A", "2024-12-03", 100), bought("B", "2024-12-03", 50, at=at("2024-12-03", "18:00")),
        bought("C", "2025-03-10", 73),
    ]  # fmt: skip
    found = now(ladder(window="rolling_12_months"), facts, "2025-11-21")
    assert found.leaving == Leaving(at("2025-12-03", "00:00"), Decimal(150))


def test_at_the_top_nothing_is_missing() -> None:
    found = now(ladder(), [bought("A", "2025-03-10", 5000)], "2025-06-01")
    assert found.next is None


def test_a_tier_of_this_year_is_safe_for_this_year_and_the_next() -> None:
    found = now(ladder(), [bought("A", "2025-03-10", 600)], "2025-06-01")
    assert found.keep == Goal("silver", Decimal(0), YEAR_END)
    assert found.lost == Loss(at("2027-01-01", "00:00"), "base")
    assert found.changes_at == YEAR_END


def test_in_the_next_year_it_is_to_be_reached_again() -> None:
    facts = [bought("A", "2025-03-10", 600), bought("B", "2026-02-01", 173)]
    found = now(ladder(grace_days=30), facts, "2026-06-01")
    assert found.keep == Goal("silver", Decimal(327), at("2027-01-01", "00:00"))
    assert found.lost == Loss(at("2027-01-31", "00:00"), "base")
    assert not found.in_grace
    later = now(ladder(grace_days=30), facts, "2027-01-10")
    assert later.keep == Goal("silver", Decimal(500), at("2027-01-31", "00:00"))
    assert later.in_grace


def test_a_rolling_window_says_what_will_be_missing_when_the_tier_would_be_lost() -> None:
    facts = [
        bought("A", "2025-03-10", 100), bought("B", "2025-04-10", 300),
        bought("C", "2025-09-01", 200),
    ]  # fmt: skip
    found = now(ladder(window="rolling_12_months"), facts, "2025-11-21")
    assert found.keep == Goal("silver", Decimal(300), at("2026-04-10", "00:00"))
    assert found.lost == Loss(at("2026-04-10", "00:00"), "base")


def test_a_tier_that_is_never_lost_asks_for_nothing() -> None:
    for wording in (ladder(downgrade="none"), ladder(window="lifetime")):
        found = now(wording, [bought("A", "2025-03-10", 600)], "2025-06-01")
        assert (found.keep, found.lost) == (None, None)


def test_a_refund_makes_more_missing() -> None:
    facts = [bought("A", "2025-03-10", 600), back("R", "2025-03-12", 50, of="A")]
    found = now(ladder(), facts, "2025-06-01")
    assert found.next is not None
    assert found.next.missing == 950


def test_a_tier_by_hand_is_lost_when_it_ends() -> None:
    given = Manual("1", "gold", at("2025-02-01", "00:00"), at("2025-08-01", "00:00"))
    found = now(ladder(), [bought("A", "2025-03-10", 600)], "2025-06-01", manual=(given,))
    assert (found.tier, found.earned) == ("gold", "silver")
    assert found.lost == Loss(at("2025-08-01", "00:00"), "silver")
    assert found.next is not None
    assert found.next.tier == "gold"


def test_another_wording_that_is_to_come_is_a_change_that_is_known() -> None:
    halved = tuple(replace(level, threshold=level.threshold / 2) for level in ladder().levels)
    second = ladder(levels=halved, starts_at=at("2025-09-01", "00:00"))
    found = standing(
        (ladder(), second), [bought("A", "2025-03-10", 800)], joined_at=at("2025-01-01"),
        at=at("2025-06-01"), zone=ATHENS,
    )  # fmt: skip
    assert found is not None
    assert (found.tier, found.changes_at) == ("silver", at("2025-09-01", "00:00"))
