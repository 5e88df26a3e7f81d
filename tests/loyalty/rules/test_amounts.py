"""Whole numbers instead of decimals and fractions: the same to the last unit."""

from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from loyalty.rules.amounts import amounts_of, ratio_of, rounded, text_of
from loyalty.rules.bodies import parse_body
from loyalty.rules.facts import Basket, Line
from loyalty.rules.rate import earn
from loyalty.rules.reckoning import Reckoner

ROUNDING = {"down": ROUND_DOWN, "nearest": ROUND_HALF_UP, "up": ROUND_UP}
decimals = st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=4)
modes = st.sampled_from(sorted(ROUNDING))


def money(low: int = 0, high: int = 99_9999) -> st.SearchStrategy[Decimal]:
    """With up to four decimals, as they are stored."""
    digits = st.integers(0, 4)
    return st.builds(
        lambda number, places: Decimal(number).scaleb(-places), st.integers(low, high), digits
    )


@given(st.lists(decimals, max_size=6))
def test_amounts_are_what_they_were_made_of(found):
    amounts = amounts_of(found)
    assert [Fraction(number, amounts.per) for number in amounts.numbers] == [*map(Fraction, found)]


@given(st.lists(money(), max_size=5), money(), money(1))
def test_what_is_shared_out_is_exactly_in_proportion(parts, amount, whole):
    shares = amounts_of(parts).spread(amount, whole)
    assert [Fraction(number, shares.per) for number in shares.numbers] == [
        Fraction(part) * Fraction(amount) / Fraction(whole) for part in parts
    ]


@given(decimals, modes)
def test_rounding_is_that_of_decimals(number, mode):
    above, below = ratio_of(number, Decimal(1))
    assert rounded(above, below, mode) == int(number.to_integral_value(ROUNDING[mode]))


@given(decimals)
def test_text_is_plain_and_has_no_zeros_to_spare(number):
    (own,), per = amounts_of([number])
    text = text_of(own, per)
    assert Decimal(text) == number
    assert "E" not in text
    assert text == "0" or not (("." in text) and text.endswith(("0", ".")))


lines = st.builds(
    lambda total, discount, tax, category, card: Line(
        0, total, category=category, discount=discount, tax=tax, stored_value=card
    ),
    money(), money(0, 9_99), money(0, 9_99), st.sampled_from(["Tea", "Hat"]),
    st.sampled_from([False, False, False, True]),
)  # fmt: skip
baskets = st.builds(
    lambda found, tax, included, shipping, share, units, card: Basket(
        tuple(found), tax, included, shipping,
        # A discount is part of what the goods cost.
        sum((line.total for line in found), Decimal(0)) * share / 100, units, card,
    ),
    st.lists(lines, min_size=1, max_size=4), money(0, 9_99), st.booleans(), money(0, 9_99),
    st.sampled_from([0, 0, 10, 33]), money(0, 99_99), st.sampled_from([Decimal(0), Decimal(7)]),
)  # fmt: skip
policies = st.fixed_dictionaries(
    dict.fromkeys(
        ("include_tax", "include_shipping", "after_discounts", "paid_with_stored_value",
         "paid_with_units"),
        st.booleans(),
    )
)  # fmt: skip


@given(
    baskets, policies, st.sampled_from([{}, {"categories": ["Tea"]}]), money(1, 99),
    money(1, 99), st.sampled_from(["order", "line"]), modes, st.sampled_from([0, 2]),
)  # fmt: skip
def test_a_rate_is_what_fractions_make_of_it(
    basket, policy, include, units, per, where, mode, scale
):
    body = parse_body(
        {"units": units, "per": per, "base": policy, "include": include,
         "rounding": {"per": where, "mode": mode}}
    )  # fmt: skip
    parts = [
        part * Fraction(units) / Fraction(per) * 10**scale
        for part, category, card in _fractions(basket, policy)
        if not card and (not include or category in {"Tea", None})
    ]
    if where == "order":
        parts = [sum(parts, Fraction(0))]
    expected = max(sum(_rounded(part, mode) for part in parts), 0)
    assert earn(body, Reckoner(basket), scale).units == expected


def _rounded(part: Fraction, mode: str) -> int:
    whole, rest = divmod(abs(part), 1)
    up = {"down": False, "nearest": rest >= Fraction(1, 2), "up": rest > 0}[mode]
    return (whole + up) * (1 if part >= 0 else -1)


def _fractions(basket: Basket, policy: dict[str, bool]):
    """What each line and shipping (of no category) counts, and whether it is a gift card."""
    goods = sum(Fraction(line.total) for line in basket.lines)
    bears = sum(Fraction(line.total) for line in basket.lines if not line.stored_value)
    beyond = Fraction(basket.tax_total) - sum(Fraction(line.tax) for line in basket.lines)
    covered = Fraction(0)
    if not policy["paid_with_units"]:
        covered += Fraction(basket.paid_units)
    if not policy["paid_with_stored_value"]:
        covered += Fraction(basket.paid_stored_value)
    owed = Fraction(basket.total)
    kept = 1 - min(covered, owed) / owed if covered > 0 and owed > 0 else 1
    for line in basket.lines:
        part = Fraction(line.total)
        if not policy["after_discounts"]:
            part += Fraction(line.discount)
        elif bears > 0 and not line.stored_value:
            part -= Fraction(line.total) * Fraction(basket.discount_total) / bears
        tax = Fraction(line.tax)
        if goods > 0:
            tax += Fraction(line.total) * beyond / goods
        if basket.taxes_included != policy["include_tax"]:
            part += -tax if basket.taxes_included else tax
        yield part * kept, line.category, line.stored_value
    yield Fraction(basket.shipping_total if policy["include_shipping"] else 0) * kept, None, False
