"""What the shop keeps of an item: rules ask for it, and customers never read it."""

from decimal import Decimal

import pytest

from loyalty.errors import InvalidOrderError
from loyalty.models import Order, OrderLine
from loyalty.rule_words import describe_cashback
from loyalty.rules.bodies import parse_body
from loyalty.rules.facts import Basket, Line
from loyalty.rules.margins import with_margins
from loyalty.selectors.replayed_orders import Stretch, replayed_customers
from loyalty.services.quotes import quote_order
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    line,
    make_program,
    moves,
    order,
    record,
    refund,
    returned,
    spendable,
)

pytestmark = pytest.mark.usefixtures("coherent_ledger")

RICH = {"field": "line.margin", "op": "at_least", "value": "30"}
BONUS = {
    "kind": "fixed", "units": 50, "when": {"lines": "any", "where": RICH},
}  # fmt: skip


def cheap(number: int, total: str, cost: str | None, quantity: str = "1"):
    unit_cost = None if cost is None else Decimal(cost)
    return line(number, total, quantity=Decimal(quantity), unit_cost=unit_cost)


@pytest.mark.parametrize(
    ("told", "of_order", "margin"),
    [
        ({"total": "10", "unit_cost": "7"}, {}, "30.00"),
        ({"total": "12", "tax": "2", "quantity": "2", "unit_cost": "3.5"}, {}, "30.00"),
        ({"total": "12", "tax": "2", "unit_cost": "7"}, {"taxes_included": False}, "41.67"),
        # Tax that only the order names.
        ({"total": "120", "unit_cost": "80"}, {"tax_total": Decimal(20)}, "20.00"),
        ({"total": "10", "quantity": "3", "unit_cost": "5"}, {}, "-50.00"),
        ({"total": "10", "unit_cost": "0"}, {}, "100.00"),
        ({"total": "10", "unit_cost": "7"}, {"discount_total": Decimal(2)}, "30.00"),
        ({"total": "10"}, {}, None),
        ({"total": "0", "unit_cost": "1"}, {}, None),
        ({"total": "0.0001", "quantity": "99999999999", "unit_cost": "9" * 14}, {},
         "-9999999999989900000000000000000"),
    ],
)  # fmt: skip
def test_a_margin_is_of_the_price_without_tax(told, of_order, margin):
    amounts = {name: Decimal(amount) for name, amount in told.items()}
    [found] = with_margins(Basket((Line(1, **amounts),), **of_order)).lines
    expected = None if margin is None else Decimal(margin)
    assert found.margin == (expected if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(("cost", "units"), [("7", 50), ("7.01", 0), (None, 0)])
def test_a_rule_asks_for_the_margin_of_items_in_life_and_in_a_quote(cost, units):
    make_program(earning_rules=[BONUS])
    bought = order("A", "10", lines=(cheap(1, "10", cost),))
    [quote] = quote_order(bought)
    assert quote.awards[0].award.units == units
    record(bought)
    assert spendable() == units


BY_MARGIN = {
    "kind": "cashback", "percent": "1", "by_margin": [{"at_least": "30", "percent": "10"}],
}  # fmt: skip


def test_cashback_by_margin_comes_to_the_same_in_life_in_a_quote_and_in_a_backtest():
    program = make_program(unit={"unit_value": "1"}, earning_rules=[BY_MARGIN])
    lines = (cheap(1, "100", "70"), cheap(2, "100", "80"), cheap(3, "100", None))
    bought = order("A", "300", lines=lines)
    [quote] = quote_order(bought)
    record(bought)
    assert quote.awards[0].award.units == spendable() == 10 + 1 + 1
    [(sale,)] = [one.events for one in replayed_customers(Stretch(program, NOW, day(1)), 1, 10**9)]
    assert [one.margin for one in sale.occasion.basket.lines] == [30, 20, None]


def test_what_a_discount_leaves_of_the_margin_counts_in_the_quote_as_in_the_order():
    off = {"kind": "discount", "code": "card", "name": "Card", "percent": 20}
    make_program(unit={"unit_value": "1"}, earning_rules=[BY_MARGIN], discount_rules=[off])
    [quote] = quote_order(order("A", "100", lines=(cheap(1, "100", "60"),)))
    assert quote.discounted.basket.lines[0].margin == 25
    record(order("B", "80", lines=(cheap(1, "80", "60"),)))
    # Not 10 percent, which is for a margin of 30.
    assert quote.awards[0].award.units == spendable() == 0


def test_what_something_cost_is_zero_or_more():
    make_program()
    with pytest.raises(InvalidOrderError) as refused:
        record(order("A", "10", lines=(cheap(1, "10", "-1"),)))
    assert [error.field for error in refused.value.errors] == ["lines[0].unit_cost"]


def test_a_refund_changes_nothing_of_the_margin_of_what_is_kept():
    make_program(earning_rules=[BONUS])
    record(order("A", "20", lines=(cheap(1, "20", "6", "2"),)))
    back = returned(1, "10", order_line_no=1)
    give_back(refund("R1", "10", of="A", lines=(back,), at=day(1)))
    assert moves() == [("accrual", 50)]


def test_what_an_order_says_of_it_later_counts_and_the_same_again_changes_nothing():
    make_program(earning_rules=[BONUS])
    record(order("A", "10", lines=(cheap(1, "10", None),)))
    before = bytes(Order.objects.get().body_hash)
    record(order("A", "10", lines=(cheap(1, "10", None),)))
    assert bytes(Order.objects.get().body_hash) == before
    record(order("A", "10", lines=(cheap(1, "10", "4"),)), now=day(1))
    assert OrderLine.objects.get().unit_cost == 4
    assert spendable(at=day(1)) == 50


def test_members_read_the_percentages_and_nobody_elses_margin():
    body = parse_body(BY_MARGIN | {"by_margin": [{"at_least": "30", "percent": "10"}]})
    assert describe_cashback(body, "USD") == "Cashback: 10% for some products, 1% for the rest."
    several = [{"at_least": "30", "percent": "4"}, {"at_least": "50", "percent": "10"}]
    body = parse_body(BY_MARGIN | {"by_margin": several})
    assert "4% to 10% for some products" in describe_cashback(body, "USD")
