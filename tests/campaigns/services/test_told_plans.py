"""Members are told what becomes of their paid plan, each thing once."""

import datetime as dt

import pytest
from django.utils import timezone

from campaigns.models import Delivery, Message
from campaigns.services.told_plans import OCCASIONS
from campaigns.services.told_trials import find_trials, trial_words
from loyalty.models import Plan, Subscription
from loyalty.services.plan_payments import mark_paid
from loyalty.services.plan_refunds import cancel_now
from loyalty.services.plan_renewals import advance, renew_plans
from loyalty.services.subscriptions import cancel_at_period_end, change_plan, resume
from members.formatting import format_day
from members.models import OutboxEvent
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled
from tests.campaigns.factories import follow, switch_on, work
from tests.loyalty.planning import join, make_club, member, pay, plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]
CODES = [occasion.code for occasion in OCCASIONS]


def ago(days: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(days=days)


def on(days: float = 100) -> None:
    for code in CODES:
        switch_on(code, at=ago(days))


def told() -> list[tuple[str, str]]:
    """What is in the inbox, as occasion and words; all was told twice, as after a failure."""
    follow()
    OutboxEvent.objects.update(delivered_at=None, available_at=timezone.now())
    follow()
    rows = Delivery.objects.filter(channel="inbox").order_by("pk")
    return [
        (code.removeprefix("plan_"), f"{subject}: {text}".replace("\xa0", " "))
        for code, subject, text in rows.values_list("message__occasion", "subject", "text")
    ]


def taken(began: float, **changes: object) -> Subscription:
    club = make_club(plan(**changes), plan("pro", price="30"), at=ago(200))
    return join(member(club, at=ago(150)), at=ago(began))


def paid(began: float, **changes: object) -> Subscription:
    found = taken(began, **changes)
    pay(found, ago(began))
    found.refresh_from_db()
    return found


def words_of(day: dt.datetime | None) -> str:
    assert day is not None
    return format_day(day)


def test_the_first_payment_is_no_renewal_and_the_next_one_is_told_once() -> None:
    on()
    found = paid(31)
    assert told() == []
    renew_plans(timezone.now())
    found.refresh_from_db()
    [(code, words)] = told()
    assert code == "renewed"
    assert "for $9.90. Please pay the invoice by" in words
    mark_paid(charge=found.charges.get(period_number=2), actor=SYSTEM, now=timezone.now())
    assert len(told()) == 1


def test_an_invoice_that_is_overdue_is_told_with_the_day_on_which_the_plan_ends() -> None:
    found = paid(46, pay_days=14, grace_days=10)
    renew_plans(ago(15))
    on(14)
    renew_plans(timezone.now())
    found.refresh_from_db()
    assert found.state == "past_due"
    [(code, words)] = told()
    assert code == "payment_failed"
    assert f"Without a payment your plan ends on {words_of(found.benefits_until)}." in words
    assert "We try again" not in words


def test_what_is_not_paid_ends_and_says_why() -> None:
    on()
    found = paid(40)
    renew_plans(ago(8))
    found.charges.filter(state="open").update(due_at=ago(12))
    renew_plans(timezone.now())
    advance(found, now=timezone.now())
    found.refresh_from_db()
    assert found.state == "lapsed"
    [(code, words)] = told()
    assert (code, "because it was not paid" in words) == ("ended", True)


def test_a_cancellation_is_told_again_only_when_it_is_asked_for_again() -> None:
    on()
    found = paid(5)
    now = timezone.now()
    cancel_at_period_end(subscription=found, actor=SYSTEM, now=now)
    [(code, words)] = told()
    assert (code, "Until then you can take it up again." in words) == ("canceled", True)
    resume(subscription=found, actor=SYSTEM, now=now)
    assert len(told()) == 1
    cancel_at_period_end(subscription=found, actor=SYSTEM, now=now + dt.timedelta(seconds=1))
    assert [code for code, _words in told()] == ["canceled", "canceled"]


def test_the_end_is_told_but_not_where_another_plan_follows() -> None:
    on()
    found = paid(31)
    change_plan(subscription=found, plan=Plan.objects.get(code="pro"), actor=SYSTEM, now=ago(2))
    renew_plans(timezone.now())
    assert [code for code, _words in told()] == ["renewed"]
    follower = Subscription.objects.get(ended_at=None)
    cancel_now(subscription=follower, refund="none", actor=SYSTEM, source="api", now=timezone.now())
    assert [code for code, _words in told()] == ["renewed", "ended"]


def test_nothing_is_told_of_what_never_began_or_happened_before_it_was_on() -> None:
    found = paid(5)
    cancel_at_period_end(subscription=found, actor=SYSTEM, now=ago(3))
    on(1)
    never = join(member(make_club(code="other", at=ago(9)), "c9", ago(5)))
    cancel_at_period_end(subscription=never, actor=SYSTEM, now=timezone.now())
    assert told() == []


def test_a_trial_that_ends_soon_is_told_once_with_the_day_and_the_price() -> None:
    on()
    found = taken(12, trial_days=14)
    now = timezone.now()
    assert find_trials(now - dt.timedelta(days=3)) is None
    assert work("plan_trials", now) == 1
    assert work("plan_trials", now) == 0
    assert find_trials(now) is None
    [(code, words)] = told()
    assert code == "trial_ends"
    assert f"ends on {words_of(found.trial_ends_at)}" in words
    assert "$9.90 a month" in words


def test_the_work_tells_each_trial_and_says_how_many() -> None:
    on()
    taken(12, trial_days=14)
    job = run_scheduled(kind="plan_trials", now=timezone.now())
    assert job is not None
    job.refresh_from_db()
    assert Message.objects.count() == 1
    assert trial_words(job) == "1 member was told."


@pytest.mark.parametrize(("began", "days"), [(12, 30), (0.5, 2), (20, 14)])
def test_a_trial_far_from_its_end_just_begun_or_over_is_not_told(began: float, days: int) -> None:
    on()
    taken(began, trial_days=days)
    assert work("plan_trials", timezone.now()) == 0


def test_a_trial_that_is_canceled_is_not_told_of_its_end() -> None:
    on()
    found = taken(12, trial_days=14)
    cancel_at_period_end(subscription=found, actor=SYSTEM, now=ago(1))
    assert work("plan_trials", timezone.now()) == 0
