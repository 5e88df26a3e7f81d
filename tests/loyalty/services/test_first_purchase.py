"""The first purchase as a member, whatever was bought before and in whichever order it is told."""

import datetime as dt
from itertools import permutations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.models import Membership, Order, Program, Transfer
from loyalty.rules.replay import Life, SharedBudgets
from loyalty.rules.rulesets import RuleSet
from loyalty.selectors.replayed_orders import Stretch, program_of_replay, replayed_customers
from loyalty.selectors.rulebooks import fresh_terms
from loyalty.services.judgments import explain_order
from loyalty.services.memberships import enroll_customer
from loyalty.services.quotes import quote_order
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    day,
    give_back,
    make_program,
    make_type,
    order,
    record,
    refund,
    reward,
    spendable,
    tell,
    told,
)

pytestmark = pytest.mark.usefixtures("coherent_ledger")

FIRST = {"field": "member.orders", "op": "is", "value": 0}
DOUBLE = {"code": "double", "name": "Twice", "kind": "multiplier", "factor": 2, "when": FIRST}


def program(**changes: object) -> Program:
    return make_program(**({"earning_rules": [{"code": "base"}, DOUBLE]} | changes))


def join(number: str, at: dt.datetime, program: Program, *, chosen: bool = False) -> Membership:
    customer, _new = Customer.objects.get_or_create(external_id=number)
    return enroll_customer(
        customer=customer, program=program, source="api", at=at, actor=SYSTEM, chosen=chosen
    )[0]  # fmt: skip


def earned_by(number: str) -> int:
    given = Transfer.objects.filter(order__external_id=number).select_related("wallet")
    return sum(transfer.signed_amount for transfer in given)


def test_only_the_first_purchase_counts_twice():
    program()
    record(order("A", "10", at=day(1)))
    record(order("B", "10", at=day(2)))
    assert (earned_by("A"), earned_by("B")) == (20, 10)


def test_who_bought_before_joining_still_has_a_first_purchase_as_a_member():
    club = program(enrollment="explicit")
    record(order("before", "10", at=day(1)))
    join("c1", day(5), club, chosen=True)
    record(order("A", "10", at=day(6)), order("B", "10", at=day(7)))
    assert (earned_by("before"), earned_by("A"), earned_by("B")) == (0, 20, 10)


@pytest.mark.parametrize("told_in", list(permutations("ABC")))
def test_each_is_judged_by_what_was_placed_before_it_and_was_known_by_then(told_in):
    """What is told late makes nothing of the others worth more or less."""
    club = program()
    join("c1", day(0), club)
    placed = {"A": day(1), "B": day(2), "C": day(3)}
    for number in told_in:
        record(order(number, "10", at=placed[number]))
    known = [told_in[:place] for place in range(3)]
    first = [
        number for number, before in zip(told_in, known, strict=True)
        if all(placed[other] > placed[number] for other in before)
    ]  # fmt: skip
    assert {number: earned_by(number) for number in placed} == {
        number: 20 if number in first else 10 for number in placed
    }


def test_what_is_told_of_the_time_before_joining_is_no_first_purchase_as_a_member():
    program()
    record(order("B", "10", at=day(5)))
    record(order("A", "10", at=day(1)))
    record(order("C", "10", at=day(6)))
    assert [earned_by(number) for number in "ABC"] == [10, 20, 10]


def test_in_one_batch_only_the_earliest_is_the_first():
    program()
    record(*(order(number, "10", at=day(at)) for number, at in (("B", 2), ("A", 1), ("C", 3))))
    record(*(order(f"other{at}", "10", at=day(at), buyer="c2") for at in (1, 2)))
    assert [earned_by(number) for number in "ABC"] == [20, 10, 10]
    assert [earned_by(f"other{at}") for at in (1, 2)] == [20, 10]


@pytest.mark.parametrize("status", ["cancelled", "refunded"])
def test_an_order_that_came_to_nothing_was_no_purchase(status):
    program()
    record(order("A", "10", at=day(1)))
    record(order("A", "10", at=day(1), status=status))
    record(order("B", "10", at=day(2)))
    assert (earned_by("A"), earned_by("B")) == (0, 20)


def test_a_return_of_the_first_leaves_the_second_as_it_was_and_the_first_doubled():
    program()
    record(order("A", "10", at=day(1)))
    record(order("B", "10", at=day(2)))
    give_back(refund("R", "4", of="A", at=day(3)))
    assert (earned_by("A"), earned_by("B"), spendable(at=day(4))) == (12, 10, 22)


@pytest.mark.parametrize("joined", [None, 0, 3])
def test_a_quote_says_the_same(joined):
    club = program()
    if joined is not None:
        join("c1", day(joined), club)
    for number, at in (("A", 1), ("B", 2), ("C", 4), ("D", 5)):
        basket = order(number, "10", at=day(at))
        (quote,) = quote_order(basket)
        record(basket)
        assert earned_by(number) == sum(item.award.units for item in quote.awards)


def test_why_not_says_that_something_was_bought_before():
    program()
    record(order("A", "10", at=day(1)))
    record(order("B", "10", at=day(2)))
    (judgment,) = explain_order(Order.objects.get(external_id="B"))
    why = {verdict.version.rule_code: verdict.reason for verdict in judgment.verdicts}
    assert why["double"] == (
        "It asks for something that was not so: Nothing was bought as a member before."
    )


def test_an_activity_may_ask_for_it_too():
    make_type("review")
    make_program(earning_rules=[{"code": "base"}, reward(when=FIRST)])
    join("c1", day(0), Program.objects.get())
    tell(told("V1", at=day(1)))
    record(order("A", "10", at=day(2)))
    tell(told("V2", at=day(3)))
    assert spendable(at=day(4)) == 60


def test_a_batch_takes_one_query_more_whatever_its_size():
    program()

    def queries(count: int) -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            record(*(order(f"{count}-{n}", "10", at=day(n), buyer=f"b{count}-{n % 7}")
                     for n in range(count)))  # fmt: skip
        return len(found)

    queries(2)
    assert queries(3) == queries(40)


def test_a_replay_of_a_later_period_knows_who_bought_before_it():
    """Also who joined in it, and what they had bought before."""
    club = program(enrollment="explicit")
    join("old", day(0), club)
    join("idle", day(0), club)
    record(
        order("old1", "10", at=day(1), buyer="old"), order("late1", "10", at=day(2), buyer="late")
    )
    join("late", day(12), club, chosen=True)
    for number, buyer, at in (
        ("old2", "old", 11), ("idle1", "idle", 13), ("idle2", "idle", 14), ("late2", "late", 15),
        ("late3", "late", 16),
    ):  # fmt: skip
        record(order(number, "10", at=day(at), buyer=buyer))
    (terms,) = fresh_terms().programs
    rules = RuleSet(terms.rulebook.versions, terms.multiplying)
    stretch = Stretch(club, day(10), day(20), rules.scopes)
    found = {}
    for one in replayed_customers(stretch, 1, 10**9):
        life = Life(program_of_replay(club), one.person, [(rules, SharedBudgets())])
        for event in one.events:
            life.live(event)
        for credit in life.accounts[0].credits:
            number = Order.objects.get(pk=credit.sale.id).external_id
            found[number] = found.get(number, 0) + credit.units
    numbers = ("old2", "idle1", "idle2", "late2", "late3")
    assert found == {number: earned_by(number) for number in numbers}
    assert found == {"old2": 10, "idle1": 20, "idle2": 10, "late2": 20, "late3": 10}
