"""Members over thresholds, and thresholds for the shares that one would like."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.tiers.spread import TARGETS, Part, Spread, next_nice, nice


def spread(*amounts: int, units: int = 10) -> Spread:
    """A member for each amount, who earned so many units."""
    return Spread(tuple(Part(Decimal(a), Decimal(a), 1, Decimal(units)) for a in sorted(amounts)))


def test_a_member_has_the_tier_whose_threshold_they_reach():
    found = spread(0, 99, 100, 499, 500, 2000).over([Decimal(0), Decimal(100), Decimal(500)])
    assert found == [(2, 20), (2, 20), (2, 20)]


def test_within_a_part_members_stand_evenly():
    part = Spread((Part(Decimal(0), Decimal(100), 200, Decimal(50)),))
    assert part.over([Decimal(0), Decimal(25)]) == [(50, Decimal("12.5")), (150, Decimal("37.5"))]


def test_without_members_nobody_is_anywhere():
    assert spread().over([Decimal(0), Decimal(5)]) == [(0, 0), (0, 0)]
    assert spread().suggested(TARGETS[3]) == [0, 1, 2]


@pytest.mark.parametrize("number", sorted(TARGETS))
def test_targets_are_a_hundred_percent(number):
    assert len(TARGETS[number]) == number
    assert sum(TARGETS[number]) == 100


@pytest.mark.parametrize("number", sorted(TARGETS))
def test_suggested_thresholds_come_close_to_the_targets(number):
    members = spread(*range(10, 10010, 10))
    thresholds = members.suggested(TARGETS[number])
    shares = [count / 10 for count, _units in members.over(thresholds)]
    for share, target in zip(shares, TARGETS[number], strict=True):
        assert share == pytest.approx(target, abs=10)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("0.3", 1), ("1", 1), ("7", 7), ("9.6", 10), ("104", 100), ("327", 350), ("1380", 1500),
     ("46000", 45000)],
)  # fmt: skip
def test_a_number_that_one_can_keep_in_mind(amount, expected):
    assert nice(Decimal(amount)) == expected


def test_the_next_one_is_above():
    assert [next_nice(Decimal(amount)) for amount in ("0", "1", "500", "900", "1000")] == [
        1, 2, 600, 1000, 1200,
    ]  # fmt: skip


@given(
    st.lists(st.integers(0, 10_000), max_size=60),
    st.lists(st.integers(1, 9_000), min_size=1, max_size=5, unique=True),
)
def test_every_member_is_in_one_tier(amounts, thresholds):
    members = spread(*amounts)
    steps = [Decimal(0), *map(Decimal, sorted(thresholds))]
    found = members.over(steps)
    assert sum(count for count, _units in found) == len(amounts)
    highest = sum(1 for amount in amounts if amount >= steps[-1])
    assert found[-1] == (highest, highest * 10)


@given(st.lists(st.integers(0, 10_000), max_size=60), st.sampled_from(sorted(TARGETS)))
def test_suggested_thresholds_rise(amounts, number):
    found = spread(*amounts).suggested(TARGETS[number])
    assert found[0] == 0
    assert found == sorted(set(found))
    assert all(threshold == int(threshold) for threshold in found)
