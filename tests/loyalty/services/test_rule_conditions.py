"""What a rule asks about the buyer is looked up as it is before the order, and kept with it."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.models import OrderEvaluation
from members.models import Customer, Segment, SegmentMember
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    line,
    make_program,
    moves,
    order,
    record,
    refund,
    spendable,
)

pytestmark = pytest.mark.usefixtures("coherent_ledger")


def promise(*questions: dict[str, object], **rule: object) -> None:
    """A point for each dollar under these conditions, and nothing else."""
    make_program(earning_rules=[{"when": {"all": list(questions)}, **rule}])


def ask(field: str, op: str, value: object = None) -> dict[str, object]:
    return {"field": field, "op": op} | ({} if value is None else {"value": value})


def buy(number: str, total: str = "10", at: float = 0, **details: object) -> None:
    record(order(number, total, at=day(at), **details))


def test_behavior_is_what_came_before_the_order():
    promise(ask("behavior.orders", "at_least", 2))
    for number, at in (("A", 0), ("B", 1), ("C", 2)):
        buy(number, at=at)
    assert spendable() == 10


def test_an_order_counts_what_was_placed_before_it_whenever_that_came():
    promise(ask("behavior.orders", "is", 0))
    buy("B", at=5)
    buy("A", at=1)
    assert spendable() == 20


def test_orders_that_come_in_one_batch_see_each_other():
    promise(ask("behavior.spend", "at_least", 25))
    record(*(order(number, "10", at=day(at)) for number, at in (("A", 0), ("B", 1), ("D", 3),
                                                                ("C", 2))))  # fmt: skip
    record(*(order(f"other {number}", "10", at=day(number), buyer="c2") for number in range(3)))
    assert spendable("c1") == 10
    assert spendable("c2") == 0


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (ask("behavior.average_order", "at_least", 15), 10),
        (ask("behavior.average_order", "at_least", "15.01"), 0),
        (ask("behavior.purchase_cycle", "is", 4), 10),
        (ask("behavior.last_order_at", "in_last_days", 2), 10),
        (ask("behavior.last_order_at", "in_last_days", 1), 0),
        (ask("behavior.categories", "has_any", ["Tea"]), 10),
        (ask("behavior.categories", "has_any", ["Hat"]), 0),
        (ask("behavior.discount_share", "is", 20), 10),
        (ask("behavior.returns_share", "is", 25), 10),
        (ask("behavior.spend", "is", 30), 10),
    ],
)
def test_behavior_knows(question, expected):
    promise(ask("order.day", "on", day(6).date().isoformat()), question)
    buy("A", "30", 0, lines=(line(1, "30", category="Tea", discount=Decimal(10)),))
    buy("B", "10", 4)
    give_back(refund("R", "10", of="A", at=day(5)))
    buy("C", "10", 6, lines=(line(1, "10", category="Hat"),))
    assert spendable() == expected


def test_a_canceled_order_counts_for_nothing():
    promise(ask("behavior.orders", "at_least", 1))
    buy("A", at=0)
    record(order("A", "10", at=day(0), status="cancelled"), now=day(1))
    buy("B", at=2)
    assert spendable() == 0


def test_what_was_answered_stays_with_the_order():
    promise(ask("customer.country", "is", "GR"))
    Customer.objects.create(external_id="c1", country="GR")
    buy("A", "30")
    Customer.objects.filter(external_id="c1").update(country="CY")
    give_back(refund("R", "10", of="A", at=day(1)))
    assert spendable() == 20
    assert OrderEvaluation.objects.get().context["answers"].popitem()[1] == "1"
    buy("B", "5", 2)
    assert spendable() == 20


def test_what_is_asked_about_the_order_is_asked_again_after_a_return():
    promise(ask("order.total", "at_least", 50))
    buy("A", "60")
    assert spendable() == 60
    give_back(refund("R", "20", of="A", at=day(1)))
    assert spendable() == 0


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (ask("customer.birthday", "this_month"), 10),
        (ask("customer.birthday", "today"), 0),
        (ask("customer.tags", "has_any", ["vip"]), 10),
        (ask("customer.attributes.size", "is", "42"), 10),
        (ask("customer.segments", "has_any", ["regulars"]), 10),
        (ask("customer.segments", "has_none", ["regulars"]), 0),
        (ask("order.channel", "is", "web"), 10),
        (ask("order.payment_method", "is", "card"), 10),
        (ask("order.coupons", "has_any", ["SPRING"]), 10),
        (ask("order.coupons", "has_none", ["SPRING"]), 0),
        ({"lines": "any", "where": ask("line.brand", "is", "Kaba")}, 10),
        ({"lines": "all", "where": ask("line.brand", "is", "Kaba")}, 0),
        ({"lines": "total", "where": ask("line.brand", "empty"), "op": "is", "value": 4}, 10),
        ({"lines": "any", "where": ask("line.price", "at_most", 3)}, 10),
        (ask("order.paid_with", "has_any", ["money"]), 0),
        # 15 March 2024 is a Friday; noon in Greenwich is two in the afternoon in Athens.
        (ask("order.weekday", "one_of", ["friday"]), 10),
        (ask("order.time", "between", ["13:59", "14:01"]), 10),
    ],
)
def test_the_buyer_and_the_order_are_asked(question, expected):
    segment = Segment.objects.create(code="regulars", name="Regulars")
    make_program(time_zone="Europe/Athens", earning_rules=[{"when": question}])
    customer = Customer.objects.create(
        external_id="c1", birthday=dt.date(1990, 3, 2), tags=["vip"], attributes={"size": 42}
    )
    SegmentMember.objects.create(segment=segment, customer=customer, since=NOW)
    how = {"channel": "web", "payment_method": "card", "coupons": ("SPRING", "X")}
    lines = (line(1, "6", brand="Kaba", quantity=Decimal(2)), line(2, "4"))
    buy("A", lines=lines, **how)
    assert spendable() == expected
    # What is stored is judged as what came in was.
    record(order("A", "10", at=day(0), lines=lines, **how, store="new"), now=day(1))
    assert spendable() == expected
    assert moves() == ([("accrual", expected)] if expected else [])


def test_the_balance_is_that_before_the_order():
    make_program(
        earning_rules=[
            {"code": "base"},
            {"code": "more", "kind": "fixed", "units": 100,
             "when": ask("member.balance", "at_least", 10)},
        ]
    )  # fmt: skip
    buy("A", "10", 0)
    assert spendable() == 10
    buy("B", "10", 1)
    assert spendable() == 120


def test_cashback_by_brackets_fills_them_with_the_years_orders():
    make_program(
        unit={"code": "points", "decimals": 2},
        earning_rules=[
            {"kind": "cashback",
             "brackets": [{"above": 0, "percent": 1}, {"above": 100, "percent": 10}]}
        ],
    )  # fmt: skip
    buy("A", "90", 0)
    record(order("B", "20", at=day(1)), order("C", "10", at=day(2)))
    assert spendable() == 90 + (10 + 100) + 100
    # What an order is judged by stays, whatever comes back of an earlier one.
    give_back(refund("R", "90", of="A", at=day(3)))
    assert spendable() == (10 + 100) + 100
    buy("next year", "10", 300)
    assert spendable(at=day(301)) == (10 + 100) + 100 + 10


def test_a_first_purchase_that_comes_back_gives_its_bonus_to_the_next():
    make_program(
        earning_rules=[{"kind": "nth_purchase", "number": 1, "units": 50, "code": "first"}]
    )
    buy("A", "10", 0)
    buy("B", "10", 1)
    assert spendable() == 50
    give_back(refund("R", "10", of="A", at=day(2)))
    assert spendable() == 50
    give_back(refund("S", "10", of="B", at=day(3)))
    assert spendable() == 0


def test_a_streak_follows_the_orders_however_they_come():
    make_program(
        earning_rules=[{"kind": "streak", "of": "day", "length": 3, "units": 30, "code": "streak"}]
    )
    for number, at in (("A", 0), ("C", 2), ("B", 1)):
        buy(number, "10", at)
    assert spendable(at=day(3)) == 30
    record(order("B", "10", at=day(1), status="cancelled"), now=day(3))
    assert spendable(at=day(3)) == 0


def test_a_full_card_of_stamps_brings_its_units_and_the_next_begins():
    make_program(
        earning_rules=[
            {"kind": "stamps", "full_at": 3, "stamp_per": "quantity", "units": 10, "code": "card"}
        ]
    )
    buy("A", "10", 0, lines=(line(1, "10", quantity=Decimal(2)),))
    assert spendable() == 0
    buy("B", "20", 1, lines=(line(1, "20", quantity=Decimal(5)),))
    assert spendable() == 20
    give_back(refund("R", "20", of="B", at=day(2)))
    assert spendable() == 0


def test_multipliers_are_posted_as_movements_of_their_own_and_taken_back():
    make_program(
        earning_rules=[
            {"code": "base"},
            {"code": "double", "kind": "multiplier", "factor": 2, "name": "Double Friday",
             "when": ask("order.weekday", "one_of", ["friday"])},
        ]
    )  # fmt: skip
    buy("A", "10", 0)
    buy("B", "10", 1)
    assert spendable() == 30
    give_back(refund("R", "4", of="A", at=day(2)))
    assert spendable() == 22


def test_rules_that_ask_nothing_of_the_buyer_cost_no_query():
    promise(ask("order.total", "at_least", 1))
    buy("warm up")
    with CaptureQueriesContext(connection) as plain:
        buy("A")
    assert not [query for query in plain if "members_customer" in query["sql"]]


def test_facts_of_a_batch_take_the_same_number_of_queries_whatever_its_size():
    promise(
        ask("behavior.orders", "at_least", 0), ask("customer.tags", "empty"),
        ask("member.balance", "at_least", 0), ask("customer.segments", "empty"),
    )  # fmt: skip
    buy("warm up")
    counts = []
    for size in (1, 20):
        orders = [order(f"{size}-{number}", "1", at=day(number)) for number in range(size)]
        with CaptureQueriesContext(connection) as queries:
            record(*orders)
        counts.append(len(queries))
    assert counts[0] == counts[1]
