"""Which kind of program is advised for which shop, and why."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from loyalty.kind_advice import JUDGES, advise
from loyalty.kind_table import KINDS
from loyalty.program_templates.registry import TEMPLATES
from loyalty.purchase_habits import Estimates, Habits, Quartiles
from loyalty.shop_figures import Shop

WORDS = ("simplicity", "customers")


def shop(**changes: Any) -> Shop:
    values = {"orders": "4", "margin": "0.3", "top_share": "0.55", "basket_ratio": "4"} | changes
    numbers = {
        name: Decimal(value) if value is not None and name not in WORDS else value
        for name, value in values.items()
    }
    return Shop(**numbers)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "best"),
    [
        # A café: many small and equal baskets, no wish to explain.
        ({"orders": "40", "basket_ratio": "1.8", "simplicity": "simple"}, "stamps-visit"),
        # A grocery that wants something balanced.
        ({"orders": "58", "margin": "0.2", "top_share": "0.4"}, "points"),
        # A wholesaler: few bring in most of it.
        ({"orders": "4.3", "margin": "0.4", "top_share": "0.73"}, "tiered-points"),
        # A boutique with a large margin where people buy once a year.
        ({"orders": "1.3", "margin": "0.6", "simplicity": "simple"}, "discount-card"),
        # Electronics: thin margin, seldom, and it must be easy to say.
        ({"orders": "1.5", "margin": "0.08", "simplicity": "simple"}, "cashback"),
        # A brand with something to tell between two orders.
        ({"orders": "1.5", "simplicity": "rich", "top_share": "0.4"}, "points-actions"),
        # A thin margin that only the best can be given something of.
        ({"orders": "5", "margin": "0.1", "top_share": "0.8"}, "tiered-points"),
        # A supplier of workshops, whose few large accounts bring in most of it.
        ({"orders": "9", "top_share": "0.8", "customers": "companies"}, "companies-by-spend"),
        # A dealer in parts, with orders of all sizes.
        ({"orders": "2", "top_share": "0.5", "customers": "companies"}, "companies"),
    ],
)
def test_each_shop_gets_the_kind_that_fits(changes: dict[str, Any], best: str) -> None:
    assert advise(shop(**changes))[0].kind.code == best


def test_a_thin_margin_speaks_against_discounts() -> None:
    (found,) = [item for item in advise(shop(margin="0.1")) if item.kind.code == "discount-card"]
    assert found.points < 1
    assert str(found.fit) == "Rather not"
    assert "10%" in found.cons[0]


def test_reasons_name_the_shop_s_own_figures() -> None:
    found = {item.kind.code: item for item in advise(shop(orders="4.3", top_share="0.73"))}
    assert "4.3 times" in found["points"].pros[0]
    assert "73%" in found["tiered-points"].pros[1]


def test_what_is_not_known_is_no_reason() -> None:
    """Estimates say nothing of how much customers differ."""
    found = advise(shop(top_share=None, basket_ratio=None))
    assert not any("fifth" in text for item in found for text in (*item.pros, *item.cons))


def test_every_kind_has_a_judge_and_a_template_to_start_from() -> None:
    templates = {template.code for template in TEMPLATES}
    assert {kind.code for kind in KINDS} == set(JUDGES) == templates


def test_every_kind_says_why_or_why_not_to_some_shop() -> None:
    shops = [
        shop(orders=orders, margin=margin, simplicity=simplicity, customers=customers)
        for orders in ("1", "4", "12", "60")
        for margin in ("0.1", "0.3", "0.6")
        for simplicity in ("simple", "rich")
        for customers in ("people", "companies")
    ]
    said = {kind.code: [0, 0] for kind in KINDS}
    for item in (advice for one in shops for advice in advise(one)):
        said[item.kind.code][0] += len(item.pros)
        said[item.kind.code][1] += len(item.cons)
    assert all(pros and cons for pros, cons in said.values()), said


def test_a_fee_is_advised_where_people_come_often_alone() -> None:
    def points(orders: str) -> int:
        found = advise(shop(orders=orders, top_share="0.7"))
        return next(item.points for item in found if item.kind.code == "paid-membership")

    assert points("1") < points("4") < points("12") < points("60")


def test_a_shop_is_read_off_its_habits() -> None:
    habits = Habits(
        currency="EUR", days=73, buyers=10, orders=20, mean_orders=Decimal(2),
        basket=Quartiles(Decimal(10), Decimal(20), Decimal(40)), top_share=Decimal("0.5"),
    )  # fmt: skip
    found = Shop.of(habits, Decimal("0.3"), "balanced")
    # Two orders in a fifth of a year are ten in a year.
    assert found.orders == 10
    assert found.basket_ratio == 4
    assert (found.frequency, found.profit, found.differences) == ("often", "usual", "usual")


def test_estimates_are_of_a_year_already() -> None:
    habits = Estimates("EUR", 500, Decimal("3.5"), Decimal(40)).habits()
    assert Shop.of(habits, Decimal("0.3"), "balanced").orders == Decimal("3.5")
    assert habits.revenue == 70_000
