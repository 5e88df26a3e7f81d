"""A quote says what the order will earn, and what is missing to the next threshold."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.models import CapCounter, Membership, Order, Program, Transfer
from loyalty.services.order_inputs import CustomerRef
from loyalty.services.quotes import quote_order
from members.models import Customer
from tests.loyalty.factories import NOW, day, line, make_program, order, record
from tests.sharing import rolled_back

pytestmark = pytest.mark.usefixtures("coherent_ledger")

RULES = [
    {"code": "base", "rounding": {"mode": "nearest"}, "caps": {"per_member": 60}},
    {"code": "tea", "kind": "multiplier", "factor": "2.5", "include": {"categories": ["Tea"]}},
    {"code": "regular", "kind": "fixed", "units": 7,
     "when": {"field": "behavior.orders", "op": "at_least", "value": 2}},
    {"code": "first", "kind": "multiplier", "factor": 3, "include": {"categories": ["Hat"]},
     "when": {"field": "member.orders", "op": "is", "value": 0}},
    {"code": "month", "kind": "threshold_bonus", "reach": 50, "window": "month", "units": 20,
     "repeats": True},
    {"code": "third", "kind": "nth_purchase", "number": 3, "units": 33},
    {"code": "card", "kind": "stamps", "full_at": 4, "units": 9, "stamp_per": "quantity"},
    {"code": "days", "kind": "streak", "of": "day", "length": 2, "units": 5},
    {"code": "budget", "units": 2, "caps": {"budget": 90}},
]  # fmt: skip


def program() -> Program:
    return make_program(earning_rules=RULES)


@pytest.fixture
def club(db: None) -> Program:
    return program()


def quoted(found) -> dict[str, int]:
    (quote,) = quote_order(found)
    return {item.award.version.rule_code: item.award.units for item in quote.awards}


def earned(number: str = "c1") -> int:
    found = Transfer.objects.filter(wallet__account__membership__customer__external_id=number)
    return sum(transfer.signed_amount for transfer in found.select_related("wallet"))


money = st.integers(1, 60_00).map(lambda cents: Decimal(cents) / 100)
lines = st.builds(
    lambda total, category, quantity: (str(total), category, quantity),
    money, st.sampled_from(["Tea", "Hat"]), st.integers(1, 3),
)  # fmt: skip
baskets = st.tuples(st.lists(lines, min_size=1, max_size=3), st.integers(0, 40))


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(baskets, min_size=1, max_size=6))
def test_what_is_quoted_is_what_is_earned(club, bought):
    with rolled_back():
        _check_each(bought)


def _check_each(bought) -> None:
    for number, (items, at) in enumerate(bought):
        found = order(
            f"A{number}", str(sum(Decimal(total) for total, _c, _q in items)), at=day(at),
            lines=tuple(
                line(place, total, category=category, quantity=Decimal(quantity))
                for place, (total, category, quantity) in enumerate(items, start=1)
            ),
        )  # fmt: skip
        before, expected = earned(), sum(quoted(found).values())
        record(found, now=day(60))
        assert earned() - before == expected


JOINING = [
    ("member.balance", "at_most", 5), ("member.balance", "empty", None),
    ("member.orders", "is", 0), ("member.orders", "empty", None),
    ("member.enrolled_at", "in_last_days", 1), ("member.enrolled_at", "empty", None),
    ("customer.created_at", "in_last_days", 1), ("customer.created_at", "empty", None),
    ("customer.email", "not_empty", None), ("customer.email", "contains", "ana@"),
    ("customer.country", "empty", None), ("customer.country", "is_not", "GR"),
    ("customer.birthday", "empty", None), ("customer.tags", "has_none", ["vip"]),
    ("customer.segments", "empty", None), ("behavior.orders", "at_most", 0),
    ("behavior.last_order_at", "empty", None), ("membership.has_plan", "no", None),
    ("membership.tier", "is", "base"), ("company.buyer", "no", None),
]  # fmt: skip


@pytest.mark.parametrize("known", [False, True])
def test_who_joins_with_the_order_is_quoted_what_it_then_earns(known):
    """By every rule, whatever it asks about a member that there is not yet."""
    rules = [
        {"code": f"r{number}", "kind": "fixed", "units": 1,
         "when": {"field": field, "op": op} | ({} if value is None else {"value": value})}
        for number, (field, op, value) in enumerate(JOINING)
    ]  # fmt: skip
    gold = {"code": "gold", "name": "Gold", "threshold": 500}
    make_program(earning_rules=rules, tiers={"tiers": [{"code": "base", "name": "Base"}, gold]})
    if known:
        Customer.objects.create(external_id="c1")
    now = timezone.now()
    found = replace(order("A", "10", at=now), customer=CustomerRef("c1", email="ana@example.com"))
    expected = quoted(found)
    record(found, now=now)
    given = Transfer.objects.filter(rule_version__isnull=False)
    earned_by = dict(given.values_list("rule_version__rule__code", "amount"))
    assert {code: units for code, units in expected.items() if units} == earned_by
    assert {"r0", "r2", "r4"} <= set(earned_by)


def test_a_quote_writes_nothing():
    program()
    assert quoted(order("A", "10"))["base"] == 10
    assert not Order.objects.exists()
    assert not Customer.objects.exists()
    assert not CapCounter.objects.exists()


def test_somebody_unknown_is_told_what_joining_would_bring():
    program()
    (quote,) = quote_order(order("A", "10", buyer=None))
    assert quote.membership_id is None
    assert sum(item.award.units for item in quote.awards) == 10 + 20


def test_who_does_not_take_part_is_told_nothing():
    make_program(enrollment="explicit")
    assert quote_order(order("A", "10")) == []
    Membership.objects.update(status="left")
    assert quote_order(order("A", "10")) == []


def test_only_programs_in_the_basket_s_currency_answer():
    make_program("dollars")
    make_program("euros", currency="EUR")
    assert [quote.program.code for quote in quote_order(order("A", "10"))] == ["dollars"]
    assert quote_order(order("A", "10"), program_code="euros") == []


@pytest.mark.parametrize(
    ("code", "reached", "missing"),
    [("month", "30", "20"), ("third", "1", "2"), ("card", "3", "1"), ("days", "1", "1")],
)
def test_a_quote_says_what_is_missing(code, reached, missing):
    program()
    found = order("A", "30", lines=(line(1, "30", quantity=Decimal(3)),))
    (quote,) = quote_order(found)
    goals = {item.award.version.rule_code: item.goal for item in quote.awards}
    assert (str(goals[code].reached.normalize()), goals[code].missing) == (
        str(Decimal(reached).normalize()), Decimal(missing),
    )  # fmt: skip


def test_a_quote_takes_the_same_queries_whatever_is_in_the_basket():
    program()
    record(order("A", "10"))
    counts = []
    for size in (1, 30):
        found = order(
            "B", str(size), at=NOW, lines=tuple(line(number, "1") for number in range(1, size + 1))
        )
        with CaptureQueriesContext(connection) as queries:
            quote_order(found)
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("windows", [1, 4])
def test_all_windows_are_looked_up_with_one_query(db, windows):
    goals = [rule for rule in RULES if rule["code"] in {"month", "third", "card", "days"}]
    make_program(earning_rules=[RULES[0], *goals[:windows]])
    record(order("A", "10"))
    found = order("B", "10", at=day(1))
    quote_order(found)
    with CaptureQueriesContext(connection) as queries:
        quote_order(found)
    assert len([query for query in queries if "loyalty_windowpart" in query["sql"]]) == 1
