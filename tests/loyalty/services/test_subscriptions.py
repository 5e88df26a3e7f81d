"""Paid plans: asked for, paid, renewed, overdue, canceled, given back."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from pydantic import ValidationError

from loyalty.models import Membership, OrderEvaluation, Plan, PlanCharge, Subscription, Transfer
from loyalty.program_files import dump_program, load_program
from loyalty.rules.plans import plan_at
from loyalty.selectors.member_tiers import member_standing
from loyalty.selectors.programs import definition_of
from loyalty.selectors.subscriptions import plan_spans, running_of
from loyalty.services.plan_payments import mark_paid
from loyalty.services.plan_refunds import cancel_now, preview_refund, refund_charge
from loyalty.services.plan_renewals import (
    KIND,
    advance,
    find_renewals,
    renew_plans,
    renewal_words,
)
from loyalty.services.programs import apply_definition
from loyalty.services.subscriptions import cancel_at_period_end, change_plan, resume
from members.conditions.fields import PLAN
from members.conditions.moments import Moment
from members.conditions.predicate import Condition
from members.conditions.query import query_of
from members.conditions.tree import parse
from members.errors import ConflictError
from members.models import AuditEntry, Customer, CustomerMerge
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled
from members.services.merging import merge_customers, undo_merge
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    give_back,
    moves,
    order,
    record,
    refund,
    spendable,
    wallet_of,
)
from tests.loyalty.planning import charges, join, make_club, member, pass_time, pay, plan


def days_of(subscription: Subscription) -> list[str]:
    """When its periods begin."""
    found = subscription.charges.order_by("pk").values_list("period_start", flat=True)
    return [at.date().isoformat() for at in found]


def state_of(subscription: Subscription) -> str:
    subscription.refresh_from_db()
    return subscription.state


# --- Beginning ------------------------------------------------------------------------------------


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


# --- Renewing -------------------------------------------------------------------------------------


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


# --- Overdue --------------------------------------------------------------------------------------


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


# --- Canceling ------------------------------------------------------------------------------------


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


# --- Another plan ---------------------------------------------------------------------------------


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


# --- Units that come with it ----------------------------------------------------------------------


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


# --- In the engine --------------------------------------------------------------------------------


DOUBLED = plan(benefits=[{"kind": "multiplier", "factor": 2}])


def earned(number: str, at: dt.datetime, now: dt.datetime | None = None) -> int:
    record(order(number, "10", at=at), now=now)
    found = Transfer.objects.filter(order__external_id=number, kind="accrual")
    return sum(found.values_list("amount", flat=True))


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


# --- A program's file -----------------------------------------------------------------------------


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


# --- Two accounts that become one -----------------------------------------------------------------


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
