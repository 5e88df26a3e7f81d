"""Rules that ask about the company somebody buys for: conditions, and brackets by what it spent."""

from decimal import Decimal

import pytest

from loyalty.models import OrderEvaluation, Transfer
from loyalty.rule_definitions import EarningRuleDefinition
from loyalty.services.companies import change_company
from loyalty.services.quotes import quote_order
from members.services.audit import SYSTEM
from tests.loyalty.factories import day, give_back, line, make_program, order, record, refund
from tests.loyalty.services.buying import add_buyer, found_company
from tests.loyalty.services.pooling import join, leave
from tests.loyalty.services.test_backtests import answer, issued
from tests.loyalty.services.test_backtests import ask as ask_backtest

FOR_COMPANIES = {"field": "company.buyer", "op": "yes"}
BULK = {
    "kind": "discount", "code": "bulk", "name": "Bulk", "when": FOR_COMPANIES,
    "brackets_by": "quantity",
    "brackets": [{"above": 99, "percent": 5}, {"above": 499, "percent": 8}],
}  # fmt: skip
BY_SPEND = {
    "kind": "discount", "code": "loyal", "name": "Loyal companies", "brackets_by": "company_year",
    "brackets": [{"above": 0, "percent": 1}, {"above": 1000, "percent": 4}],
}  # fmt: skip


def company_of(program, **details):
    """Ann's and Ben's."""
    company = found_company(join(program, "ann"), now=day(-100), **details)
    add_buyer(company, join(program, "ben"), now=day(-100))
    return company


def off(number, total, pieces=1, **how):
    found = order(number, total, lines=(line(1, total, quantity=Decimal(pieces)),), **how)
    (quote,) = quote_order(found)
    return quote.discounted.amount


def steps_of(number, total, **how):
    (quote,) = quote_order(order(number, total, lines=(line(1, total),), **how))
    return [step[0] for step in quote.discounted.discounts[0].steps]


@pytest.mark.parametrize(("pieces", "percent"), [(99, 0), (100, 5), (499, 5), (500, 8)])
def test_companies_pay_less_from_100_pieces_on_and_again_from_500(db, pieces, percent):
    program = make_program(discount_rules=[BULK])
    company_of(program)
    join(program, "eve")
    assert off("A", "1000", pieces, buyer="ben") == percent * 10
    assert off("B", "1000", pieces, buyer="eve") == 0


def test_brackets_go_by_what_all_buyers_of_the_company_spent(db):
    program = make_program(discount_rules=[BY_SPEND])
    company = company_of(program)
    join(program, "eve")
    record(order("A1", "600", buyer="ann", at=day(-3)), order("A2", "500", buyer="ben", at=day(-2)))
    record(order("E1", "5000", buyer="eve", at=day(-2)))
    assert off("B", "100", buyer="ann") == 4
    assert off("B", "100", buyer="ben", at=day(-2.5)) == 1
    give_back(refund("R1", of="A2", total="200", at=day(-1)))
    assert off("B", "100", buyer="ben") == 1
    # In no company they do not count, whatever was spent.
    assert off("B", "100", buyer="eve") == 0
    assert steps_of("B", "100", buyer="eve") == ["no_company"]
    leave(company.pool.members.get(membership__customer__external_id="ben"), now=day(1))
    assert off("B", "100", buyer="ben", at=day(2)) == 0
    # Another year begins.
    assert off("B", "100", buyer="ann", at=day(300)) == 1


RATES = [
    {"code": "base"},
    {"code": "office", "units": 1, "when": {"field": "company.tags", "op": "has_any",
                                          "value": ["office"]}},
    {"code": "grown", "units": 1, "when": {"field": "company.spend", "op": "at_least",
                                         "value": 1000}},
    {"code": "pallet", "units": 1, "when": {"field": "order.quantity", "op": "at_least",
                                          "value": 50}},
]  # fmt: skip


def earned(number):
    moved = Transfer.objects.filter(order__external_id=number, kind="accrual")
    return sum(transfer.amount for transfer in moved)


def test_rules_ask_about_the_company_as_it_was_and_keep_the_answers(db):
    program = make_program(earning_rules=RATES)
    company = company_of(program, tags=("office",))
    join(program, "eve")
    record(
        order("A1", "600", buyer="ann", at=day(1)), order("A2", "500", buyer="ben", at=day(2)),
        order("A3", "10", buyer="ben", at=day(3)), order("E1", "2000", buyer="eve", at=day(3)),
        order("E2", "10", buyer="eve", at=day(4), lines=(line(1, "10", quantity=Decimal(50)),)),
    )  # fmt: skip
    found = {number: earned(number) for number in ("A1", "A2", "A3", "E1", "E2")}
    assert found == {"A1": 1200, "A2": 1000, "A3": 30, "E1": 2000, "E2": 20}
    change_company(company=company, changes={"tags": ()}, actor=SYSTEM)
    give_back(refund("R", of="A3", total="5", at=day(5)))
    kept = OrderEvaluation.objects.get(order__external_id="A3").context
    assert sorted(kept["answers"].values()) == ["1", "1"]
    taken = Transfer.objects.filter(order__external_id="A3", kind="clawback")
    assert sum(transfer.amount for transfer in taken) == 15


def test_what_was_recorded_before_counts_as_in_one_batch(db):
    program = make_program(earning_rules=RATES)
    company_of(program)
    for found in (
        order("A1", "600", buyer="ann", at=day(1)), order("A2", "500", buyer="ben", at=day(2)),
        order("A3", "10", buyer="ann", at=day(3)),
    ):  # fmt: skip
        record(found)
    assert [earned(number) for number in ("A1", "A2", "A3")] == [600, 500, 20]


def test_a_backtest_asks_about_the_company_as_it_was_then(db):
    program = make_program()
    company_of(program)
    join(program, "eve")
    record(
        order("A1", "600", buyer="ann", at=day(1)), order("A2", "500", buyer="ben", at=day(2)),
        order("A3", "10", buyer="ann", at=day(3)), order("E1", "2000", buyer="eve", at=day(4)),
    )  # fmt: skip
    grown = EarningRuleDefinition.model_validate(RATES[2])
    assert issued(answer(ask_backtest(program, grown))) == (3110, 3120)
