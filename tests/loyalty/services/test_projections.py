"""Projections: what a program would have given for real orders, against what the ledger gives when
the program is really there."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from loyalty.definitions import ProgramDefinition
from loyalty.models import Lot, Program, Transfer
from loyalty.projection_figures import Projection
from loyalty.purchase_habits import Estimates
from loyalty.selectors.discount_costs import discount_costs
from loyalty.services import projections
from loyalty.services.order_inputs import OrderInput
from loyalty.services.projections import history_of, project
from tests.loyalty.factories import NOW, day, define, give_back, make_program, order, record, refund

pytestmark = pytest.mark.django_db
LATER = day(370)
UNIT = {"unit_value": "0.02", "expiry": {"kind": "months", "length": 6}}
RULES: dict[str, list[dict[str, Any]]] = {
    "rate": [{"units": 2, "per": 3}],
    "cashback by spending": [
        {"kind": "cashback", "brackets": [{"above": 0, "percent": 1}, {"above": 300, "percent": 5}]}
    ],
    "stamps": [{"kind": "stamps", "units": 5, "full_at": 3}],
    "welcome and weekend": [
        {}, {"code": "welcome", "kind": "nth_purchase", "units": 100, "number": 1},
        {"code": "twice", "kind": "multiplier", "factor": 2,
         "when": {"all": [{"field": "order.weekday", "op": "one_of", "value": ["sunday"]}]}},
    ],
}  # fmt: skip


def buy(seed: int = 1, people: int = 15, most: int = 9) -> None:
    """A year of a small shop, with things that come back, told as it happens."""
    chance = random.Random(seed)
    told: dict[dt.datetime, Any] = {day(360): order("last", "50", at=day(360))}
    for number in range(people):
        for count in range(chance.randint(1, most)):
            code = f"{number}-{count}"
            total, at = chance.randint(5, 200), day(chance.uniform(0, 350))
            told[at] = order(code, str(total), at=at, buyer=f"c{number}")
            if chance.random() < 0.2:
                back = str(chance.randint(1, total))
                at += dt.timedelta(days=1)
                told[at] = refund(f"R{code}", back, of=code, at=at)
    for at in sorted(told):
        (record if isinstance(told[at], OrderInput) else give_back)(told[at])


def projected(definition: ProgramDefinition, reward: str | None = "100") -> Projection:
    wanted = None if reward is None else Decimal(reward)
    return project(definition, history_of("USD", LATER), reward_units=wanted, now=LATER)


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
def test_everybody_s_projection_is_what_the_ledger_gives(rules: list[dict[str, Any]]) -> None:
    program = make_program(unit=UNIT, earning_rules=rules)
    buy()
    found = projected(define(unit=UNIT, earning_rules=rules))
    given = Transfer.objects.filter(wallet_type__program=program)
    by_kind = dict(given.values_list("kind").annotate(Sum("amount")))
    units = by_kind.get("accrual", 0) - by_kind.get("clawback", 0)
    assert found.whole
    assert sum(one.cost for one in found.outcomes) == units * Decimal("0.02")
    assert round(found.cost, 9) == units * Decimal("0.02")
    assert found.cost_share.off == 0
    assert found.revenue == found.own_revenue


def test_what_is_owed_is_what_would_not_have_expired() -> None:
    program = make_program(unit=UNIT)
    record(order("A", "100"), order("B", "50", at=day(300)), order("C", "70", at=day(340)))
    found = projected(define(unit=UNIT))
    left = Lot.objects.filter(wallet__wallet_type__program=program, expires_at__gt=LATER)
    assert found.owed_at_most == left.aggregate(sum=Sum("remaining"))["sum"] * Decimal("0.02")
    # One reward of 100 of 120; 20 are left.
    assert found.owed_at_least == 20 * Decimal("0.02")


def test_the_first_reward_comes_with_the_purchase_that_reaches_it() -> None:
    record(order("A1", "60"), order("A2", "39", at=day(1)), order("A3", "1", at=day(2)))
    record(order("B1", "100", buyer="b", at=day(3)), order("C1", "99", buyer="c", at=day(4)))
    found = projected(define())
    assert dict(found.reached) == {1: 1, 3: 1}
    assert found.reached_share.value == Decimal(2) / 3
    assert found.purchases_needed == 1
    assert found.bars() == [(1, Decimal(1) / 3), (2, 0), (3, Decimal(1) / 3)]


def test_what_came_back_before_does_not_count_towards_it() -> None:
    record(order("A1", "60"), order("A2", "50", at=day(9)))
    give_back(refund("R", "20", of="A1", at=day(2)))
    assert not projected(define()).reached


def test_a_tier_earns_more_from_the_purchase_after_it_is_reached() -> None:
    tiers = {
        "tiers": [
            {"code": "a", "name": "A"},
            {"code": "b", "name": "B", "threshold": 100,
             "benefits": [{"kind": "multiplier", "factor": 2},
                          {"kind": "birthday_bonus", "units": 10}]},
        ]
    }  # fmt: skip
    unit = {"unit_value": "0.01"}
    record(order("A1", "100"), order("A2", "50", at=day(1)), order("B1", "30", buyer="b"))
    found = projected(define(unit=unit, tiers=tiers))
    assert found.tiers == [("A", 1), ("B", 1)]
    assert found.from_tiers == Decimal("0.50")
    # And one birthday of ten points.
    assert found.cost == Decimal("1.80") + Decimal("0.50") + Decimal("0.10")


def test_discounts_cost_what_the_shop_would_have_taken_off() -> None:
    rule = {"kind": "discount", "code": "card", "name": "Card", "percent": 10}
    record(order("A1", "100"), order("B1", "49.99", buyer="b", at=day(3)))
    give_back(refund("R", "50", of="A1", at=day(2)))
    found = projected(define(earning_rules=[], discount_rules=[rule]), None)
    # Of the order that came back in half, half the discount is kept.
    assert round(found.discounts, 9) == Decimal("10.00") - 5 + Decimal("5.00")
    assert found.cost == found.discounts
    assert found.reached_share.value == 1


def test_discounts_by_what_was_spent_before() -> None:
    rule = {
        "kind": "discount", "code": "card", "name": "Card", "brackets_by": "spent_lifetime",
        "brackets": [{"above": 99, "percent": 10}],
    }  # fmt: skip
    record(order("A1", "100"), order("A2", "50", at=day(1)))
    found = projected(define(earning_rules=[], discount_rules=[rule]), None)
    assert round(found.discounts, 9) == 5
    assert dict(found.reached) == {2: 1}


def test_a_sample_says_how_far_it_may_be_off() -> None:
    buy(seed=3, people=130, most=3)
    definition = define(unit=UNIT, earning_rules=RULES["welcome and weekend"])
    history = history_of("USD", LATER)
    whole = project(definition, history, reward_units=Decimal(300), now=LATER, orders=10**6)
    some = project(definition, history, reward_units=Decimal(300), now=LATER, orders=100)
    assert whole.looked_at == whole.buyers
    assert some.looked_at == projections.BUYERS
    assert some.cost_off
    assert abs(some.cost - whole.cost) <= 2 * some.cost_off
    assert some.reached_share.off
    difference = abs(some.reached_share.value - whole.reached_share.value)
    assert difference <= 2 * some.reached_share.off


def test_nothing_is_written() -> None:
    record(order("A1", "100"))
    projected(define("other", unit=UNIT))
    assert not Program.objects.exists()
    assert not Transfer.objects.exists()


def test_estimates_stand_in_for_orders() -> None:
    history = history_of("USD", LATER, Estimates("USD", 1000, Decimal(4), Decimal(50)))
    found = project(define(unit={"unit_value": "0.01"}), history, reward_units=Decimal(150),
                    now=LATER)  # fmt: skip
    assert found.estimated
    assert found.revenue == 200_000
    assert found.cost == pytest.approx(Decimal(2000), rel=Decimal("0.01"))
    assert Decimal("0.3") < found.reached_share.value < Decimal("0.7")
    assert found.purchases_needed in {3, 4}


def test_orders_count_more_than_estimates() -> None:
    record(order("A1", "100"))
    history = history_of("USD", LATER, Estimates("USD", 1000, Decimal(4), Decimal(50)))
    assert not history.habits.estimated


def test_without_either_there_is_nothing_to_say() -> None:
    found = project(define(), history_of("USD", LATER), reward_units=Decimal(1), now=LATER)
    assert (found.cost, found.looked_at, found.bars()) == (0, 0, [])


def test_the_margin_and_what_it_takes_to_earn_it_back() -> None:
    record(order("A1", "1000"))
    found = projected(define(unit={"unit_value": "0.05"}))
    assert found.whole_share == Decimal("0.05")
    assert found.margin_after(Decimal("0.25")) == Decimal("0.20")
    # A quarter more sold: 1250 × 0.20 is what 1000 × 0.25 was.
    assert found.needed_growth(Decimal("0.25")) == Decimal("0.25")
    assert found.needed_growth(Decimal("0.05")) is None
    assert found.cost_if_used(Decimal("0.8")) == 40


def test_discounts_given_by_the_program_itself_are_no_part_of_its_projection() -> None:
    """A projection is of orders as they were paid."""
    program = make_program()
    record(order("A1", "100", at=NOW))
    assert not discount_costs(program)
    assert projected(define()).discounts == 0


PLAN = {
    "code": "plus", "name": "Plus", "price": "5", "trial_days": 73,
    "credits": {"units": 100}, "benefits": [{"kind": "multiplier", "factor": 2}],
}  # fmt: skip


def test_a_plan_s_fees_come_in_and_those_who_spend_most_have_it() -> None:
    record(order("A1", "300"), order("B1", "100", buyer="b"), order("C1", "50", buyer="c"))
    record(order("D1", "50", at=day(300), buyer="d"))
    unit = {"unit_value": "0.01", "expiry": {"kind": "months", "length": 6}}
    definition = define(unit=unit, plans=[PLAN])
    history = history_of("USD", LATER)
    found = project(
        definition, history, reward_units=Decimal(400), now=LATER, plan_share=Decimal("0.25")
    )
    assert found.plan is not None
    assert history.period is not None
    # One of four has it, and pays for all days but those of the trial.
    paid = Decimal((history.period.until - history.period.since) / dt.timedelta(days=1)) - 73
    assert 220 < paid < 300
    assert found.plan.members == 1
    assert round(found.fees, 9) == round(5 * 12 * paid / 365, 9)
    assert round(found.credits, 9) == round(12 * paid / 365, 9)
    # The buyer of 300 earned as much again, and has the first reward with it.
    assert round(found.from_plan, 9) == Decimal("3.00")
    assert round(found.cost - found.credits, 9) == Decimal("5.00") + Decimal("3.00")
    assert dict(found.reached) == {1: 1}
    assert found.margin_after(Decimal("0.4")) > Decimal("0.4")
    assert found.needed_growth(Decimal("0.4")) == 0
    # What came in the first months would have expired by the end.
    assert 0 < found.plan.lasting < found.plan.credits


def test_a_price_for_members_of_a_plan_is_theirs_alone() -> None:
    rule = {
        "kind": "discount", "code": "price", "name": "Price", "percent": 10,
        "when": {"field": "membership.has_plan", "op": "yes"},
    }  # fmt: skip
    record(order("A1", "300"), order("B1", "100", buyer="b"))
    definition = define(earning_rules=[], discount_rules=[rule], plans=[PLAN])
    history = history_of("USD", LATER)
    half, nobody = (
        project(definition, history, reward_units=None, now=LATER, plan_share=Decimal(share))
        for share in ("0.5", "0")
    )
    assert (round(half.discounts, 9), nobody.discounts) == (30, 0)


def test_everybody_buys_for_a_company_where_the_program_is_for_companies() -> None:
    rule = {
        "kind": "discount", "code": "bulk", "name": "Bulk", "percent": 10,
        "when": {"field": "company.buyer", "op": "yes"},
    }  # fmt: skip
    record(order("A1", "300"), order("B1", "100", buyer="b"))
    found = projected(define(earning_rules=[], discount_rules=[rule]), None)
    assert round(found.discounts, 9) == 40
