"""What is left of an order after its refunds."""

from dataclasses import replace
from decimal import Decimal

import pytest

from loyalty.rules.basket import net_basket
from loyalty.rules.bodies import parse_body
from loyalty.rules.facts import Basket, Line, Return, ReturnedLine
from loyalty.rules.rate import earn
from loyalty.rules.reckoning import Reckoner

D = Decimal
BASKET = Basket(
    lines=(
        Line(1, D(50), sku="mug", category="home", quantity=D(5)),
        Line(2, D(30), sku="tea", category="food", quantity=D(3)),
        Line(3, D(20), sku="mug", category="home", quantity=D(1)),
    ),
    shipping_total=D(10),
)


def back(total: str, sku: str = "", line: int | None = None, quantity: str = "1", **more: str):
    return ReturnedLine(D(total), sku, more.get("category", ""), D(quantity), order_line_no=line)


def returned(*lines: ReturnedLine, total: str | None = None, shipping: str = "0", **more: str):
    amount = D(total) if total else sum((line.total for line in lines), D(shipping))
    return Return(amount, lines, D(shipping), D(more.get("tax", "0")))


def lines_of(basket: Basket) -> list[tuple[int, str, str]]:
    return [
        (line.line_no, f"{line.total.normalize():f}", f"{line.quantity.normalize():f}")
        for line in basket.lines
    ]


@pytest.mark.parametrize(
    ("returns", "expected"),
    [
        ([], [(1, "50", "5"), (2, "30", "3"), (3, "20", "1")]),
        # By line number, whatever SKU it says.
        ([returned(back("20", "tea", line=3))], [(1, "50", "5"), (2, "30", "3"), (3, "0", "0")]),
        ([returned(back("20", line=1, quantity="2"))],
         [(1, "30", "3"), (2, "30", "3"), (3, "20", "1")]),
        # By SKU, in turn.
        ([returned(back("60", "mug", quantity="6"))],
         [(1, "0", "0"), (2, "30", "3"), (3, "10", "0")]),
        # A refund and a further one.
        ([returned(back("10", "tea", quantity="1")), returned(back("20", "tea", quantity="2"))],
         [(1, "50", "5"), (2, "0", "0"), (3, "20", "1")]),
        # More than there was, and what was never there, stay as lines below zero.
        ([returned(back("35", "tea", quantity="4"))],
         [(1, "50", "5"), (2, "0", "0"), (3, "20", "1"), (0, "-5", "-1")]),
        ([returned(back("7", "hat"))],
         [(1, "50", "5"), (2, "30", "3"), (3, "20", "1"), (0, "-7", "-1")]),
        ([returned(back("7", line=9))],
         [(1, "50", "5"), (2, "30", "3"), (3, "20", "1"), (0, "-7", "-1")]),
        # An amount only, over all lines; quantities stay.
        ([returned(total="10")], [(1, "45", "5"), (2, "27", "3"), (3, "18", "1")]),
        # A part of the price without the thing itself.
        ([returned(back("5", line=2, quantity="0"))],
         [(1, "50", "5"), (2, "25", "3"), (3, "20", "1")]),
    ],
)  # fmt: skip
def test_returned_lines_reduce_the_lines_they_name_else_those_of_their_sku(returns, expected):
    assert lines_of(net_basket(BASKET, returns)) == expected


def test_shipping_given_back_reduces_shipping_and_never_below_zero():
    assert net_basket(BASKET, [returned(total="4", shipping="4")]).shipping_total == D(6)
    assert net_basket(BASKET, [returned(total="14", shipping="14")]).shipping_total == 0


def test_a_thing_that_cost_nothing_comes_back_in_its_quantity():
    free = Basket(lines=(Line(1, D(0), sku="gift", quantity=D(2)),))
    assert lines_of(net_basket(free, [returned(back("0", "gift"))])) == [(1, "0", "1")]


def test_what_finds_no_line_is_judged_by_its_own_sku_and_category():
    only_food = parse_body({"include": {"categories": ["food"]}})
    for category, expected in (("food", 25), ("home", 30)):
        net = net_basket(BASKET, [returned(back("5", "hat", category=category))])
        assert earn(only_food, Reckoner(net), 0).units == expected


def units(basket: Basket, *returns: Return, **body: object) -> int:
    return earn(parse_body(body), Reckoner(net_basket(basket, returns)), 0).units


def test_a_line_given_back_for_what_it_cost_after_the_orders_discount_earns_nothing_more():
    two = Basket(
        lines=(Line(1, D(50), category="food"), Line(2, D(50), category="home")),
        discount_total=D(10),
    )
    only_food = {"include": {"categories": ["food"]}}
    assert units(two, **only_food) == 45
    assert units(two, returned(back("45", line=1)), **only_food) == 0
    assert units(two, returned(back("45", line=2)), **only_food) == 45
    assert units(two, returned(total="45"), **only_food) == 22


@pytest.mark.parametrize("after_discounts", [True, False])
def test_what_was_discounted_leaves_nothing_behind_when_it_comes_back(after_discounts):
    base = {"base": {"after_discounts": after_discounts}}
    in_line = Basket(lines=(Line(1, D(40), discount=D(10)), Line(2, D(7))))
    assert units(in_line, returned(back("40", line=1)), **base) == 7
    assert units(in_line, returned(back("20", line=1)), **base) == (27 if after_discounts else 32)
    on_order = Basket(lines=(Line(1, D(50)), Line(2, D(50))), discount_total=D(10))
    assert units(on_order, returned(total="90"), **base) == 0
    assert units(on_order, returned(back("45", line=2)), **base) == (45 if after_discounts else 50)


def test_what_was_discounted_to_nothing_goes_back_by_its_quantity():
    gift = Basket(lines=(Line(1, D(0), quantity=D(2), discount=D(20)),))
    before = {"base": {"after_discounts": False}}
    assert units(gift, **before) == 20
    assert units(gift, returned(back("0", line=1)), **before) == 10


def test_an_amount_given_back_with_its_tax_takes_the_tax_apart_from_the_goods():
    before_tax = Basket(lines=(Line(1, D(100)),), tax_total=D(8), taxes_included=False)
    assert units(before_tax, returned(total="54", tax="4")) == 50
    assert units(before_tax, returned(total="108", tax="8")) == 0
    with_tax = Basket(lines=(Line(1, D(120)),), tax_total=D(20))
    assert units(with_tax, returned(total="60", tax="10")) == 50


@pytest.mark.parametrize(
    ("lines", "tax_total", "back", "net"),
    [
        # (total, own tax) of the lines; what comes back; what is left without tax
        ([("121", "0")], "21", {"total": "60.50"}, "50"),
        ([("121", "21")], "21", {"total": "60.50"}, "50"),
        ([("121", "21")], "21", {"total": "60.50", "lines": [("60.50", 1)]}, "50"),
        ([("121", "21"), ("105", "5")], "26", {"total": "105", "lines": [("105", 2)]}, "100"),
        ([("121", "0"), ("121", "0")], "42", {"total": "121", "lines": [("121", 1)]}, "100"),
        ([("121", "21")], "21", {"total": "121"}, "0"),
    ],
)
def test_a_return_that_says_nothing_of_tax_takes_it_back_in_proportion(lines, tax_total, back, net):
    basket = Basket(
        lines=tuple(
            Line(line_no=number, total=Decimal(total), tax=Decimal(tax))
            for number, (total, tax) in enumerate(lines, start=1)
        ),
        tax_total=Decimal(tax_total),
    )
    given_back = Return(
        total=Decimal(back["total"]),
        lines=tuple(
            ReturnedLine(total=Decimal(total), order_line_no=number)
            for total, number in back.get("lines", [])
        ),
    )
    kept = net_basket(basket, [given_back])
    assert sum(line.total for line in kept.lines) - kept.tax_total == Decimal(net)


def test_what_was_paid_otherwise_shrinks_as_the_basket_does():
    paid = replace(BASKET, paid_units=D(11), paid_stored_value=D(55))
    kept = net_basket(paid, [returned(total="55")])
    assert (kept.paid_units, kept.paid_stored_value) == (D("5.5"), D("27.5"))
    only = net_basket(replace(BASKET, paid_stored_value=D(55)), [returned(total="110")])
    assert (only.paid_units, only.paid_stored_value) == (0, 0)


@pytest.mark.parametrize(
    ("details", "refunds", "left"),
    [
        ({}, ["30"], ["28.35", "3"]),
        # A third of three pieces, to the cent; a little of each; nearly everything; everything.
        ({}, ["33.33"], ["27.00135", "2"]),
        ({}, ["5"], ["38.475", "3"]),
        ({}, ["33.33", "33.33", "33"], ["0.1377", "1"]),
        ({}, ["99.90"], ["0.0405", "0"]),
        ({}, ["25", "25", "25", "25"], ["0", "0"]),
        ({"discount_total": D(10)}, ["45"], ["20.25", "2"]),
        ({"tax_total": D(21), "taxes_included": False}, ["60.50"], ["20.25", "2"]),
    ],
)
def test_an_amount_that_comes_back_takes_as_much_of_the_quantity(details, refunds, left):
    """Else whoever has nearly all of their money back keeps the stamps of every piece."""
    liters, pieces = Line(1, D(70), quantity=D("40.5")), Line(2, D(30), quantity=D(3))
    bought = Basket(lines=(liters, pieces), **details)
    kept = net_basket(bought, [returned(total=amount) for amount in refunds])
    assert [line.quantity for line in kept.lines] == list(map(D, left))


@pytest.mark.parametrize(
    ("refunds", "net", "tax"),
    [
        ([{"total": "60.50"}], "50", "10.50"),
        ([{"total": "33.33"}, {"total": "33.33"}, {"total": "54.34"}], "0", "0"),
        ([{"total": "60.50", "lines": [("50", 1)]}], "50", "10.50"),
        ([{"total": "121", "lines": [("100", 1)]}], "0", "0"),
        ([{"total": "60.50", "tax": "10.50"}], "50", "10.50"),
    ],
)
def test_tax_on_top_that_a_return_does_not_name_comes_back_in_proportion(refunds, net, tax):
    """Whoever got half of 121 back has kept goods for 50, not for 39.50."""
    basket = Basket(lines=(Line(1, D(100), tax=D(21)),), tax_total=D(21), taxes_included=False)
    given_back = [
        Return(
            total=D(one["total"]), tax_total=D(one.get("tax", "0")),
            lines=tuple(back(total, line=number) for total, number in one.get("lines", ())),
        )
        for one in refunds
    ]  # fmt: skip
    kept = net_basket(basket, given_back)
    assert (sum(line.total for line in kept.lines), kept.tax_total) == (D(net), D(tax))
    assert kept.total == D(net) + D(tax)
