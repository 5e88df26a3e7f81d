"""Worked examples: silver from 500, gold from 1500, platinum from 5000, days of Athens."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from loyalty.tiers.facts import Fact, Manual
from loyalty.tiers.ladders import Level
from tests.loyalty.tiers.ladder import at, back, bought, ladder, story

YEAR, ROLLING, MEMBER = "calendar_year", "rolling_12_months", "membership_year"
TO_GOLD = [bought("A", "2025-03-10", 600), bought("B", "2025-05-10", 1000)]
UP = [
    ("2025-01-01", "base", "joined"),
    ("2025-03-10", "silver", "reached"),
    ("2025-05-10", "gold", "reached"),
]


@pytest.mark.parametrize(
    ("downgrade", "falls"),
    [
        ("none", []),
        ("soft_landing", [("2027-01-01", "silver", "review"), ("2028-01-01", "base", "review")]),
        ("recompute", [("2027-01-01", "base", "review")]),
        ("to_base", [("2027-01-01", "base", "review")]),
        ("immediate", [("2026-01-01", "base", "review")]),
    ],
)
def test_what_was_reached_in_a_calendar_year_is_kept_to_the_end_of_the_next(
    downgrade: str, falls: Any
) -> None:
    assert story(ladder(downgrade=downgrade), TO_GOLD, "2029-12-31") == UP + falls


@pytest.mark.parametrize(
    ("downgrade", "falls"),
    [
        ("soft_landing", [("2027-01-01", "silver", "review")]),
        ("recompute", [("2027-01-01", "silver", "review")]),
        ("to_base", [("2027-01-01", "base", "review")]),
    ],
)
def test_a_year_that_comes_to_less_is_worth_what_the_policy_says(
    downgrade: str, falls: Any
) -> None:
    facts = [*TO_GOLD, bought("C", "2026-06-01", 700)]
    assert story(ladder(downgrade=downgrade), facts, "2027-06-30") == UP + falls


def test_recompute_may_lead_several_tiers_down_and_a_soft_landing_one() -> None:
    facts = [bought("A", "2025-03-10", 6000), bought("B", "2026-03-10", 600)]
    up = [("2025-01-01", "base", "joined"), ("2025-03-10", "platinum", "reached")]
    assert story(ladder(downgrade="recompute"), facts, "2027-06-30") == [
        *up, ("2027-01-01", "silver", "review"),
    ]  # fmt: skip
    assert story(ladder(downgrade="soft_landing"), facts, "2027-06-30") == [
        *up, ("2027-01-01", "gold", "review"),
    ]  # fmt: skip


def test_one_order_may_lead_several_tiers_up() -> None:
    assert story(ladder(), [bought("A", "2025-03-10", 1500)], "2025-12-31")[1:] == [
        ("2025-03-10", "gold", "reached")
    ]


@pytest.mark.parametrize(
    ("window", "joined", "first", "second", "reached"),
    [
        # The year turns at midnight in Athens.
        (YEAR, "2025-01-01", at("2025-12-31", "23:59"), at("2026-01-01", "00:00"), False),
        (YEAR, "2025-01-01", at("2026-01-01", "00:00"), at("2026-12-31", "23:59"), True),
        (MEMBER, "2025-03-30", at("2026-03-29", "23:59"), at("2026-03-30", "00:00"), False),
        (MEMBER, "2025-03-30", at("2025-03-30", "00:00"), at("2026-03-29", "23:59"), True),
        # Joined on 29 February: the year begins on the 28th where there is none.
        (MEMBER, "2024-02-29", at("2025-02-27", "23:59"), at("2025-02-28", "00:00"), False),
        (MEMBER, "2024-02-29", at("2027-02-28", "00:00"), at("2028-02-28", "23:59"), True),
        (MEMBER, "2024-02-29", at("2027-02-28", "00:00"), at("2028-02-29", "00:00"), False),
        # Twelve months to the day: the night in which the clocks change is no exception.
        (ROLLING, "2025-01-01", at("2025-03-30", "02:30"), at("2026-03-29", "23:59"), True),
        (ROLLING, "2025-01-01", at("2025-03-30", "23:59"), at("2026-03-30", "00:00"), False),
        (ROLLING, "2024-01-01", at("2024-02-29", "10:00"), at("2025-02-28", "23:59"), True),
        (ROLLING, "2024-01-01", at("2024-02-29", "10:00"), at("2025-03-01", "00:00"), False),
        (ROLLING, "2024-01-01", at("2024-02-28", "10:00"), at("2025-02-28", "00:00"), False),
        ("lifetime", "2015-01-01", at("2015-01-01", "00:00"), at("2025-12-31", "23:59"), True),
    ],
)  # fmt: skip
def test_two_orders_reach_a_tier_together_within_the_window(
    window: Any, joined: str, first: Any, second: Any, reached: bool
) -> None:
    facts = [bought("A", "2025-01-01", 250, at=first), bought("B", "2025-01-01", 250, at=second)]
    found = story(ladder(window=window), facts, "2028-12-31", joined=joined)
    assert ("silver" in {tier for _day, tier, _why in found}) is reached


def test_a_rolling_window_loses_the_tier_on_the_day_on_which_older_spend_drops_out() -> None:
    facts = [bought("A", "2025-03-10", 300), bought("B", "2025-09-01", 200)]
    assert story(ladder(window="rolling_12_months"), facts, "2027-12-31") == [
        ("2025-01-01", "base", "joined"),
        ("2025-09-01", "silver", "reached"),
        ("2026-03-10", "base", "dropped_out"),
    ]


def test_after_a_soft_landing_a_rolling_window_is_looked_at_again_a_year_later() -> None:
    facts = [bought("A", "2025-03-10", 1500)]
    wording = ladder(window=ROLLING, downgrade="soft_landing")
    assert story(wording, facts, "2028-12-31") == [
        ("2025-01-01", "base", "joined"),
        ("2025-03-10", "gold", "reached"),
        ("2026-03-10", "silver", "dropped_out"),
        ("2027-03-10", "base", "dropped_out"),
    ]  # fmt: skip


def test_who_falls_to_the_base_in_a_rolling_window_begins_anew() -> None:
    facts = [
        bought("A", "2025-03-10", 1000), bought("B", "2025-09-01", 600),
        bought("C", "2026-04-01", 499), bought("D", "2026-05-01", 1),
    ]  # fmt: skip
    assert story(ladder(window="rolling_12_months", downgrade="to_base"), facts, "2026-12-31") == [
        ("2025-01-01", "base", "joined"),
        ("2025-03-10", "silver", "reached"),
        ("2025-09-01", "gold", "reached"),
        ("2026-03-10", "base", "dropped_out"),
        ("2026-05-01", "silver", "reached"),
    ]


@pytest.mark.parametrize(
    ("window", "falls"),
    [(YEAR, "2027-01-31"), (ROLLING, "2026-06-09")],
)  # fmt: skip
def test_a_tier_that_was_not_kept_is_lost_when_the_grace_period_is_over(
    window: Any, falls: Any
) -> None:
    facts = [bought("A", "2025-05-10", 600)]
    assert story(ladder(window=window, grace_days=30), facts, "2027-12-31")[2:] == [
        (falls, "base", "grace")
    ]


@pytest.mark.parametrize("window", ["calendar_year", "rolling_12_months"])
def test_what_is_bought_in_the_grace_period_keeps_the_tier(window: Any) -> None:
    in_grace = {"calendar_year": "2027-01-20", "rolling_12_months": "2026-05-20"}[window]
    facts = [bought("A", "2025-05-10", 600), bought("B", in_grace, 500)]
    found = story(ladder(window=window, grace_days=30), facts, "2027-03-31")
    assert [tier for _day, tier, _why in found] == ["base", "silver"]


def test_a_refund_within_the_return_window_revokes_the_upgrade_at_once() -> None:
    facts = [*TO_GOLD, back("R", "2025-06-01", 101, of="B")]
    assert story(ladder(), facts, "2025-12-31") == [*UP, ("2025-06-01", "silver", "revoked")]


def test_a_refund_that_leaves_enough_revokes_nothing() -> None:
    facts = [*TO_GOLD, back("R", "2025-06-01", 100, of="B")]
    assert story(ladder(), facts, "2025-12-31") == UP


def test_what_was_bought_since_may_carry_the_upgrade_instead() -> None:
    facts = [*TO_GOLD, bought("C", "2025-05-20", 101), back("R", "2025-06-01", 101, of="B")]
    assert story(ladder(), facts, "2025-12-31") == UP


def test_a_later_refund_counts_at_the_review() -> None:
    facts = [*TO_GOLD, back("R", "2025-06-20", 1000, of="B")]
    assert story(ladder(), facts, "2026-12-31") == [*UP, ("2026-01-01", "silver", "review")]


def test_a_late_refund_counts_in_the_year_of_its_sale_which_is_over() -> None:
    facts = [*TO_GOLD, bought("C", "2026-02-01", 1500), back("R", "2026-03-20", 1000, of="B")]
    assert story(ladder(), facts, "2027-12-31") == [*UP]


def test_on_their_own_date_refunds_count_in_their_own_year() -> None:
    facts = [
        bought("A", "2025-12-20", 600), back("R", "2026-01-05", 200, of="A"),
        bought("B", "2026-02-01", 600), bought("C", "2026-03-01", 100),
    ]  # fmt: skip
    wording = ladder(refunds_count_on="refund_date", downgrade="immediate")
    assert story(wording, facts, "2026-12-31") == [
        ("2025-01-01", "base", "joined"),
        ("2025-12-20", "silver", "reached"),
        ("2026-01-01", "base", "review"),
        ("2026-03-01", "silver", "reached"),
    ]


def test_a_refund_in_the_grace_period_takes_the_tier_no_sooner_than_its_end() -> None:
    facts = [
        bought("A", "2025-02-01", 600), bought("B", "2026-12-20", 600),
        back("R", "2027-01-05", 200, of="B"),
    ]  # fmt: skip
    up = [("2025-01-01", "base", "joined"), ("2025-02-01", "silver", "reached")]
    assert story(ladder(grace_days=31), facts, "2027-12-31") == [
        *up, ("2027-02-01", "base", "grace"),
    ]  # fmt: skip
    # Without a grace period the review has been then, and is made good for.
    assert story(ladder(), facts, "2027-12-31") == [*up, ("2027-01-05", "base", "revoked")]


def test_a_refund_may_revoke_what_the_review_had_kept() -> None:
    facts = [bought("A", "2025-12-20", 600), back("R", "2026-01-05", 200, of="A")]
    assert story(ladder(), facts, "2026-12-31") == [
        ("2025-01-01", "base", "joined"),
        ("2025-12-20", "silver", "reached"),
        ("2026-01-05", "base", "revoked"),
    ]


def test_the_last_day_of_the_return_window_is_whole() -> None:
    def last(day: str, time: str) -> str:
        facts = [bought("A", "2025-03-01", 500), back("R", day, 1, of="A", at=at(day, time))]
        return story(ladder(), facts, "2025-12-31")[-1][1]

    # The clocks change on 30 March.
    assert last("2025-03-31", "23:59") == "base"
    assert last("2025-04-01", "00:00") == "silver"


def test_returns_without_an_order_count_at_the_review() -> None:
    facts = [bought("A", "2025-03-01", 500), back("R", "2025-03-02", 1)]
    assert story(ladder(), facts, "2026-06-30") == [
        ("2025-01-01", "base", "joined"),
        ("2025-03-01", "silver", "reached"),
        ("2026-01-01", "base", "review"),
    ]


def test_orders_that_count_once_confirmed_count_on_that_day() -> None:
    confirmed = bought("A", "2025-12-20", 600, confirmed_at=at("2026-01-03"))
    waiting = bought("B", "2025-12-20", 6000)
    assert story(ladder(counts_from="confirmed"), [confirmed, waiting], "2026-12-31") == [
        ("2025-01-01", "base", "joined"),
        ("2026-01-03", "silver", "reached"),
    ]


def test_what_came_back_before_the_order_was_confirmed_never_counted() -> None:
    order = bought("A", "2025-12-20", 600, confirmed_at=at("2026-01-03"))
    refund = back("R", "2025-12-28", 101, of="A")
    assert story(ladder(counts_from="confirmed"), [order, refund], "2026-12-31") == [
        ("2025-01-01", "base", "joined"),
    ]
    assert story(ladder(counts_from="confirmed"), [order], "2026-12-31")[-1][1] == "silver"


@pytest.mark.parametrize(
    ("metric", "unit", "measure"), [("orders", "", "orders"), ("units", "status", "units:status")]
)
def test_other_things_than_money_count(metric: str, unit: str, measure: str) -> None:
    levels = (Level("base", Decimal(0)), Level("silver", Decimal(3)))
    facts = [
        Fact(f"order:{number}", measure, at(f"2025-0{number}-01"), Decimal(1))
        for number in range(1, 5)
    ]
    others = [bought("X", "2025-01-01", 9000)]
    wording = ladder(levels=levels, metric=metric, unit=unit)
    assert story(wording, [*facts, *others], "2025-12-31") == [
        ("2025-01-01", "base", "joined"),
        ("2025-03-01", "silver", "reached"),
    ]  # fmt: skip


def test_an_activity_score_counts_what_each_wording_gives_for_an_activity() -> None:
    levels = (Level("base", Decimal(0)), Level("silver", Decimal(10)))
    first = ladder(levels=levels, metric="score", id=1)
    second = ladder(levels=levels, metric="score", id=2, starts_at=at("2025-06-01"))
    facts = [
        Fact("activity:1", "score:1", at("2025-02-01"), Decimal(4)),
        Fact("activity:1", "score:2", at("2025-02-01"), Decimal(10)),
    ]
    assert story((first, second), facts, "2025-12-31") == [
        ("2025-01-01", "base", "joined"),
        ("2025-06-01", "silver", "changed"),
    ]


def test_another_wording_applies_from_its_date_and_the_past_stays() -> None:
    lower = tuple(Level(level.code, level.threshold / 2) for level in ladder().levels)
    higher = tuple(Level(level.code, level.threshold * 2) for level in ladder().levels)
    facts = [bought("A", "2025-03-10", 600), bought("B", "2025-04-10", 200)]
    easier = ladder(levels=lower, starts_at=at("2025-06-01"))
    assert story((ladder(), easier), facts, "2025-12-31") == [
        ("2025-01-01", "base", "joined"),
        ("2025-03-10", "silver", "reached"),
        ("2025-06-01", "gold", "changed"),
    ]  # fmt: skip
    # Who has less than it asks for keeps the tier until the review.
    harder = ladder(levels=higher, starts_at=at("2025-06-01"))
    assert story((ladder(), harder), facts, "2026-12-31") == [
        ("2025-01-01", "base", "joined"),
        ("2025-03-10", "silver", "reached"),
        ("2026-01-01", "base", "review"),
    ]  # fmt: skip


def test_a_refund_after_another_wording_came_revokes_what_the_order_carried_before() -> None:
    facts = [bought("A", "2025-05-25", 600), back("R", "2025-06-10", 200, of="A")]
    second = ladder(starts_at=at("2025-06-01"))
    assert story((ladder(), second), facts, "2025-12-31")[-1] == ("2025-06-10", "base", "revoked")
    later = (ladder(starts_at=at("2025-06-01")),)
    assert story(later, facts, "2025-12-31") == [
        ("2025-06-01", "silver", "changed"),
        ("2025-06-10", "base", "revoked"),
    ]


def test_there_are_no_tiers_before_the_first_wording() -> None:
    assert story(ladder(starts_at=at("2025-06-01")), TO_GOLD, "2025-05-31") == []


def test_a_tier_by_hand_counts_while_it_is_higher() -> None:
    given = Manual("1", "gold", at("2025-02-01", "00:00"), at("2025-08-01", "00:00"))
    facts = [bought("A", "2025-03-10", 600), bought("B", "2025-06-10", 5000)]
    assert story(ladder(), facts[:1], "2025-12-31", manual=(given,)) == [
        ("2025-01-01", "base", "joined"),
        ("2025-02-01", "gold", "manual"),
        ("2025-08-01", "silver", "manual_ended"),
    ]
    assert story(ladder(), facts, "2025-12-31", manual=(given,)) == [
        ("2025-01-01", "base", "joined"),
        ("2025-02-01", "gold", "manual"),
        ("2025-06-10", "platinum", "reached"),
    ]


def test_a_lifetime_never_ends() -> None:
    facts = [bought("A", "2015-03-10", 600)]
    assert story(ladder(window="lifetime"), facts, "2040-12-31", joined="2015-01-01")[-1] == (
        "2015-03-10", "silver", "reached",
    )  # fmt: skip


def test_an_order_at_the_very_turn_belongs_to_the_new_year() -> None:
    facts = [bought("A", "2026-01-01", 500, at=dt.datetime(2025, 12, 31, 22, tzinfo=dt.UTC))]
    found = story(ladder(), facts, "2027-12-31")
    assert found == [("2025-01-01", "base", "joined"), ("2026-01-01", "silver", "reached")]
