"""For every rule of an order: what it gave, or why it gave nothing."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.models import Membership, Order
from loyalty.services.judgments import explain_order
from loyalty.services.programs import apply_definition
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    day,
    define,
    give_back,
    line,
    make_program,
    order,
    record,
    refund,
    spendable,
)

pytestmark = pytest.mark.usefixtures("coherent_ledger")


def ask(field: str, op: str, value: object = None) -> dict[str, object]:
    return {"field": field, "op": op} | ({} if value is None else {"value": value})


def said(number: str = "A") -> dict[str, tuple[int, str]]:
    """By rule code what each gave, and why not."""
    (judgment,) = explain_order(Order.objects.get(external_id=number))
    return {
        verdict.version.rule_code: (verdict.units, verdict.reason) for verdict in judgment.verdicts
    }


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"when": ask("order.total", "at_least", 50)},
         "It asks for something that was not so: Order total is at least 50.00."),
        ({"when": {"all": [ask("order.total", "at_least", 5),
                           {"any": [ask("customer.country", "is", "GR"),
                                    ask("behavior.orders", "at_least", 1)]}]}},
         "It asks for something that was not so: Country is GR or number of orders is at least 1."),
        ({"include": {"categories": ["Tea"]}}, "Nothing in the order is what it is for."),
        ({"units": "0.01"}, "What counts comes to too little."),
        ({"caps": {"per_order": "0.5"}}, "Its limit is used up."),
        ({"kind": "threshold_bonus", "reach": 100, "window": "month"},
         "It counts towards a goal that several orders reach together."),
    ],
)  # fmt: skip
def test_a_rule_that_gave_nothing_says_why(rule, reason):
    make_program(earning_rules=[rule])
    record(order("A", "10"))
    assert said() == {"base": (0, reason)}


def test_rules_that_gave_way_or_were_kept_out_say_so():
    make_program(
        earning_rules=[
            {"code": "one", "group": "g"},
            {"code": "five", "units": 5, "group": "g"},
            {"code": "last", "kind": "fixed", "units": 9, "stops": True},
            {"code": "never", "kind": "fixed", "units": 9},
        ]
    )
    record(order("A", "10"))
    assert said() == {
        "one": (0, "Another rule of its group gives more."),
        "five": (50, ""),
        "last": (9, ""),
        "never": (0, "An earlier rule ends the list."),
    }


def test_of_several_multipliers_the_smaller_say_that_a_larger_one_counts():
    double = {"code": "double", "kind": "multiplier", "factor": 2}
    make_program(earning_rules=[
        {"code": "base"}, double, {**double, "code": "triple", "factor": 3},
        {**double, "code": "tea", "include": {"categories": ["Tea"]}},
    ])  # fmt: skip
    record(order("A", "10"))
    assert said() == {
        "base": (10, ""),
        "double": (0, "A larger multiplier counts instead of it."),
        "triple": (20, ""),
        "tea": (0, "Nothing in the order is what it is for."),
    }


def test_what_was_answered_then_counts_and_what_is_left_of_the_order():
    make_program(
        earning_rules=[
            {"code": "greeks", "when": ask("customer.country", "is", "GR")},
            {"code": "big", "when": ask("order.total", "at_least", 20)},
        ]
    )
    Customer.objects.create(external_id="c1", country="GR")
    record(order("A", "30"))
    Customer.objects.update(country="CY")
    give_back(refund("R", "15", of="A", at=day(1)))
    found = said()
    assert found["greeks"] == (15, "")
    assert found["big"][0] == 0
    assert spendable(at=day(2)) == 15


def test_a_rule_that_was_not_in_force_says_since_when_or_until_when_it_was():
    make_program(earning_rules=[{"code": "old"}])
    record(order("A", "10"))
    apply_definition(define(earning_rules=[{"code": "new"}]), actor=SYSTEM, now=day(10))
    record(order("B", "10", at=day(20)))
    assert said("A")["new"] == (0, "It began on Mar 25, 2024, after the order.")
    assert said("B")["old"] == (0, "It ended on Mar 25, 2024, before the order.")


@pytest.mark.parametrize(
    ("details", "program", "reason"),
    [
        ({"buyer": None}, {}, "A guest order: nobody is known to have bought it."),
        ({}, {"enrollment": "explicit"}, "The customer was no member."),
    ],
)
def test_a_program_that_did_not_judge_says_why(details, program, reason):
    make_program(**program)
    record(order("A", "10", **details))
    (judgment,) = explain_order(Order.objects.get())
    assert (judgment.name, judgment.reason, judgment.verdicts) == ("Club", reason, ())


def test_an_inactive_member_is_told():
    make_program()
    record(order("A", "10"))
    Membership.objects.update(status="suspended")
    record(order("B", "10", at=NOW))
    (judgment,) = explain_order(Order.objects.get(external_id="B"))
    assert judgment.reason == "The membership was not active."


def test_an_order_is_explained_in_the_same_number_of_queries_whatever_is_in_it():
    make_program(earning_rules=[{"code": f"r{number}"} for number in range(5)])
    record(order("warm up"))
    explain_order(Order.objects.get())
    counts = []
    for size in (1, 20):
        lines = tuple(line(number, "1") for number in range(1, size + 1))
        record(order(f"A{size}", str(size), lines=lines))
        give_back(refund(f"R{size}", "1", of=f"A{size}", at=day(1)))
        found = Order.objects.get(external_id=f"A{size}")
        with CaptureQueriesContext(connection) as queries:
            explain_order(found)
        counts.append(len(queries))
    assert counts[0] == counts[1]
