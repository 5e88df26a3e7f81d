"""The arithmetic of experiments, against published numbers and by simulation."""

from __future__ import annotations

import math
import random

import pytest

from campaigns.experiment_plans import Stretch, make_plan
from campaigns.experiment_statistics import (
    FIRST_LOOK_DAYS,
    Moments,
    chance_of_sizes,
    decide,
    difference,
    early_boundary,
    end_boundary,
    members_for_means,
    members_for_shares,
)

TEXTBOOK = 1.959964


def test_the_sample_sizes_are_those_of_textbooks() -> None:
    # Chow et al.: a difference of half a standard deviation takes 63 in each of two arms.
    assert members_for_means(1.0, 0.5, TEXTBOOK) == 63
    # Fleiss et al., table A.4 without the correction: 60 % against 70 % takes 356.
    assert members_for_shares(0.6, 0.7, TEXTBOOK) == 356


def test_a_difference_lies_between_bounds_that_know_the_variance_of_each_arm() -> None:
    found = difference(Moments(100, 10, 400), Moments(400, 12, 100), 2)
    assert found.value == 2
    assert found.high - found.value == pytest.approx(2 * math.sqrt(4 + 0.25))
    assert found.z == pytest.approx(2 / math.sqrt(4.25))


def test_where_all_did_alike_nobody_knows_how_sure_it_is() -> None:
    assert difference(Moments(100, 0, 0), Moments(100, 1, 0), 2).z is None
    assert decide([Moments(100, 0, 0), Moments(100, 1, 0)], 14, ended=True).kind == "none"


@pytest.mark.parametrize(
    ("members", "shares", "chance"),
    [
        ((60, 40), (50, 50), 0.0455),
        ((50, 50), (50, 50), 1.0),
        ((40, 30, 30), (30, 30, 40), 0.0541),
        ((40, 20, 20, 20), (25, 25, 25, 25), 0.0074),
        ((0, 0), (50, 50), 1.0),
    ],
)
def test_arms_of_another_size_than_drawn_are_told_by_chi_square(
    members: tuple[int, ...], shares: tuple[int, ...], chance: float
) -> None:
    assert chance_of_sizes(members, shares) == pytest.approx(chance, abs=0.0006)


def test_several_comparisons_ask_for_more_and_so_do_more_days() -> None:
    assert early_boundary(1) == pytest.approx(3)
    assert early_boundary(3) > early_boundary(2) > 3
    assert end_boundary(2, 14) > end_boundary(1, 14)
    assert end_boundary(1, 182) > end_boundary(1, 28) > end_boundary(1, 14) > TEXTBOOK


def test_the_best_of_those_that_are_better_wins() -> None:
    arms = [Moments(1000, mean, 1) for mean in (1.0, 1.5, 1.7, 0.2)]
    assert decide(arms, 14, ended=True).winner == 2
    assert decide(arms, 14, ended=False).winner == 2
    worse = decide([Moments(1000, 1.0, 1), Moments(1000, 0.5, 1)], 14, ended=True)
    assert (worse.kind, worse.winner) == ("worse", 0)
    few = [Moments(49, 1, 1), Moments(4000, 9, 1)]
    assert (decide(few, 14, ended=True).kind, decide(few, 14, ended=False).kind) == ("few", "")


def test_before_the_end_harm_is_declared_only_once_no_other_arm_can_still_be_better() -> None:
    arms = [Moments(1000, mean, 1) for mean in (1.0, 0.5, 1.1)]
    assert decide(arms, 28, ended=False).kind == ""
    assert decide(arms, 28, ended=True).kind in ("worse", "better")
    all_clear = [Moments(1000, mean, 1) for mean in (1.0, 0.5, 0.6)]
    assert decide(all_clear, 28, ended=False).kind == "worse"


@pytest.mark.parametrize(("arms", "days"), [(2, 28), (2, 91), (3, 28), (4, 56)])
def test_under_no_difference_daily_looks_err_in_5_of_100_cases_at_most(
    arms: int, days: int
) -> None:
    chance, wrong, runs = random.Random(f"{arms} {days}"), 0, 4000
    before = math.sqrt(FIRST_LOOK_DAYS - 1)
    for _run in range(runs):
        # Of the days on which nobody looks, at once.
        sums = [chance.gauss(0, before) for _arm in range(arms)]
        for day in range(FIRST_LOOK_DAYS, days + 1):
            # So many members that the mean of a day is normal; its variance is known well.
            sums = [total + chance.gauss(0, 1) for total in sums]
            # Every boundary is beyond this one, as is shown above: nothing is decided within it.
            within = TEXTBOOK * math.sqrt(2 * day)
            if max(sums) - sums[0] < within and sums[0] - min(sums) < within:
                continue
            found = [Moments(1000, total / 1000, day / 1000) for total in sums]
            if decide(found, days, ended=day == days).winner is not None:
                wrong += 1
                break
    # Three errors of the simulation itself.
    assert wrong / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert wrong / runs >= 0.02


def test_a_plan_names_the_shortest_time_that_is_enough() -> None:
    stretches = [Stretch(1, Moments(2000, 5, 400)), Stretch(4, Moments(2000, 20, 900))]
    plan = make_plan(stretches, members=2000, shares=(50, 50), smallest=20, measure="revenue")
    first, second = plan.rows
    assert (first.enough, second.enough) == (False, True)
    assert (plan.have, plan.first, plan.row_of(6)) == (1000, second, second)
    assert second.needed is not None
    assert second.difference == 4
    tiny = make_plan(stretches, members=2000, shares=(95, 5), smallest=2, measure="revenue")
    assert tiny.first is None


def test_a_share_that_cannot_rise_further_is_compared_with_one_below() -> None:
    stretches = [Stretch(1, Moments(500, 0.95, 0.05))]
    plan = make_plan(stretches, members=500, shares=(50, 50), smallest=10, measure="ordered")
    assert plan.rows[0].needed is not None
    nothing = make_plan(
        [Stretch(1, Moments(500, 0, 0))], members=500, shares=(50, 50), smallest=10,
        measure="ordered",
    )  # fmt: skip
    assert (nothing.rows[0].needed, nothing.first) == (None, None)
