"""What discount rules take off the price of an order, to the coin."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.rule_conditions import stored_condition
from loyalty.rules.bodies import parse_body
from loyalty.rules.discounts import DiscountVersion, discount
from loyalty.rules.facts import ZERO, Basket, Context, Line
from tests.loyalty.rules.occasions import bought, line

CENT = Decimal("0.01")
TEN_PERCENT = {"percent": 10}
CARD = {
    "brackets": [
        {"above": 0, "percent": 5},
        {"above": 5000, "percent": 10},
        {"above": 10000, "percent": 15},
    ]
}


def version(said, number=1):
    return DiscountVersion(
        id=number, rule_id=number, rule_code=f"d{number}", rule_name=f"d{number}", number=1,
        body=parse_body({"kind": "discount", **said}), wallet_type_id=1, scale=0,
        when=stored_condition(said.get("when", {})),
    )  # fmt: skip


def discounted(*said, order, coin=CENT, how="best", spent=None):
    versions = [version(body, number) for number, body in enumerate(said, start=1)]
    context = Context(spent={item.id: Decimal(spent) for item in versions} if spent else {})
    return discount(versions, order, coin=coin, discounting=how, context=context)


def off(*said, order, **options):
    """What each rule takes off."""
    return [float(item.amount) for item in discounted(*said, order=order, **options).discounts]


@pytest.mark.parametrize(
    ("said", "prices", "expected"),
    [
        (TEN_PERCENT, ["80", "20"], 10),
        # 1.005 and 1.005: each line to the nearest cent, half up.
        (TEN_PERCENT, ["10.05", "10.05"], 2.02),
        (TEN_PERCENT | {"rounding": {"per": "order", "mode": "nearest"}}, ["10.05", "10.05"], 2.01),
        (TEN_PERCENT | {"rounding": {"per": "line", "mode": "down"}}, ["10.05", "10.05"], 2),
        (TEN_PERCENT | {"rounding": {"per": "order", "mode": "up"}}, ["10.01"], 1.01),
        (TEN_PERCENT | {"step": "0.05"}, ["10.30"], 1.05),
        (TEN_PERCENT | {"step": 1, "rounding": {"per": "order", "mode": "down"}}, ["59"], 5),
        ({"amount": 15}, ["80", "20"], 15),
        ({"amount": 150}, ["80", "20"], 100),
        (TEN_PERCENT | {"most": 5}, ["80", "20"], 5),
        (TEN_PERCENT | {"least": 100}, ["80", "20"], 10),
        (TEN_PERCENT | {"least": "100.01"}, ["80", "20"], 0),
        ({"percent": 100}, ["80", "20"], 100),
    ],
)
def test_a_discount_off_the_order(said, prices, expected):
    assert off(said, order=bought(*prices)) == [expected]


@pytest.mark.parametrize(
    ("spent", "percent"),
    [("100", 5), ("5000", 5), ("5000.01", 10), ("10000", 10), ("10000.01", 15)],
)
def test_the_upper_end_of_a_bracket_belongs_to_it_and_all_of_the_order_has_its_percent(
    spent, percent
):
    (found,) = discounted(CARD, order=bought(spent)).discounts
    expected = (Decimal(spent) * percent / 100).quantize(CENT, "ROUND_HALF_UP")
    assert found.amount == expected


def test_brackets_go_by_what_the_member_had_spent_before():
    card = CARD | {"brackets_by": "spent_lifetime"}
    assert off(card, order=bought("100")) == [5]
    assert off(card, order=bought("100"), spent="5000") == [5]
    assert off(card, order=bought("100"), spent="5000.01") == [10]


def test_brackets_go_by_the_number_of_pieces_and_may_be_money():
    bulk = {
        "off": "items", "brackets_by": "quantity",
        "brackets": [{"above": 9, "amount": "0.50"}, {"above": 99, "amount": 1}],
    }  # fmt: skip
    pieces = [bought(line("90", quantity=Decimal(count))) for count in (9, 10, 100)]
    assert [off(bulk, order=order) for order in pieces] == [[0], [5], [90]]


def test_an_amount_off_each_piece_is_never_more_than_its_price():
    order = bought(line("9", quantity=Decimal(3)), line("1.50"))
    assert off({"off": "items", "amount": 2}, order=order) == [7.5]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"percent": 100}, 3),
        ({"percent": 50, "pieces": 2}, 3.5),
        ({"amount": 1, "pieces": 3}, 3),
        ({"percent": 100, "every": 3}, 7),
        ({"percent": 100, "every": 4}, 3),
        ({"percent": 100, "every": 3, "pieces": 2}, 21),
        ({"percent": 100, "every": 7}, 0),
    ],
)
def test_the_cheapest_pieces_of_the_order_are_cheaper_or_free(said, expected):
    # Six pieces: 3, 4, 4 + three at 10.
    order = bought(line("30", quantity=Decimal(3)), line("8", quantity=Decimal(2)), line("3"))
    assert off({"off": "cheapest"} | said, order=order) == [expected]


def test_what_is_weighed_has_no_pieces():
    order = bought(line("1", quantity=Decimal("0.4")), line("10"), line("12"))
    assert off({"off": "cheapest", "percent": 100, "every": 2}, order=order) == [10]


SET = [{"include": {"skus": ["CUP"]}}, {"pieces": 2, "include": {"categories": ["Coffee"]}}]


def cup(total="12", pieces=1):
    return line(total, sku="CUP", quantity=Decimal(pieces))


def coffee(total, pieces=1, sku="BEANS"):
    return line(total, category="Coffee", quantity=Decimal(pieces), sku=sku)


@pytest.mark.parametrize(
    ("said", "order", "expected"),
    [
        ({}, [cup(), coffee("18", 2)], 10),
        # The dearest that fit: 12 + 9 + 8.
        ({}, [cup(), coffee("6"), coffee("9"), coffee("8")], 9),
        ({}, [cup(), coffee("9")], 0),
        ({}, [coffee("90", 10)], 0),
        # Twice: 12 + 18 and 10 + 18, one of five coffees is left.
        ({}, [cup("12"), cup("10"), coffee("45", 5)], 18),
        ({"times": 1}, [cup("12"), cup("10"), coffee("45", 5)], 10),
        ({}, [cup("24", 2), coffee("36", 4)], 20),
        # Together they would cost more than one by one.
        ({}, [cup("4"), coffee("8", 2)], 0),
        ({}, [cup("24", 2), coffee("18", 2), coffee("2", 2)], 10),
        ({}, [cup("12"), line("9", "Coffee", quantity=Decimal("1.5"))], 0),
        ({"most": 7}, [cup(), coffee("18", 2)], 7),
        ({"least": 31}, [cup(), coffee("18", 2)], 0),
        ({"exclude": {"skus": ["BEANS"]}}, [cup(), coffee("18", 2)], 0),
        # A coffee that is a cup too is needed as a cup.
        ({}, [coffee("30", sku="CUP"), coffee("9", 2)], 19),
    ],
)
def test_a_bundle_costs_its_price_as_often_as_there_are_pieces_for_it(said, order, expected):
    body = {"off": "bundle", "price": 20, "bundle": SET, **said}
    assert off(body, order=bought(*order)) == [expected]


def test_the_pieces_of_a_bundle_bear_it_in_proportion_and_to_the_coin():
    order = bought(cup("10"), coffee("10"), coffee("10"))
    body = {"off": "bundle", "price": "29.98", "bundle": SET}
    (found,) = discounted(body, order=order).discounts
    assert found.amount == Decimal("0.02")
    assert sorted(found.shares.values()) == [CENT, CENT]
    (found,) = discounted(body | {"price": 15}, order=bought(cup("20"), coffee("10", 2))).discounts
    assert found.shares == {0: 10, 1: 5}


def test_a_bundle_says_how_it_came_to_its_price():
    body = {"off": "bundle", "price": 20, "bundle": SET}
    (found,) = discounted(body, order=bought(cup(), coffee("18", 2))).discounts
    assert ("bundles", "1", "30", "20") in found.steps
    (none,) = discounted(body, order=bought(cup())).discounts
    assert none.steps[-1] == ("no_bundle", "20")


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"off": "bundle", "bundle": SET}, "price"),
        ({"off": "bundle", "price": 5, "bundle": [{}]}, "bundle"),
        ({"off": "bundle", "price": 5, "percent": 5, "bundle": SET}, "price"),
        ({"off": "order", "percent": 5, "bundle": SET}, "bundle"),
        ({"percent": 5, "times": 2}, "bundle"),
    ],
)
def test_a_bundle_that_makes_no_sense_is_refused(said, place):
    with pytest.raises(ValueError, match=f"{place}: "):
        parse_body({"kind": "discount", **said})


@given(
    pieces=st.lists(
        st.tuples(st.integers(1, 40), st.integers(1, 4), st.sampled_from(["Coffee", "Tea"])),
        min_size=1, max_size=6,
    ),
    price=st.integers(1, 60), times=st.none() | st.integers(1, 3),
    wanted=st.lists(
        st.tuples(st.integers(1, 3), st.sampled_from([["Coffee"], ["Tea"], []])),
        min_size=2, max_size=3,
    ),
)  # fmt: skip
def test_bundles_never_cost_more_than_their_pieces_and_use_each_piece_once(
    pieces, price, times, wanted
):
    order = bought(
        *(line(str(each * count), kind, quantity=Decimal(count)) for each, count, kind in pieces)
    )
    parts = [{"pieces": number, "include": {"categories": kinds}} for number, kinds in wanted]
    body = {"off": "bundle", "price": price, "times": times, "bundle": parts}
    (found,) = discounted(body, order=order).discounts
    made = next((int(step[1]) for step in found.steps if step[0] == "bundles"), 0)
    assert (found.amount > 0) == (made > 0)
    assert made * sum(number for number, _kinds in wanted) <= sum(count for _e, count, _k in pieces)
    assert times is None or made <= times
    whole = sum(each * count for each, count, _kind in pieces)
    assert found.amount <= max(whole - made * price, 0)
    dearest = sum(sorted((e for e, c, _k in pieces for _ in range(c)), reverse=True)[
        : made * sum(number for number, _kinds in wanted)
    ])  # fmt: skip
    assert found.amount <= max(dearest - made * price, 0)


def test_only_products_that_it_is_for_are_cheaper():
    order = bought(line("80", "Tea"), line("20", "Cups"), line("50", "Tea", stored_value=True))
    assert off(TEN_PERCENT | {"include": {"categories": ["Tea"]}}, order=order) == [8]
    assert off(TEN_PERCENT | {"exclude": {"categories": ["Tea"]}}, order=order) == [2]
    reduced = bought(line("80", discount=Decimal(5)), line("20"))
    assert off(TEN_PERCENT | {"reduced_too": False}, order=reduced) == [2]


def test_shipping_and_what_was_taken_off_the_order_already_are_not_reduced_again():
    order = bought("60", "40", discount_total=Decimal(10), shipping_total=Decimal(5))
    assert off(TEN_PERCENT, order=order) == [9]


def test_a_condition_that_does_not_hold_takes_nothing_off():
    over_fifty = TEN_PERCENT | {"when": {"field": "order.total", "op": "at_least", "value": 50}}
    assert off(over_fifty, order=bought("49")) == [0]
    assert off(over_fifty, order=bought("50")) == [5]


@pytest.mark.parametrize(
    ("how", "expected"),
    [("best", [0, 20]), ("add", [10, 20]), ("in_turn", [10, 18])],
)
def test_several_discounts_get_on_as_the_program_says(how, expected):
    assert off(TEN_PERCENT, {"percent": 20}, order=bought("100"), how=how) == expected


def test_discounts_that_add_up_leave_no_price_below_nothing():
    found = discounted({"percent": 70}, {"percent": 50}, order=bought("100", "10"), how="add")
    assert [item.amount for item in found.discounts] == [77, 33]
    assert [item.total for item in found.basket.lines] == [0, 0]


def test_of_a_group_only_the_largest_counts():
    first, second = TEN_PERCENT | {"group": "g"}, {"amount": 15, "group": "g"}
    assert off(first, second, {"percent": 50}, order=bought("100"), how="in_turn") == [0, 15, 42.5]
    assert off(first, second, order=bought("200"), how="in_turn") == [20, 0]
    assert discounted(first, second, order=bought("100"), how="add").discounts[0].steps[-1] == (
        "given_way", "d2",
    )  # fmt: skip


def test_a_discount_that_stops_others_does_so_only_where_it_takes_something_off():
    first = TEN_PERCENT | {"stops": True, "least": 100}
    assert off(first, {"percent": 20}, order=bought("100"), how="in_turn") == [10, 0]
    assert off(first, {"percent": 20}, order=bought("50"), how="in_turn") == [0, 10]


@pytest.mark.parametrize(
    ("coin", "price", "expected"), [("1", "1005", 101), ("0.001", "10.055", 1.006)]
)
def test_discounts_come_in_the_currencys_coins(coin, price, expected):
    assert off(TEN_PERCENT, order=bought(price), coin=Decimal(coin)) == [expected]


def test_a_lines_tax_falls_as_its_price_does():
    order = bought(
        line("119", tax=Decimal(19)), line("10.70", tax=Decimal("0.70")),
        tax_total=Decimal("20.70"), shipping_total=Decimal(6),
    )  # fmt: skip
    left = discounted(TEN_PERCENT, order=order).basket
    assert [(item.total, item.tax) for item in left.lines] == [
        (Decimal("107.10"), Decimal("17.10")), (Decimal("9.63"), Decimal("0.63")),
    ]  # fmt: skip
    # One unit of tax belongs to no line: it falls as the goods do.
    assert left.tax_total == Decimal("18.63")
    assert left.total == order.basket.total - Decimal("12.97")


def test_thresholds_compare_prices_with_or_without_their_tax():
    with_tax = bought(line("119", tax=Decimal(19)), tax_total=Decimal(19))
    without = bought(line("100", tax=Decimal(19)), tax_total=Decimal(19), taxes_included=False)
    for order, price in ((with_tax, 11.9), (without, 10)):
        assert off(TEN_PERCENT | {"least": 110}, order=order) == [price]
        assert off(TEN_PERCENT | {"least": 110, "with_tax": False}, order=order) == [0]
        assert off(TEN_PERCENT | {"least": 100, "with_tax": False}, order=order) == [price]


amounts = st.decimals(Decimal("0.01"), Decimal(500), places=2)
lines = st.builds(
    lambda total, quantity, category, taxed: Line(
        1, total, sku="S", category=category, quantity=Decimal(quantity),
        tax=(total / 6).quantize(CENT) if taxed else ZERO,
    ),
    amounts, st.integers(1, 5), st.sampled_from(["Tea", "Cups"]), st.booleans(),
)  # fmt: skip
rules = st.fixed_dictionaries(
    {"off": st.sampled_from(["order", "items", "cheapest"])},
    optional={
        "include": st.just({"categories": ["Tea"]}),
        "most": amounts,
        "step": st.sampled_from(["0.05", "1"]),
        "group": st.just("g"),
        "rounding": st.fixed_dictionaries(
            {"per": st.sampled_from(["order", "line"]),
             "mode": st.sampled_from(["down", "nearest", "up"])}
        ),
    },
).flatmap(
    lambda said: st.one_of(
        st.decimals(1, 100, places=1).map(lambda percent: said | {"percent": percent}),
        amounts.map(lambda amount: said | {"amount": amount}),
    )
)  # fmt: skip


@given(
    bought_lines=st.lists(lines, min_size=1, max_size=6),
    said=st.lists(rules, min_size=1, max_size=4),
    how=st.sampled_from(["best", "add", "in_turn"]),
    discount_total=st.booleans(),
)
def test_shares_add_up_to_each_discount_and_no_line_costs_less_than_nothing(
    bought_lines, said, how, discount_total
):
    numbered = [replace(item, line_no=number) for number, item in enumerate(bought_lines, 1)]
    order = bought(
        *numbered, tax_total=sum((item.tax for item in numbered), ZERO),
        discount_total=CENT if discount_total else ZERO,
    )  # fmt: skip
    found = discounted(*said, order=order, how=how)
    for item in found.discounts:
        assert sum(item.shares.values(), ZERO) == item.amount >= 0
        assert all(share % CENT == 0 for share in item.shares.values())
        body = item.version.body
        assert body.most is None or item.amount <= body.most
    after: Basket = found.basket
    assert all(item.total >= 0 and 0 <= item.tax <= item.total for item in after.lines)
    assert order.basket.total - after.total == found.amount
    assert sum(1 for item in found.discounts if item.amount) <= (1 if how == "best" else 4)
    changed = [
        before.total - later.total == later.discount - before.discount
        for before, later in zip(order.basket.lines, after.lines, strict=True)
    ]
    assert all(changed)


@pytest.mark.parametrize("mode", ["down", "nearest", "up"])
@pytest.mark.parametrize(("amount", "count"), [("10", 3), ("0.40", 100), ("0.60", 100), ("1", 300)])
def test_an_amount_off_the_order_is_that_amount_however_many_lines_share_it(mode, amount, count):
    body = {"amount": amount, "rounding": {"per": "line", "mode": mode}}
    (found,) = discounted(body, order=bought(*["10"] * count)).discounts
    assert found.amount == sum(found.shares.values()) == Decimal(amount)


def test_a_step_that_is_finer_than_a_coin_is_a_coin():
    fine = TEN_PERCENT | {"step": "0.05", "rounding": {"mode": "nearest"}}
    assert off(fine, order=bought("105"), coin=Decimal(1)) == [11]
    assert off(TEN_PERCENT | {"step": "0.005"}, order=bought("10.05")) == [1.01]


def test_all_of_an_order_that_bears_a_discount_already_can_be_taken_off():
    order = bought("10", "10", "10", discount_total=Decimal(10))
    for body in ({"percent": 100}, {"amount": 150}):
        left = discounted(body, order=order).basket
        assert left.total == 0
        assert all(item.total >= 0 for item in left.lines)


def test_lines_below_nothing_leave_less_to_take_off():
    order = bought("100", "-50")
    assert discounted({"percent": 100}, order=order).basket.total == 0
    assert discounted({"amount": 80}, order=order).basket.total == 0
    assert off(TEN_PERCENT, order=order) == [10]


def test_a_quantity_below_nothing_makes_nothing_dearer():
    order = bought(line("10", quantity=Decimal(-2)))
    assert off({"off": "items", "amount": 1}, order=order) == [0]


def test_in_turn_thresholds_compare_what_is_left_whether_or_not_prices_contain_tax():
    inside = bought(line("120", tax=Decimal(20)), tax_total=Decimal(20))
    on_top = bought(line("100", tax=Decimal(20)), tax_total=Decimal(20), taxes_included=False)
    second = TEN_PERCENT | {"least": 100}
    for order in (inside, on_top):
        assert off({"percent": 50}, second, order=order, how="in_turn")[1] == 0
