"""Paid plans that end, change, or belong to two accounts that become one."""

import datetime as dt
from decimal import Decimal

import pytest

from loyalty.models import Plan, Subscription
from loyalty.selectors.subscriptions import running_of
from loyalty.services.plan_refunds import cancel_now, preview_refund, refund_charge
from loyalty.services.subscriptions import cancel_at_period_end, change_plan, resume
from members.models import AuditEntry, CustomerMerge
from members.services.audit import SYSTEM
from members.services.merging import merge_customers, undo_merge
from tests.loyalty.factories import (
    NOW,
    day,
    spendable,
)
from tests.loyalty.planning import charges, join, make_club, member, pass_time, pay, plan
from tests.loyalty.subscriptions import DOUBLED, earned, state_of


def test_what_is_paid_for_lasts_to_the_end_of_the_period(db):
    subscription = join(member(make_club()))
    pay(subscription, NOW)
    ends = dt.datetime(2024, 4, 15, tzinfo=dt.UTC)
    for _again in range(2):
        cancel_at_period_end(subscription=subscription, actor=SYSTEM, now=day(3))
    subscription.refresh_from_db()
    assert (subscription.state, subscription.benefits_until) == ("active", ends)
    pass_time(ends)
    assert (state_of(subscription), subscription.ended_why) == ("canceled", "period_end")
    assert len(charges(subscription)) == 1
    assert AuditEntry.objects.filter(action="plan.canceled").count() == 1


def test_whoever_takes_it_up_again_is_charged_as_before(db):
    subscription = join(member(make_club()))
    pay(subscription, NOW)
    cancel_at_period_end(subscription=subscription, actor=SYSTEM, now=day(3))
    for _again in range(2):
        resume(subscription=subscription, actor=SYSTEM, now=day(4))
    pass_time(day(40))
    assert len(charges(subscription)) == 2
    assert state_of(subscription) == "active"


def test_a_trial_that_is_canceled_costs_nothing(db):
    subscription = join(member(make_club(plan(trial_days=14))))
    cancel_at_period_end(subscription=subscription, actor=SYSTEM, now=day(3))
    pass_time(day(60))
    assert (state_of(subscription), charges(subscription)) == ("canceled", [])


def test_canceling_an_unpaid_wish_ends_it(db):
    subscription = join(member(make_club()))
    cancel_at_period_end(subscription=subscription, actor=SYSTEM, now=day(1))
    assert (state_of(subscription), charges(subscription)) == ("canceled", [("void", "9.90")])


@pytest.mark.parametrize(
    ("refund", "on", "given_back"),
    [
        ("none", 10, "0.00"),
        ("whole", 10, "9.90"),
        # 31 days from 15 March; from the day after the 25th on, 20 are left.
        ("pro_rata", 10, "6.39"),
        ("pro_rata", 0, "9.58"),
        ("pro_rata", 30, "0.00"),
    ],
)
def test_what_is_given_back_when_it_ends_at_once(db, refund, on, given_back):
    subscription = join(member(make_club()))
    pay(subscription, NOW)
    for _again in range(2):
        cancel_now(
            subscription=subscription, refund=refund, actor=SYSTEM, source="backoffice", now=day(on)
        )
    subscription.refresh_from_db()
    charge = subscription.charges.get()
    assert (subscription.state, subscription.ended_why) == ("canceled", "at_once")
    assert str(round(charge.refunded, 2)) == given_back
    assert not subscription.in_force(day(on))


def test_a_yen_has_no_smaller_coin(db):
    program = make_club(plan(price="1000"), currency="JPY")
    subscription = join(member(program))
    pay(subscription, NOW)
    assert preview_refund(subscription.charges.get(), now=day(10)).pro_rata == Decimal(645)


def test_an_old_payment_that_is_given_back_leaves_the_plan(db):
    subscription = join(member(make_club()))
    pay(subscription, NOW)
    pass_time(day(40))
    pay(subscription, day(40))
    first = subscription.charges.order_by("pk")[0]
    for _again in range(2):
        refund_charge(charge=first, how="whole", actor=SYSTEM, source="backoffice", now=day(41))
    assert state_of(subscription) == "active"
    assert charges(subscription) == [("refunded", "9.90"), ("paid", "9.90")]


def test_another_plan_begins_when_this_one_renews(db):
    program = make_club(plan(), plan("pro", price="99", period="year"))
    ann = member(program)
    subscription = join(ann)
    pay(subscription, NOW)
    pro = Plan.objects.get(code="pro")
    change_plan(subscription=subscription, plan=pro, actor=SYSTEM, now=day(2))
    assert state_of(subscription) == "active"
    pass_time(day(40))
    assert (state_of(subscription), subscription.ended_why) == ("canceled", "changed")
    follower = Subscription.objects.get(follows=subscription)
    assert (follower.state, charges(follower)) == ("active", [("open", "99.00")])
    assert follower.benefits_from == subscription.benefits_until
    assert follower.period_end == dt.datetime(2025, 4, 15, tzinfo=dt.UTC)


def test_while_something_is_overdue_it_stays_what_it_is(db):
    program = make_club(plan(pay_days=2, grace_days=60), plan("pro"))
    subscription = join(member(program))
    pay(subscription, NOW)
    pass_time(day(35))
    assert state_of(subscription) == "past_due"
    pro = Plan.objects.get(code="pro")
    change_plan(subscription=subscription, plan=pro, actor=SYSTEM, now=day(36))
    pass_time(day(62))
    assert (state_of(subscription), len(charges(subscription))) == ("past_due", 3)
    pay(subscription, day(63), all_of_it=True)
    pass_time(day(92))
    assert state_of(subscription) == "canceled"
    assert Subscription.objects.get(follows=subscription).plan == pro


def test_what_was_had_to_its_end_is_owed_all_the_same(db):
    subscription = join(member(make_club(plan(pay_days=60, grace_days=10))))
    pay(subscription, NOW)
    pass_time(day(32))
    cancel_at_period_end(subscription=subscription, actor=SYSTEM, now=day(33))
    pass_time(day(70))
    assert (state_of(subscription), charges(subscription)[1]) == ("canceled", ("open", "9.90"))
    assert pay(subscription, day(75)) == ["9.90"]
    assert state_of(subscription) == "canceled"


def test_a_change_is_called_off_by_choosing_the_plan_that_it_is(db):
    program = make_club(plan(), plan("pro"))
    subscription = join(member(program))
    pay(subscription, NOW)
    for code in ("pro", "plus"):
        wanted = Plan.objects.get(code=code)
        change_plan(subscription=subscription, plan=wanted, actor=SYSTEM, now=day(2))
    pass_time(day(40))
    assert state_of(subscription) == "active"
    assert not Subscription.objects.exclude(pk=subscription.pk).exists()


def merge(kept, merged, at: dt.datetime) -> CustomerMerge:
    done, _known = merge_customers(
        kept=kept.customer, merged=merged.customer, actor=SYSTEM, source="backoffice", now=at
    )
    return done


def test_of_two_plans_of_one_person_the_younger_is_not_renewed(db):
    program = make_club(DOUBLED, plan("pro"))
    kept, merged = member(program), member(program, "c2")
    younger = join(kept, "pro", at=day(1))
    older = join(merged)
    pay(older, day(1))
    pay(younger, day(1))
    done = merge(kept, merged, day(2))
    younger.refresh_from_db()
    assert younger.cancel_at_period_end
    assert running_of(kept) == older
    undo_merge(merge=done, actor=SYSTEM, source="backoffice", now=day(3))
    younger.refresh_from_db()
    assert not younger.cancel_at_period_end
    merge(kept, merged, day(4))
    pass_time(day(40))
    assert (state_of(older), state_of(younger)) == ("active", "canceled")


def test_a_plan_of_somebody_who_was_merged_goes_on_for_who_is_kept(db):
    program = make_club(plan(credits={"units": 10}, benefits=DOUBLED["benefits"]))
    kept, merged = member(program), member(program, "c2")
    subscription = join(merged)
    pay(subscription, NOW)
    merge(kept, merged, day(2))
    assert earned("A1", day(3)) == 20
    pass_time(day(40))
    pay(subscription, day(40))
    assert spendable(at=day(40)) == 40
