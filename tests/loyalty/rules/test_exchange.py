"""What a basket comes to in another currency: its parts add up to its total."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.rules.basket import net_basket
from loyalty.rules.exchange import Exchange, converted, inverse_of
from loyalty.rules.facts import NOTHING, Basket, Line, Return

D = Decimal


def at(rate: str, digits: int = 2) -> Exchange:
    return Exchange("USD", "EUR", D(rate), digits, "order")


def basket(*totals: str, **more) -> Basket:
    return Basket(tuple(Line(n, D(t)) for n, t in enumerate(totals, start=1)), **more)


@pytest.mark.parametrize(("totals", "rate", "digits", "lines"), [
    (("120",), "0.92", 2, ["110.40"]),
    # Three thirds of a dollar: the first of equals gets the coin.
    (("0.33", "0.33", "0.34"), "0.5", 2, ["0.17", "0.16", "0.17"]),
    (("10", "10", "10"), "0.33335", 2, ["3.34", "3.33", "3.33"]),
    (("0.05",), "0.5", 2, ["0.03"]),
    (("19.99", "5.01"), "149.375", 0, ["2986", "748"]),
    (("1000", "2500"), "0.0061", 2, ["6.10", "15.25"]),
    (("1",), "0.3075", 3, ["0.308"]),
    (("10", "-4"), "0.9999", 2, ["10.00", "-4.00"]),
    (("0", "0"), "0.9", 2, ["0", "0"]),
])  # fmt: skip
def test_lines_come_to_the_total_rounded_once(totals, rate, digits, lines):
    exchange = at(rate, digits)
    found = converted(basket(*totals), exchange)
    assert [line.total for line in found.lines] == [D(text) for text in lines]
    assert found.total == exchange.amount(basket(*totals).total)


def test_shipping_a_discount_and_tax_on_top_are_parts_of_the_total():
    bought = basket("60", "39.99", shipping_total=D("4.95"), discount_total=D(10),
                    tax_total=D("18.05"), taxes_included=False)  # fmt: skip
    found = converted(bought, at("0.873"))
    assert found.total == at("0.873").amount(bought.total) == D("98.64")
    assert (found.shipping_total, found.discount_total, found.tax_total) == (
        D("4.32"), D("8.73"), D("15.76"),
    )  # fmt: skip


def test_taxes_of_lines_come_to_the_tax_of_the_order():
    lines = tuple(Line(n, D(10), tax=D("1.67")) for n in range(3))
    found = converted(Basket(lines, tax_total=D("5.01")), at("0.9137"))
    assert sum(line.tax for line in found.lines) == found.tax_total == D("4.58")


def test_what_paid_for_all_of_it_pays_for_all_of_it():
    found = converted(basket("33.33", "66.67", paid_units=D(100)), at("0.91237"))
    assert found.paid_units == found.total == D("91.24")


def test_nothing_is_nothing():
    assert converted(NOTHING, at("0.92")) is NOTHING


def test_an_inverse_has_ten_digits():
    assert inverse_of(D("1.0875")) == D("0.9195402299")
    assert inverse_of(D(8)) == D("0.125")


money = st.decimals(min_value=0, max_value=100_000, places=2)
rates = st.decimals(min_value=D("0.0000000001"), max_value=20_000, places=10)


@given(st.lists(money, min_size=1, max_size=8), money, money, rates, st.sampled_from([0, 2, 3]))
def test_parts_always_come_to_the_total(totals, shipping, discount, rate, digits):
    bought = basket(*map(str, totals), shipping_total=shipping, discount_total=discount)
    exchange = at(str(rate), digits)
    found = converted(bought, exchange)
    assert found.total == exchange.amount(bought.total)
    for before, after in zip(bought.lines, found.lines, strict=True):
        assert abs(exchange.exactly(before.total) - after.total) < exchange.coin


@given(st.lists(money, min_size=1, max_size=5), rates)
def test_what_came_back_as_a_whole_leaves_nothing(totals, rate):
    bought = basket(*map(str, totals))
    left = net_basket(bought, [Return(bought.total)])
    assert converted(left, at(str(rate))).total == 0
