"""What a program costs and brings: what holds for all numbers; docs/economics.md has examples."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.economics import Economics, Inputs, Lift, what_follows

EXAMPLE = Inputs(
    members=10_000, spend_without=Decimal(300), spend_with=Decimal(450), margin=Decimal(60),
    reward_rate=Decimal(3), administration=Decimal(5),
)  # fmt: skip
CLOSE = Decimal("0.0000001")


def amounts(most: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(0, most, places=2)


INPUTS = st.builds(
    Inputs, members=st.integers(1, 1_000_000), spend_without=amounts(5000),
    spend_with=amounts(5000), margin=amounts(100), reward_rate=amounts(100), bonuses=amounts(100),
    administration=amounts(100), platform_fee=amounts(100_000), support=amounts(100),
    messaging=amounts(100), redemption=amounts(50), breakage=amounts(50), owed=amounts(100_000),
)  # fmt: skip


def changed(**values: Any) -> Economics:
    return Economics(replace(EXAMPLE, **values))


@given(INPUTS)
def test_at_the_break_even_lift_nothing_is_lost_and_nothing_won(inputs: Inputs) -> None:
    lift = Economics(inputs).break_even_lift
    if lift is not None and lift < 10**9:
        there = Economics(replace(inputs, spend_with=inputs.spend_without + lift))
        assert abs(there.net) < CLOSE * (1 + lift)


@given(INPUTS)
def test_without_a_break_even_lift_no_lift_pays(inputs: Inputs) -> None:
    if Economics(inputs).break_even_lift is None:
        for lift in (0, 10, 10_000):
            assert Economics(replace(inputs, spend_with=inputs.spend_without + lift)).net < CLOSE


@given(INPUTS)
def test_at_the_highest_rate_nothing_is_lost_and_nothing_won(inputs: Inputs) -> None:
    rate = Economics(inputs).break_even_rate
    if rate is not None and rate < 10**9:
        assert abs(Economics(replace(inputs, reward_rate=rate)).net) < CLOSE * (1 + rate)


@given(INPUTS)
def test_from_the_break_even_members_on_it_pays_and_with_one_less_it_does_not(
    inputs: Inputs,
) -> None:
    members = Economics(inputs).break_even_members
    if members is not None:
        assert Economics(replace(inputs, members=members)).net >= -CLOSE
        if members > 1:
            assert Economics(replace(inputs, members=members - 1)).net <= CLOSE


def exactly_enough(inputs: Inputs) -> int | None:
    """The same in fractions."""
    on_top = 1 + Fraction(inputs.support + inputs.messaging) / 100
    earned = Fraction(inputs.reward_rate) * Fraction(inputs.spend_with) / 100 + Fraction(
        inputs.bonuses
    )
    used = earned * (1 - Fraction(inputs.breakage) / 100)
    gain = Fraction(inputs.margin) * Fraction(inputs.spend_with - inputs.spend_without) / 100
    each = gain - (used + Fraction(inputs.administration)) * on_top
    if not inputs.platform_fee:
        return 1 if each >= 0 else None
    return ceil(Fraction(inputs.platform_fee) * on_top / each) if each > 0 else None


def test_what_cannot_be_said_exactly_of_a_member_makes_it_no_member_more() -> None:
    inputs = Inputs(
        members=2544, spend_without=Decimal(462), spend_with=Decimal(593), margin=Decimal(20),
        administration=Decimal(1), platform_fee=Decimal(1000), messaging=Decimal(20),
    )  # fmt: skip
    assert Economics(inputs).break_even_members == exactly_enough(inputs) == 48


@given(INPUTS)
def test_break_even_members_are_those_of_exact_fractions(inputs: Inputs) -> None:
    assert Economics(inputs).break_even_members == exactly_enough(inputs)


@given(INPUTS)
def test_what_is_earned_is_spent_expired_or_owed(inputs: Inputs) -> None:
    found = Economics(inputs)
    spent = found.earned * inputs.redemption / 100
    assert abs(spent + found.never_used + found.outstanding - found.earned) < CLOSE
    assert found.liability >= inputs.owed


def test_the_lift_moves_in_quarters_around_what_it_is_now() -> None:
    steps = what_follows(EXAMPLE, "lift")
    assert [step.value for step in steps] == [
        Decimal(text) for text in ("37.5", "75", "112.5", "150", "187.5", "225", "262.5")
    ]
    assert [step.now for step in steps] == [False] * 3 + [True] + [False] * 3
    assert [step.outcome.inputs.spend_without for step in steps] == [300] * 7
    nets = [step.outcome.net for step in steps]
    assert nets == sorted(nets)


def test_a_measured_lift_moves_what_would_be_spent_without_the_program() -> None:
    measured = replace(EXAMPLE, lift=Lift(Decimal(50), Decimal(250)))
    steps = what_follows(measured, "lift")
    assert [step.outcome.inputs.spend_with for step in steps] == [450] * 7
    assert [step.outcome.lift for step in steps] == [step.value for step in steps]
    assert {step.outcome.cost for step in steps} == {Decimal("18.5")}
    # What was measured is there even if somebody would then spend less than nothing.
    wide = replace(measured, spend_without=Decimal(-50))
    assert [step.value for step in what_follows(wide, "lift")] == [125, 250, 375, 500]


@pytest.mark.parametrize(
    ("rate", "values"),
    [("3", "1.5 2 2.5 3 3.5 4 4.5"), ("0", "0 0.5 1 1.5"), ("1", "0 0.5 1 1.5 2 2.5"),
     ("10", "7 8 9 10 11 12 13"), ("20", "5 10 15 20 25 30 35"), ("100", "85 90 95 100")],
)  # fmt: skip
def test_the_rate_moves_in_steps_that_one_would_try(rate: str, values: str) -> None:
    steps = what_follows(replace(EXAMPLE, reward_rate=Decimal(rate)), "rate")
    assert [step.value for step in steps] == [Decimal(text) for text in values.split()]
    assert sum(step.now for step in steps) == 1


def test_without_any_lift_it_moves_by_a_twentieth_of_what_is_spent() -> None:
    steps = what_follows(replace(EXAMPLE, spend_with=Decimal(300)), "lift")
    assert [step.value for step in steps] == [-45, -30, -15, 0, 15, 30, 45]
    unspent = replace(EXAMPLE, spend_with=Decimal(0), spend_without=Decimal(0))
    nothing = what_follows(unspent, "lift")
    assert [step.value for step in nothing] == [0]


def test_a_measured_lift_says_between_what_the_net_lies() -> None:
    assert changed().ends is None
    ends = changed(lift=Lift(Decimal(50), Decimal(250))).ends
    assert ends is not None
    low, high = ends
    assert (low.lift, high.lift) == (50, 250)
    assert (low.net, high.net) == (Decimal("11.5"), Decimal("131.5"))
    assert low.cost == high.cost == Decimal("18.5")
