"""What holds for every order and every refund of it."""

from decimal import ROUND_DOWN, Decimal

from hypothesis import given
from hypothesis import strategies as st

from loyalty.rules.basket import net_basket
from loyalty.rules.bodies import parse_body
from loyalty.rules.facts import Basket, Line, Return, ReturnedLine
from loyalty.rules.rate import earn
from loyalty.rules.reckoning import Reckoner

ZERO = Decimal(0)
SKUS = ("mug", "tea", "hat")


def money(low: int = 0, high: int = 200_00) -> st.SearchStrategy[Decimal]:
    return st.integers(low, high).map(lambda cents: Decimal(cents) / 100)


lines = st.builds(
    lambda sku, total, discount, quantity: Line(
        0, total, sku, sku, (), Decimal(quantity), discount
    ),
    st.sampled_from(SKUS),
    money(1),
    money(0, 20_00),
    st.integers(1, 9),
)


@st.composite
def baskets(draw: st.DrawFn) -> Basket:
    """As shops write them: the goods cost something, and the order's discount is less than that."""
    found = draw(st.lists(lines, min_size=1, max_size=4))
    numbered = tuple(
        Line(n, line.total, line.sku, line.category, (), line.quantity, line.discount)
        for n, line in enumerate(found, start=1)
    )
    goods = sum((line.total for line in numbered), ZERO)
    return Basket(
        lines=numbered,
        discount_total=min(
            draw(money(0, 30_00)), (goods / 2).quantize(Decimal("0.01"), ROUND_DOWN)
        ),
        shipping_total=draw(money(0, 10_00)),
        tax_total=draw(st.sampled_from((ZERO, Decimal("0.83")))),
        taxes_included=draw(st.booleans()),
        paid_units=draw(st.sampled_from((ZERO, Decimal("12.34")))),
    )


rules = st.builds(
    lambda units, per, mode, after, shipping, how, skus: parse_body(
        {
            "units": units,
            "per": per,
            "rounding": {"mode": mode, "per": how},
            "base": {"after_discounts": after, "include_shipping": shipping},
            "include": {"skus": skus},
        }
    ),
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from(("down", "nearest", "up")),
    st.booleans(),
    st.booleans(),
    st.sampled_from(("order", "line")),
    st.lists(st.sampled_from(SKUS), max_size=2),
)


def units(rule, basket: Basket, *returns: Return) -> int:
    return earn(rule, Reckoner(net_basket(basket, returns)), 0).units


def charged(basket: Basket) -> list[Decimal]:
    """What was paid for each line: its share of the order's discount is off, to the cent."""
    goods = sum((line.total for line in basket.lines), ZERO)
    paid, rest = [], basket.discount_total
    for line in basket.lines:
        share = (
            (line.total * basket.discount_total / goods).quantize(Decimal("0.01")) if goods else 0
        )
        share = min(share, rest, line.total)
        rest -= share
        paid.append(line.total - share)
    return paid


def returning(basket: Basket, amounts: list[Decimal], shipping: Decimal = ZERO) -> Return:
    found = tuple(
        ReturnedLine(amount, line.sku, line.category, ZERO, order_line_no=line.line_no)
        for line, amount in zip(basket.lines, amounts, strict=True)
        if amount
    )
    total = sum(amounts, ZERO) + shipping
    return Return(total, found, shipping)


@given(rules, baskets())
def test_giving_everything_back_leaves_nothing_earned(rule, basket):
    goods = [line.total for line in basket.lines]
    assert units(rule, basket, returning(basket, goods, basket.shipping_total)) == 0
    assert units(rule, basket, Return(basket.total, (), basket.shipping_total)) == 0


@given(rules, baskets(), st.data())
def test_giving_more_back_never_earns_more(rule, basket, data):
    paid = charged(basket)
    less = [data.draw(st.integers(0, int(amount * 100))) / Decimal(100) for amount in paid]
    more = [
        amount + data.draw(st.integers(0, int((whole - amount) * 100))) / Decimal(100)
        for amount, whole in zip(less, paid, strict=True)
    ]
    assert units(rule, basket, returning(basket, more)) <= units(
        rule, basket, returning(basket, less)
    )
    assert units(rule, basket, returning(basket, less)) <= units(rule, basket)


def test_giving_nothing_back_after_all_that_was_charged_changes_nothing():
    rule = parse_body({"kind": "rate", "units": 1, "per": 1, "rounding": {"mode": "up"}})
    lines = tuple(Line(number, Decimal("0.01"), "mug", "mug") for number in (1, 2))
    basket = Basket(lines, discount_total=Decimal("0.01"))
    back = returning(basket, [ZERO, Decimal("0.01")])
    assert units(rule, basket, back, Return(ZERO)) == units(rule, basket, back)


@given(rules, baskets(), st.data())
def test_giving_back_in_two_parts_is_like_giving_back_at_once(rule, basket, data):
    paid = charged(basket)
    first = [data.draw(st.integers(0, int(amount * 100))) / Decimal(100) for amount in paid]
    second = [
        data.draw(st.integers(0, int((whole - amount) * 100))) / Decimal(100)
        for amount, whole in zip(first, paid, strict=True)
    ]
    both = [one + two for one, two in zip(first, second, strict=True)]
    twice = units(rule, basket, returning(basket, first), returning(basket, second))
    assert twice == units(rule, basket, returning(basket, both))
