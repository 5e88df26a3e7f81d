"""Paid plans: asked for, paid, renewed, overdue."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from loyalty.models import PlanCharge, Subscription
from loyalty.services.plan_payments import mark_paid
from loyalty.services.plan_refunds import cancel_now
from loyalty.services.plan_renewals import (
    KIND,
    advance,
    find_renewals,
    renew_plans,
    renewal_words,
)
from members.errors import ConflictError
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled
from tests.loyalty.factories import (
    NOW,
    day,
)
from tests.loyalty.planning import charges, join, make_club, member, pass_time, pay, plan
from tests.loyalty.subscriptions import days_of, state_of


def test_an_invoice_is_open_until_somebody_has_seen_the_money(db):
    subscription = join(member(make_club()))
    assert (subscription.state, subscription.in_force(NOW)) == ("waiting", False)
    assert charges(subscription) == [("open", "9.90")]
    assert pay(subscription, day(3)) == ["9.90"]
    subscription.refresh_from_db()
    assert (subscription.state, subscription.benefits_from) == ("active", day(3))
    # Nothing of the period is lost by paying late.
    assert subscription.period_end == dt.datetime(2024, 4, 18, tzinfo=dt.UTC)
    assert not subscription.in_force(day(2))
    assert subscription.in_force(day(3))


def test_an_invoice_that_nobody_pays_is_void_in_the_end(db):
    subscription = join(member(make_club(plan(pay_days=14, grace_days=10))))
    pass_time(day(23.9))
    assert state_of(subscription) == "waiting"
    pass_time(day(24))
    assert (state_of(subscription), subscription.ended_why) == ("lapsed", "not_paid")
    assert charges(subscription) == [("void", "9.90")]
    with pytest.raises(ConflictError):
        mark_paid(charge=subscription.charges.get(), actor=SYSTEM, now=day(25))


def test_a_trial_has_its_benefits_and_costs_nothing_before_it_ends(db):
    subscription = join(member(make_club(plan(trial_days=30))))
    assert (subscription.state, subscription.in_force(NOW)) == ("trialing", True)
    assert charges(subscription) == []
    pass_time(dt.datetime(2024, 4, 14, tzinfo=dt.UTC))
    assert state_of(subscription) == "active"
    assert days_of(subscription) == ["2024-04-14"]
    assert subscription.in_force(dt.datetime(2024, 4, 14, tzinfo=dt.UTC))


def test_a_trial_is_given_once(db):
    program = make_club(plan(trial_days=30), plan("pro", trial_days=30))
    ann = member(program)
    first = join(ann)
    cancel_now(subscription=first, refund="none", actor=SYSTEM, source="job", now=day(1))
    assert join(ann, "pro", at=day(2)).state == "waiting"


def test_one_plan_runs_at_a_time(db):
    program = make_club(plan(), plan("pro"))
    ann = member(program)
    first = join(ann)
    with pytest.raises(ConflictError, match="There is a plan already"):
        join(ann, "pro")
    with pytest.raises(IntegrityError), transaction.atomic():
        Subscription.objects.create(
            membership=ann, plan=first.plan, version=first.version, state="waiting",
            source="api", provider="by_hand", asked_at=NOW,
        )  # fmt: skip


def test_what_is_not_offered_cannot_be_taken(db):
    with pytest.raises(ConflictError, match="not offered"):
        join(member(make_club(plan(offered=False))))


@pytest.mark.parametrize(
    ("joined", "period", "starts"),
    [
        ("2024-01-31", "month", ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"]),
        ("2023-01-31", "month", ["2023-01-31", "2023-02-28", "2023-03-31", "2023-04-30"]),
        ("2024-03-15", "month", ["2024-03-15", "2024-04-15", "2024-05-15", "2024-06-15"]),
        ("2023-11-30", "quarter", ["2023-11-30", "2024-02-29", "2024-05-30", "2024-08-30"]),
        ("2024-02-29", "year", ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28"]),
    ],
)
def test_periods_are_counted_from_the_first_day(db, joined, period, starts):
    at = dt.datetime.fromisoformat(f"{joined}T10:00:00+00:00")
    program = make_club(plan(period=period), at=at)
    subscription = join(member(program, at=at), at=at)
    pay(subscription, at)
    for start in starts[1:]:
        pass_time(dt.datetime.fromisoformat(f"{start}T00:00:00+00:00"))
        pay(subscription, dt.datetime.fromisoformat(f"{start}T01:00:00+00:00"))
    assert days_of(subscription) == starts


def test_renewing_twice_charges_once(db):
    subscription = join(member(make_club()))
    pay(subscription, NOW)
    at = dt.datetime(2024, 4, 15, tzinfo=dt.UTC)
    assert renew_plans(at) == 1
    assert renew_plans(at) == 0
    advance(subscription, now=at)
    assert charges(subscription) == [("paid", "9.90"), ("open", "9.90")]


def test_periods_that_were_missed_are_charged_one_by_one(db):
    subscription = join(member(make_club(plan(pay_days=60))))
    pay(subscription, NOW)
    renew_plans(dt.datetime(2024, 6, 20, tzinfo=dt.UTC))
    assert days_of(subscription) == ["2024-03-15", "2024-04-15", "2024-05-15", "2024-06-15"]
    assert state_of(subscription) == "active"


def test_the_schedule_does_what_is_due(db):
    subscription = join(member(make_club()))
    pay(subscription, NOW)
    assert find_renewals(day(1)) is None
    job = run_scheduled(kind=KIND, now=day(40))
    assert job is not None
    assert (job.state, renewal_words(job)) == ("succeeded", "1 plan was looked at.")
    assert len(charges(subscription)) == 2


def test_a_run_that_dies_half_way_goes_on_where_it_stopped(db, monkeypatch):
    from loyalty.services import plan_renewals

    program = make_club()
    subscriptions = [join(member(program, f"c{number}")) for number in range(12)]
    for subscription in subscriptions:
        pay(subscription, NOW)
    done = []

    def dies_at_the_eighth(subscription, *, now):
        if len(done) == 7:
            raise RuntimeError("killed")
        done.append(subscription.pk)
        return advance(subscription, now=now)

    monkeypatch.setattr(plan_renewals, "advance", dies_at_the_eighth)
    with pytest.raises(RuntimeError):
        run_scheduled(kind=KIND, now=day(40))
    monkeypatch.setattr(plan_renewals, "advance", advance)
    run_scheduled(kind=KIND, now=day(40))
    assert PlanCharge.objects.count() == 24
    assert find_renewals(day(40)) is None


def test_who_has_a_plan_keeps_its_price_until_it_renews(db):
    program = make_club(plan(trial_days=0))
    subscription = join(member(program))
    pay(subscription, NOW)
    make_club(plan(price="12.50"), at=day(5))
    assert subscription.version.price == Decimal("9.90")
    pass_time(dt.datetime(2024, 4, 15, tzinfo=dt.UTC))
    assert charges(subscription) == [("paid", "9.90"), ("open", "12.50")]


def test_a_plan_that_gets_another_period_counts_from_then(db):
    at = dt.datetime(2024, 1, 31, 9, tzinfo=dt.UTC)
    program = make_club(plan(), at=at)
    subscription = join(member(program, at=at), at=at)
    pay(subscription, at)
    make_club(plan(period="year"), at=at + dt.timedelta(days=2))
    pass_time(dt.datetime(2024, 2, 29, tzinfo=dt.UTC))
    subscription.refresh_from_db()
    assert subscription.period_end == dt.datetime(2025, 2, 28, tzinfo=dt.UTC)


def test_who_is_no_longer_a_member_is_not_charged(db):
    ann = member(make_club())
    subscription = join(ann)
    pay(subscription, NOW)
    type(ann).objects.filter(pk=ann.pk).update(status="left")
    pass_time(day(40))
    assert (state_of(subscription), subscription.ended_why) == ("canceled", "left")
    assert len(charges(subscription)) == 1


def test_what_is_not_paid_keeps_its_benefits_in_the_days_of_grace_and_then_lapses(db):
    subscription = join(member(make_club(plan(pay_days=14, grace_days=10))))
    pay(subscription, NOW)
    renewed = dt.datetime(2024, 4, 15, tzinfo=dt.UTC)
    pass_time(renewed + dt.timedelta(days=13))
    assert state_of(subscription) == "active"
    pass_time(renewed + dt.timedelta(days=14))
    assert state_of(subscription) == "past_due"
    last = renewed + dt.timedelta(days=24)
    assert subscription.in_force(last - dt.timedelta(seconds=1))
    # Right without the job, too.
    assert not subscription.in_force(last)
    pass_time(last + dt.timedelta(days=1))
    assert (state_of(subscription), subscription.ended_at) == ("lapsed", last)
    assert charges(subscription) == [("paid", "9.90"), ("void", "9.90")]


def test_who_pays_in_the_days_of_grace_goes_on_as_if_nothing_had_been(db):
    subscription = join(member(make_club(plan(pay_days=14, grace_days=10))))
    pay(subscription, NOW)
    pass_time(dt.datetime(2024, 5, 1, tzinfo=dt.UTC))
    assert state_of(subscription) == "past_due"
    pay(subscription, dt.datetime(2024, 5, 2, tzinfo=dt.UTC))
    assert (state_of(subscription), subscription.benefits_until) == ("active", None)
