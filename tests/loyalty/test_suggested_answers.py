"""Answers that a shop's own figures suggest: valid for every template, and near to the figures."""

from __future__ import annotations

from decimal import Decimal

import pytest

from loyalty.program_templates.kinds import ProgramTemplate, build, read_answers
from loyalty.program_templates.registry import TEMPLATES, template_named
from loyalty.purchase_habits import Habits, Quartiles
from loyalty.suggested_answers import percent_back, suggest
from loyalty.tiers.spread import Part, Spread

SPREAD = Spread(tuple(Part(Decimal(n * n), Decimal(n * n), 1) for n in range(1, 101)))


def habits(currency: str = "EUR", basket: int = 50) -> Habits:
    return Habits(
        currency=currency, days=365, buyers=100, orders=400, mean_orders=Decimal(4),
        basket=Quartiles(Decimal(basket) / 2, Decimal(basket), Decimal(basket) * 2),
        orders_each=Quartiles(Decimal(2), Decimal(4), Decimal(6)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("margin", "percent"), [("0.05", "1"), ("0.25", "2"), ("0.4", "3"), ("0.6", "5"), ("0.9", "5")]
)
def test_a_part_of_the_margin_is_given_back(margin: str, percent: str) -> None:
    assert percent_back(Decimal(margin)) == Decimal(percent)


@pytest.mark.parametrize("currency", ["EUR", "JPY"])
@pytest.mark.parametrize("basket", [3, 50, 40_000])
@pytest.mark.parametrize("template", TEMPLATES, ids=lambda item: item.code)
def test_what_is_suggested_makes_a_program_of_every_kind(
    template: ProgramTemplate, basket: int, currency: str
) -> None:
    found = suggest(template, habits(currency, basket), Decimal("0.4"), SPREAD)
    given = {"program_name": "Club", "code": "club", "currency": currency, **found}
    assert build(template, read_answers(template, given)).currency == currency


def test_the_first_reward_is_a_few_baskets_away_and_worth_the_percentage() -> None:
    template = template_named("points")
    assert template
    found = suggest(template, habits(), Decimal("0.4"), None)
    assert found == {"reward_units": Decimal(100), "reward_worth": Decimal(3)}


def test_tiers_begin_where_the_own_customers_stand() -> None:
    template = template_named("tiered-points")
    assert template
    found = suggest(template, habits(), Decimal("0.4"), SPREAD)
    assert [tier["threshold"] for tier in found["tiers"]] == [0, 3500, 8000]


def test_without_figures_nothing_is_suggested() -> None:
    empty = Habits(currency="EUR", days=0)
    assert all(suggest(item, empty, Decimal("0.4"), None) == {} for item in TEMPLATES)
