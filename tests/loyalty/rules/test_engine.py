"""Which rule versions judge an order, and what a body may say."""

import datetime as dt
import zoneinfo
from decimal import Decimal

import pytest
from pydantic import ValidationError

from loyalty.rules.bodies import parse_body
from loyalty.rules.engine import Rulebook, RuleVersion, evaluate
from loyalty.rules.facts import Basket, Line, Occasion
from members.conditions.moments import Moment

JANUARY, MARCH, MAY = (dt.datetime(2025, month, 1, tzinfo=dt.UTC) for month in (1, 3, 5))


def version(number: int, units: int, starts_at=None, ends_at=None) -> RuleVersion:
    return RuleVersion(
        number, "Base", number, 7, 0, parse_body({"units": units}), starts_at, ends_at
    )


def bought(total: str) -> Occasion:
    basket = Basket(lines=(Line(1, Decimal(total)),))
    return Occasion(basket, Moment(JANUARY, zoneinfo.ZoneInfo("UTC")))


FIRST, SECOND = version(1, 1, None, MARCH), version(2, 2, MARCH, None)
BOOK = Rulebook(1, (FIRST, SECOND))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (JANUARY, [1]),
        (MARCH - dt.timedelta(microseconds=1), [1]),
        (MARCH, [2]),
        (MAY, [2]),
    ],
)
def test_a_version_is_in_force_from_its_start_until_just_before_its_end(at, expected):
    assert [found.number for found in BOOK.in_force(at)] == expected


def test_versions_recorded_on_an_order_are_found_whatever_is_in_force():
    assert BOOK.named([1]) == (FIRST,)


def test_every_version_answers_also_with_nothing():
    decision = evaluate(BOOK.versions, bought("-3"))
    assert decision.units() == {1: 0, 2: 0}


def test_two_rules_judge_the_same_basket_independently():
    assert evaluate(BOOK.versions, bought("3")).units() == {1: 3, 2: 6}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"units": 0}, "units"),
        ({"units": -1}, "units"),
        ({"per": "0.00001"}, "per"),
        ({"units": "NaN"}, "units"),
        ({"units": "12345678901.5"}, "units"),
        ({"rounding": {"mode": "sideways"}}, "mode"),
        ({"include": {"skus": "bread"}}, "skus"),
        ({"unit": 1}, "unit"),
        ({"kind": "spend"}, "kind"),
    ],
)
def test_a_wrong_body_is_refused_by_the_name_of_its_field(body, field):
    with pytest.raises(ValidationError) as refused:
        parse_body(body)
    assert refused.value.errors()[0]["loc"][-1] == field
