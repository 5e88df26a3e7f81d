"""What a basket earns under the base rule, as tables."""

from decimal import Decimal

import pytest

from loyalty.rules.bodies import RateBody, parse_body
from loyalty.rules.facts import Basket, Line
from loyalty.rules.rate import earn
from loyalty.rules.reckoning import Reckoner

D = Decimal


def rule(**body) -> RateBody:
    return parse_body(body)


def basket(*lines, **order) -> Basket:
    """Lines as amounts, or as (amount, details)."""
    pairs = [line if isinstance(line, tuple) else (line, {}) for line in lines]
    return Basket(
        lines=tuple(
            Line(line_no=number, total=D(total), **details)
            for number, (total, details) in enumerate(pairs, start=1)
        ),
        **{name: D(value) if isinstance(value, str) else value for name, value in order.items()},
    )


def units(body: RateBody, bought: Basket, scale: int = 0) -> int:
    return earn(body, Reckoner(bought), scale).units


@pytest.mark.parametrize(
    ("body", "bought", "expected"),
    [
        ({}, basket("12.50"), 12),
        ({"units": 2, "per": 1}, basket("12.50"), 25),
        ({"units": 1, "per": 10}, basket("29.99"), 2),
        ({"units": "0.5"}, basket("9"), 4),
        ({"units": 3, "per": 7}, basket("7", "7", "7"), 9),
        ({"units": 1, "per": 3}, basket("1", "1", "1"), 1),
        ({}, basket(), 0),
        ({}, basket("0"), 0),
        ({}, basket("-4"), 0),
        ({}, basket("-4", "10"), 6),
        # Yen have no decimals, dinars three.
        ({"units": 1, "per": 100}, basket("980", "1020"), 20),
        ({"units": 100}, basket("1.234", "0.006"), 124),
        # By quantity: litres, nights.
        ({"measure": "quantity"}, basket(("80", {"quantity": D("41.7")})), 41),
        ({"measure": "quantity", "units": 5}, basket(("0", {"quantity": D(3)}), "10"), 20),
    ],
)
def test_units_are_the_rate_times_the_measure(body, bought, expected):
    assert units(rule(**body), bought) == expected


BREAD = {"sku": "bread", "category": "food", "tags": ("fresh", "local")}
WINE = {"sku": "wine", "category": "drinks", "tags": ("fresh",)}
FUEL = {"sku": "fuel", "category": "fuel"}
MIXED = basket(("10", BREAD), ("100", WINE), ("1000", FUEL))


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        ({}, {}, 1110),
        ({"categories": ["food"]}, {}, 10),
        ({"categories": ["food", "drinks"]}, {}, 110),
        ({"categories": ["Food"]}, {}, 0),
        ({"skus": ["wine"]}, {}, 100),
        ({"skus": ["wine"], "categories": ["food"]}, {}, 110),
        ({"tags": ["fresh"]}, {}, 110),
        ({"tags": ["local", "unknown"]}, {}, 10),
        ({}, {"categories": ["fuel"]}, 110),
        ({}, {"tags": ["fresh"]}, 1000),
        ({}, {"skus": ["bread", "wine", "fuel"]}, 0),
        # Exclusion wins, whichever way either names the line.
        ({"categories": ["food", "drinks"]}, {"skus": ["wine"]}, 10),
        ({"tags": ["fresh"]}, {"tags": ["local"]}, 100),
        ({"skus": ["bread"]}, {"categories": ["food"]}, 0),
    ],
)
def test_exclusion_wins_over_inclusion(include, exclude, expected):
    assert units(rule(include=include, exclude=exclude), MIXED) == expected


@pytest.mark.parametrize(
    ("base", "bought", "expected"),
    [
        # Prices with tax in them.
        ({}, basket(("120", {"tax": D(20)}), tax_total="20"), 100),
        ({"include_tax": True}, basket(("120", {"tax": D(20)}), tax_total="20"), 120),
        # Prices before tax.
        ({}, basket("100", tax_total="8", taxes_included=False), 100),
        ({"include_tax": True}, basket("100", tax_total="8", taxes_included=False), 108),
        # What the order has beyond its lines' tax is spread over them.
        ({}, basket(("60", {"tax": D(10)}), "60", tax_total="20"), 100),
        ({}, basket("60", "60", tax_total="20"), 100),
        # Shipping.
        ({}, basket("50", shipping_total="5"), 50),
        ({"include_shipping": True}, basket("50", shipping_total="5"), 55),
        # A discount on the order, and those in the lines.
        ({}, basket("50", "50", discount_total="10"), 90),
        ({"after_discounts": False}, basket("50", "50", discount_total="10"), 100),
        ({}, basket(("40", {"discount": D(10)})), 40),
        ({"after_discounts": False}, basket(("40", {"discount": D(10)})), 50),
        # Paid in part with points or a gift card.
        ({}, basket("100", paid_units="30"), 70),
        ({"paid_with_units": True}, basket("100", paid_units="30"), 100),
        ({}, basket("100", paid_stored_value="30"), 100),
        ({"paid_with_stored_value": False}, basket("100", paid_stored_value="30"), 70),
        (
            {"paid_with_stored_value": False},
            basket("100", paid_stored_value="50", paid_units="30"),
            20,
        ),
        ({}, basket("100", paid_units="130"), 0),
        # Points that paid for shipping too leave the goods their share.
        ({}, basket("90", shipping_total="10", paid_units="50"), 45),
    ],
)
def test_the_base_policy_says_which_part_of_an_order_earns(base, bought, expected):
    assert units(rule(base=base), bought) == expected


@pytest.mark.parametrize("how", [{}, {"include": {"categories": ["gifts"]}}, {"units": 5}])
def test_gift_cards_bought_never_earn(how):
    card = ("100", {"stored_value": True, "category": "gifts"})
    assert units(rule(**how), basket(card)) == 0
    assert units(rule(), basket(card, "7")) == 7


def test_an_excluded_line_bears_its_part_of_discount_and_payment_in_points():
    only_food = rule(include={"categories": ["food"]})
    assert units(only_food, basket(("50", BREAD), ("50", WINE), discount_total="10")) == 45
    assert units(only_food, basket(("50", BREAD), ("50", WINE), paid_units="40")) == 30


@pytest.mark.parametrize(
    ("per", "mode", "scale", "expected"),
    [
        ("order", "down", 0, 3),
        ("order", "nearest", 0, 4),
        ("order", "up", 0, 4),
        ("line", "down", 0, 2),
        ("line", "nearest", 0, 4),
        ("line", "up", 0, 4),
        ("order", "down", 2, 374),
        ("order", "nearest", 2, 374),
        ("order", "up", 2, 375),
        ("line", "down", 2, 374),
    ],
)
def test_rounding_is_once_an_order_or_each_line(per, mode, scale, expected):
    bought = basket("1.8745", "1.8700")
    assert units(rule(rounding={"per": per, "mode": mode}), bought, scale) == expected


@pytest.mark.parametrize(
    ("mode", "amount", "expected"),
    [("nearest", "2.5", 3), ("nearest", "2.4999", 2), ("up", "2.0001", 3), ("up", "2.0000", 2)],
)
def test_rounding_at_its_edges(mode, amount, expected):
    assert units(rule(rounding={"mode": mode}), basket(amount)) == expected


@pytest.mark.parametrize("mode", ["down", "nearest", "up"])
@pytest.mark.parametrize(
    ("bought", "expected"),
    [
        (basket("1", "1", "1", discount_total="2"), 1),
        (basket("1", "1", "1", discount_total="1"), 2),
        (basket("1", "1", "1", paid_units="2"), 1),
        (basket("1", "1", "1", tax_total="1", taxes_included=False, discount_total="1"), 2),
        (basket("7", "11", "13", tax_total="10"), 21),
    ],
)
def test_sharing_out_thirds_loses_and_invents_nothing(mode, bought, expected):
    assert units(rule(rounding={"mode": mode}), bought) == expected


def test_the_steps_tell_how_the_units_came_about():
    bought = basket(("90", BREAD), ("30", FUEL), discount_total="12", tax_total="24")
    earned = earn(rule(exclude={"categories": ["fuel"]}, units=2, per=5), Reckoner(bought), 0)
    found, steps = earned.units, earned.steps
    assert found == 25
    assert steps == (
        ("eligible", "1", "2"),
        ("goods", "90"),
        ("order_discount", "-9"),
        ("tax_out", "-18"),
        ("rate", "2", "5", "money"),
        ("rounded", "down", "order", "25"),
    )
