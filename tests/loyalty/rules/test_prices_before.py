"""Prices as they were before a discount; what was quoted and charged is found again."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.rules.discount_bodies import DiscountBody
from loyalty.rules.discounts import DiscountVersion, discount
from loyalty.rules.facts import Basket, Line, Occasion
from loyalty.rules.prices_before import without_discounts
from members.conditions.moments import Moment
from tests.loyalty.factories import NOW

COIN = Decimal("0.01")
D = Decimal


@pytest.mark.parametrize(
    ("lines", "whole", "off", "found", "left"),
    [
        # All of it was the program's: exactly what it was.
        ([("9", "1"), ("18", "2")], "0", "3", ["10", "20"], "0"),
        ([("9", "1"), ("20", "0")], "0", "1", ["10", "20"], "0"),
        ([("30", "0")], "5", "5", ["30"], "0"),
        # A shop took off as much on the second line: it stays off in proportion.
        ([("9", "1"), ("19", "1")], "0", "1", ["9.5", "19.5"], "0"),
        ([("9", "1")], "3", "2", ["9.5"], "1.5"),
        # What does not come to coins goes where most was cut.
        ([("5", "1"), ("5", "1"), ("5", "1")], "0", "1", ["5.34", "5.33", "5.33"], "0"),
        # More than was off cannot be put back; nothing to put back changes nothing.
        ([("9", "1")], "0", "4", ["10"], "0"),
        ([("9", "1")], "0", "0", ["9"], "0"),
    ],
)
def test_what_was_taken_off_is_put_back(lines, whole, off, found, left):
    basket = Basket(
        tuple(Line(n, D(total), discount=D(cut)) for n, (total, cut) in enumerate(lines)),
        discount_total=D(whole),
    )
    before = without_discounts(basket, D(off), COIN)
    assert [line.total for line in before.lines] == [D(total) for total in found]
    assert before.discount_total == D(left)
    assert [line.total + line.discount for line in before.lines] == [
        line.total + line.discount for line in basket.lines
    ]


def test_taxes_rise_as_prices_do():
    basket = Basket((Line(1, D("107.10"), discount=D("11.90"), tax=D("17.10")),), D("17.10"))
    [line] = without_discounts(basket, D("11.90"), COIN).lines
    assert (line.total, line.tax, line.discount) == (D(119), D(19), D(0))


@settings(max_examples=60)
@given(
    st.lists(st.integers(1, 90_000), min_size=1, max_size=5),
    st.integers(1, 99),
)
def test_what_was_discounted_is_found_again(prices, percent):
    body = DiscountBody.model_validate({"kind": "discount", "percent": percent})
    version = DiscountVersion(1, 1, "off", "Off", 1, body, 1, 0)
    basket = Basket(tuple(Line(n, D(price).scaleb(-2)) for n, price in enumerate(prices)))
    found = discount([version], Occasion(basket, Moment(NOW, NOW.tzinfo)), coin=COIN)
    assert without_discounts(found.basket, found.amount, COIN) == basket
