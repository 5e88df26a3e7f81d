"""The worked examples of key figures, and what bands and lifts say; nothing of a database."""

import random
from decimal import Decimal
from statistics import covariance, fmean

import pytest

from campaigns.comparisons import Arm, compare_orders, compare_values
from campaigns.selectors.opinions import nps_of
from loyalty.goal_metrics import METRICS
from loyalty.insight_registry import Compared, Comparison, registered_insights
from loyalty.insight_sentences import (
    WORDS,
    advice_sentence,
    band_words,
    figure_sentence,
    lift_words,
)
from loyalty.insight_sums import (
    change,
    likelihood,
    loyalty_index,
    net_promoters,
    share,
    value_of_customer,
)
from loyalty.lifts import cost_of_purchase, frequency_lift, order_value_lift, return_on_cost
from loyalty.target_bands import LIFTS, Band, state_in, usual_band, usual_tier_band


def test_two_hundred_of_a_thousand_are_twenty_percent():
    assert share(200, 1000) == 20


def test_355_of_5000_lost_are_seven_and_a_tenth_percent():
    assert share(355, 5000) == Decimal("7.1")


def test_nothing_has_no_share():
    assert share(0, 0) is None


def test_60_promoters_25_passives_and_15_detractors_are_an_nps_of_45():
    assert net_promoters(60, 25, 15) == 45
    assert nps_of({10: 40, 9: 20, 8: 15, 7: 10, 6: 5, 0: 10}) == 45
    assert nps_of({}) is None


def test_a_customer_brings_in_three_months_what_a_month_of_all_comes_to():
    value = value_of_customer(2_500_000, 455, 3)
    assert value is not None
    assert round(value) == 16_484
    assert value_of_customer(1, 0, 3) is None


@pytest.mark.parametrize(
    ("parts", "index"),
    [
        ((60, 45, 30), 45),
        ((0, 0, 0), 0),
        ((100, 100, 100), 100),
        # Of what nobody was asked nothing is made up.
        ((80, None, 60), 70),
        ((80, None, None), 80),
        ((None, None, None), None),
    ],
)
def test_the_loyalty_index_is_the_mean_of_what_members_were_asked(parts, index):
    assert loyalty_index(*parts) == index


@pytest.mark.parametrize(
    ("spread", "likely"),
    [({10: 3}, 100), ({0: 2}, 0), ({10: 1, 5: 1}, 75), ({8: 1, 7: 1, 0: 1}, 50), ({}, None)],
)
def test_how_likely_something_is_is_the_mean_of_ten_out_of_a_hundred(spread, likely):
    assert likelihood(spread) == likely


@pytest.mark.parametrize(
    ("before", "after", "more"),
    [(300, 450, 50), (100, 80, -20), (100, 100, 0), (0, 50, None), (None, 50, None)],
)
def test_what_is_after_is_compared_with_what_was_before(before, after, more):
    assert change(before, after) == more


@pytest.mark.parametrize(
    ("value", "state"),
    [
        ("59.9", "below"),
        ("60", "inside"),
        ("80", "inside"),
        ("80.1", "above"),
        (None, "unmeasured"),
    ],
)
def test_both_ends_of_a_band_are_inside(value, state):
    band = usual_band(METRICS["enrollment_share"])
    assert state_in(band, None if value is None else Decimal(value)) == state
    assert state_in(None, Decimal(3)) == "free"


def test_a_band_may_be_open_on_a_side():
    assert state_in(Band(None, Decimal(5)), Decimal(0)) == "inside"
    assert state_in(Band(Decimal(5), None), Decimal(500)) == "inside"
    assert band_words(METRICS["churn_rate"], Band(None, Decimal(5)), "USD") == "at most 5%"
    assert band_words(METRICS["average_order"], Band(Decimal(5), None), "USD") == "at least $5.00"
    assert band_words(METRICS["active_share"], Band(Decimal(40), Decimal(60)), "USD") == (
        "40% to 60%"
    )


def test_four_tiers_are_to_have_60_25_12_and_3_percent():
    for place, wanted in enumerate((60, 25, 12, 3)):
        assert state_in(usual_tier_band(place, 4), Decimal(wanted)) == "inside"
    assert usual_tier_band(0, 6) is None


def test_every_figure_has_words_for_what_it_says_and_what_to_do():
    own = registered_insights("figure")
    metrics = [*METRICS.values(), *(metric for metric, _measure in own)]
    for metric in metrics:
        assert "%s" not in figure_sentence(metric, Decimal(7), "USD")
        for state in ("below", "inside", "above"):
            assert advice_sentence(metric, state), metric.code
        assert advice_sentence(metric, "free") == ""
    assert set(WORDS) == {metric.code for metric in metrics}


def compared(**changes):
    known = {
        "name": "Double", "url_name": "", "url_key": "", "led": 400, "aside": 100,
        "orders": Compared(3.0, 2.0, 0.5, 1.5, 0.12, 0.22),
        "revenue": Compared(75.0, 40.0, 20.0, 50.0, 3.0, 7.0),
        "values": Compared(25.0, 20.0, 1.1, 8.9, 0.5, 2.0),
        "cost": Decimal(3500),
    }  # fmt: skip
    return Comparison(**{**known, **changes})


def test_what_a_comparison_tells_is_worked_out_against_those_kept_aside():
    often = frequency_lift(compared())
    # Errors of 4% and 11% are 11.7% of the ratio: 1.96 of them are a factor of 1.258.
    assert (often.value, often.is_clear) == (1.5, True)
    assert (often.low, often.high) == (
        pytest.approx(1.192, abs=1e-3),
        pytest.approx(1.887, abs=1e-3),
    )
    # 35 more for each of 400, of which 3,500 was given: four times.
    back = return_on_cost(compared())
    assert back.value == pytest.approx(4)
    assert (back.low, back.high) == (pytest.approx(20 * 400 / 3500), pytest.approx(50 * 400 / 3500))
    # 25 an order against 20.
    worth = order_value_lift(compared())
    assert (worth.value, worth.is_clear) == (pytest.approx(25), True)
    # Errors of 2% and 10% are 10.2% of the ratio.
    assert (worth.low, worth.high) == (
        pytest.approx(2.36, abs=1e-2),
        pytest.approx(52.65, abs=1e-2),
    )
    assert order_value_lift(compared(values=None)) is None
    # 400 more purchases for 3,500.
    assert cost_of_purchase(compared()) == Decimal("8.75")


def test_what_is_less_is_not_called_more():
    assert lift_words(LIFTS["order_value_lift"], 12.0, "USD") == "12% more"
    assert lift_words(LIFTS["order_value_lift"], -5.0, "USD") == "5% less"


def test_what_chance_alone_may_have_made_is_not_clear():
    unclear = compared(orders=Compared(2.1, 2.0, -0.3, 0.5, 0.1, 0.18))
    assert not frequency_lift(unclear).is_clear
    assert cost_of_purchase(unclear) is None
    assert return_on_cost(compared(cost=None)) is None


def arm(chance: random.Random, weights: tuple[int, ...], size: int, worth: float = 0.0) -> Arm:
    """So many members, each with 0, 1, 2 … orders as often as the weights say, which come to
    `worth` on average, those of who buys often to less: as the database sums them up."""
    orders = chance.choices(range(len(weights)), weights, k=size)
    if not worth:
        return Arm(size, fmean(orders), 0.0, covariance(orders, orders), 0.0, 0.0)
    spent = [
        # That many orders, each of its own worth.
        chance.gammavariate(number, worth * 2 / (1 + number)) if number else 0.0
        for number in orders
    ]
    return Arm(
        size, fmean(orders), fmean(spent),
        # Of a list with itself it is the variance, which `statistics` sums as fractions.
        covariance(orders, orders), covariance(spent, spent), covariance(orders, spent),
    )  # fmt: skip


def mean_worth(weights: tuple[int, ...], worth: float) -> float:
    """What an order comes to on average, of members as `arm` makes them."""
    orders = sum(number * share for number, share in enumerate(weights))
    return sum(n * share * worth * 2 / (1 + n) for n, share in enumerate(weights)) / orders


# What a member buys, led and aside: much alike, and as most shops know it, often nothing.
@pytest.mark.parametrize(
    ("led", "aside", "sizes"),
    [
        ((10, 30, 30, 20, 10), (10, 30, 30, 20, 10), (400, 100)),
        ((30, 30, 20, 10, 6, 4), (60, 20, 10, 5, 3, 2), (400, 100)),
        ((70, 20, 5, 3, 1, 1), (85, 10, 3, 1, 1, 0), (1000, 200)),
        ((50, 30, 20), (70, 20, 10), (50, 50)),
    ],
)
def test_the_interval_of_purchases_holds_the_truth_in_95_of_100_comparisons(led, aside, sizes):
    chance = random.Random(7)
    true = [sum(n * share for n, share in enumerate(arms)) / sum(arms) for arms in (led, aside)]
    held = []
    for _time in range(1000):
        found = compare_orders(arm(chance, led, sizes[0]), arm(chance, aside, sizes[1]))
        arms = found
        often = frequency_lift(compared(orders=arms))
        if often.low is not None:
            held.append(often.low <= true[0] / true[1] <= often.high)
    assert len(held) > 900
    assert 0.93 <= sum(held) / len(held) <= 0.97


@pytest.mark.parametrize(
    ("led", "aside", "sizes"),
    [
        ((10, 30, 30, 20, 10), (10, 30, 30, 20, 10), (400, 100)),
        ((30, 30, 20, 10, 6, 4), (60, 20, 10, 5, 3, 2), (400, 200)),
        ((20, 40, 40), (30, 40, 30), (200, 200)),
    ],
)
def test_the_interval_of_an_orders_worth_holds_the_truth_in_95_of_100_comparisons(
    led, aside, sizes
):
    chance = random.Random(11)
    true = (mean_worth(led, 22) / mean_worth(aside, 20) - 1) * 100
    held = []
    for _time in range(1000):
        found = compare_values(arm(chance, led, sizes[0], 22), arm(chance, aside, sizes[1], 20))
        more = order_value_lift(compared(values=found))
        held.append(more.low <= true <= more.high)
    assert 0.93 <= sum(held) / len(held) <= 0.97


def test_where_nobody_ordered_on_one_side_an_order_comes_to_nothing_that_is_known():
    some, none = Arm(60, 1.0, 20.0, 0.5, 90.0, 4.0), Arm(60)
    assert compare_values(some, none) is None
    assert compare_values(none, some) is None


def test_so_few_orders_that_they_may_be_none_give_no_interval():
    few = frequency_lift(compared(orders=Compared(0.3, 0.1, 0.05, 0.35, 0.03, 0.05)))
    assert (few.low, few.high, few.is_clear) == (None, None, False)
    assert few.value == pytest.approx(3)
    assert frequency_lift(compared(orders=Compared(0.0, 0.1, -0.2, 0.0, 0.0, 0.02))).low is None
    assert frequency_lift(compared(orders=Compared(0.1, 0.0, 0.0, 0.2, 0.02, 0.0))) is None
