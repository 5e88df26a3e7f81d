"""What paid plans bring: units, and what rules make of them; and how a program's file says it."""

import datetime as dt

import pytest
from pydantic import ValidationError

from loyalty.models import Membership, OrderEvaluation
from loyalty.program_files import dump_program, load_program
from loyalty.rules.plans import plan_at
from loyalty.selectors.member_tiers import member_standing
from loyalty.selectors.programs import definition_of
from loyalty.selectors.subscriptions import plan_spans
from loyalty.services.plan_refunds import cancel_now, preview_refund
from loyalty.services.programs import apply_definition
from loyalty.services.subscriptions import cancel_at_period_end
from members.conditions.fields import PLAN
from members.conditions.moments import Moment
from members.conditions.predicate import Condition
from members.conditions.query import query_of
from members.conditions.tree import parse
from members.errors import ConflictError
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    give_back,
    moves,
    refund,
    spendable,
    wallet_of,
)
from tests.loyalty.planning import join, make_club, member, pass_time, pay, plan
from tests.loyalty.subscriptions import DOUBLED, earned

CREDITED = plan(credits={"units": 200})


def test_units_come_with_every_month_that_is_paid(db):
    subscription = join(member(make_club(CREDITED)))
    assert moves() == []
    pay(subscription, NOW)
    assert moves() == [("accrual", 200)]
    pass_time(day(32))
    assert moves() == [("accrual", 200)]
    pay(subscription, day(33))
    pay(subscription, day(33))
    assert moves() == [("accrual", 200)] * 2
    assert spendable(at=day(33)) == 400


def test_a_year_that_is_paid_brings_units_month_by_month(db):
    at = dt.datetime(2024, 1, 31, 9, tzinfo=dt.UTC)
    program = make_club(plan(period="year", credits={"units": 10}), at=at)
    subscription = join(member(program, at=at), at=at)
    pay(subscription, at)
    pass_time(dt.datetime(2024, 12, 30, tzinfo=dt.UTC))
    given = subscription.charges.get().credits.values_list("transfer__occurred_at", flat=True)
    assert [f"{at:%m-%d}" for at in given][:4] == ["01-31", "02-29", "03-31", "04-30"]
    assert len(given) == 11
    pass_time(dt.datetime(2024, 12, 31, tzinfo=dt.UTC))
    assert spendable(at=dt.datetime(2024, 12, 31, tzinfo=dt.UTC)) == 120


def test_units_may_come_once_with_each_payment_and_expire_by_terms_of_their_own(db):
    units = {"units": 50, "every": "period", "expiry": {"kind": "days", "length": 30}}
    subscription = join(member(make_club(plan(period="quarter", credits=units))))
    pay(subscription, NOW)
    pass_time(day(60))
    assert moves() == [("accrual", 50)]
    assert (spendable(at=day(30)), spendable(at=day(31))) == (50, 0)


def test_a_trial_brings_no_units_yet(db):
    join(member(make_club(plan(trial_days=10, credits={"units": 200}))))
    assert moves() == []


def test_units_that_are_unused_go_with_the_payment_that_is_given_back(db):
    ann = member(make_club(CREDITED))
    subscription = join(ann)
    pay(subscription, NOW)
    adjust(wallet_of(ann.account_id), -150, "spent", now=day(1))
    adjust(wallet_of(ann.account_id), 30, "own", now=day(2))
    charge = subscription.charges.get()
    preview = preview_refund(charge, now=day(3))
    assert ([found.units for found in preview.unused], preview.ends) == ([50], True)
    cancel_now(
        subscription=subscription, refund="whole", actor=SYSTEM, source="backoffice", now=day(3)
    )
    assert moves() == [
        ("accrual", 200), ("adjustment", -150), ("adjustment", 30), ("clawback", -50),
    ]  # fmt: skip
    assert spendable(at=day(3)) == 30


def test_without_a_refund_the_units_stay(db):
    subscription = join(member(make_club(CREDITED)))
    pay(subscription, NOW)
    cancel_now(
        subscription=subscription, refund="none", actor=SYSTEM, source="backoffice", now=day(3)
    )
    assert spendable(at=day(3)) == 200


def test_what_a_plan_multiplies_is_that_of_orders_in_its_time(db):
    subscription = join(member(make_club(DOUBLED)))
    assert earned("A0", day(0.5)) == 10
    pay(subscription, day(1))
    assert earned("A1", day(2)) == 20
    cancel_now(subscription=subscription, refund="whole", actor=SYSTEM, source="job", now=day(3))
    assert earned("A2", day(4)) == 10
    # Told late, an order is judged by the plan of its day.
    assert earned("A3", day(2.5), now=day(5)) == 20


def test_a_correction_goes_by_the_plan_of_the_order(db):
    subscription = join(member(make_club(DOUBLED)))
    pay(subscription, NOW)
    assert earned("A1", day(1)) == 20
    cancel_now(subscription=subscription, refund="whole", actor=SYSTEM, source="job", now=day(2))
    give_back(refund("R1", "4", of="A1", at=day(3)))
    assert spendable(at=day(4)) == 12
    evaluation = OrderEvaluation.objects.get(order__external_id="A1")
    assert evaluation.context["plan"] == "plus"


def test_the_end_holds_without_the_job(db):
    subscription = join(member(make_club(DOUBLED)))
    pay(subscription, NOW)
    cancel_at_period_end(subscription=subscription, actor=SYSTEM, now=day(1))
    assert earned("A1", day(30)) == 20
    assert earned("A2", day(31)) == 10


def test_a_rule_can_ask_for_a_plan(db):
    bonus = {
        "code": "welcome", "name": "Welcome", "kind": "fixed", "units": 5,
        "when": {"field": "membership.has_plan", "op": "yes"},
    }  # fmt: skip
    subscription = join(member(make_club(earning_rules=[{}, bonus])))
    assert earned("A1", day(0.5)) == 10
    pay(subscription, day(1))
    assert earned("A2", day(2)) == 15


def test_plan_fees_neither_earn_nor_qualify(db):
    tiers = {
        "metric": "units", "wallet_type": "points",
        "tiers": [{"code": "member", "name": "Member"},
                  {"code": "gold", "name": "Gold", "threshold": 100}],
    }  # fmt: skip
    ann = member(make_club(CREDITED, tiers=tiers))
    pay(join(ann), NOW)
    assert moves() == [("accrual", 200)]
    assert member_standing(ann, day(1)).stands.total == 0


def test_a_program_says_its_plans_and_reads_back(db):
    said = [
        plan(trial_days=14, benefits=[{"kind": "free_shipping", "above": 20}]),
        plan("pro", period="year", price="99", offered=False, retry_days=[2], grace_days=5,
             credits={"units": 20, "every": "period", "expiry": {"kind": "months", "length": 2}}),
    ]  # fmt: skip
    program = make_club(*said)
    definition = definition_of(program, day(1))
    assert [item.code for item in definition.plans] == ["plus", "pro"]
    assert apply_definition(definition, actor=SYSTEM, now=day(1)).changes == []
    assert load_program(dump_program(program, day(1))) == definition


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"price": "9.901"}, "no sum of money"),
        ({"price": "0"}, "greater than 0"),
        ({"retry_days": [3, 1]}, "later than the one before"),
        ({"retry_days": [3, 20]}, "grace_days"),
        ({"credits": {"units": "0.5"}}, "more decimals"),
        ({"credits": {"units": 5, "wallet_type": "stars"}}, "stars"),
        ({"credits": {"units": 5, "expiry": {"kind": "inactivity", "length": 3}}}, "inactivity"),
        ({"benefits": [{"kind": "multiplier", "factor": 2}] * 2}, "one for a plan"),
    ],
)
def test_what_a_plan_cannot_say(db, changes, words):
    with pytest.raises(ValidationError, match=words):
        make_club(plan(**changes))


def test_a_plan_that_somebody_has_is_not_left_out(db):
    program = make_club(plan(), plan("pro"))
    subscription = join(member(program))
    with pytest.raises(ConflictError, match="1 member has the plan Plus"):
        make_club(plan("pro"), at=day(1))
    cancel_now(subscription=subscription, refund="none", actor=SYSTEM, source="job", now=day(1))
    make_club(plan("pro"), at=day(2))
    assert [item.code for item in definition_of(program, day(2)).plans] == ["pro"]


def test_codes_of_plans_benefits_are_not_taken_by_rules(db):
    with pytest.raises(ValidationError, match="those of plans’ benefits"):
        make_club(earning_rules=[{"code": "paid-plan-x"}])


@pytest.mark.parametrize(
    ("field", "op", "value"),
    [
        ("has_plan", "yes", None), ("has_plan", "no", None), ("plan", "is", "plus"),
        ("plan", "is_not", "plus"), ("plan", "one_of", ["pro", "gold"]),
        ("plan", "none_of", ["pro"]), ("plan", "starts_with", "pl"), ("plan", "contains", "ro"),
        ("plan", "empty", None), ("plan", "not_empty", None),
    ],
)  # fmt: skip
def test_segments_and_rules_agree_on_who_has_a_plan(db, field, op, value):
    program = make_club(plan(trial_days=30), plan("pro"))
    for number, code in (("c1", "plus"), ("c2", "pro"), ("c3", "")):
        found = member(program, number)
        if code:
            pay(join(found, code), NOW)
    said = {"field": f"membership.{field}", "op": op} | ({"value": value} if value else {})
    tree = parse(said, scopes=frozenset({PLAN}), in_database=True)
    for at in (day(1), day(400)):
        moment = Moment(at, program.zone)
        spans = plan_spans(Membership.objects.values_list("pk", flat=True))
        expected = {
            item.customer_id
            for item in Membership.objects.all()
            if Condition(tree).holds_for({PLAN: plan_at(spans.get(item.pk, ()), at)}, moment)
        }
        asked = Customer.objects.filter(query_of(tree, moment)).values_list("pk", flat=True)
        assert set(asked) == expected
