"""Processes that die, and providers that are silent or refuse, while money is given back: what was
asked for is known, given once, and comes to its end."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from loyalty.models import Plan, PlanCharge, Subscription
from loyalty.selectors.subscriptions import running_of
from loyalty.services.plan_changes import change_as_offered
from loyalty.services.plan_refunds import cancel_now, preview_refund, refund_charge
from loyalty.services.plan_renewals import find_renewals, renew_plans
from loyalty.services.subscriptions import cancel_at_period_end, resume
from members.errors import ConflictError
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.loyalty.factories import day, moves
from tests.loyalty.payments.banks import Bank, Killed, open_bank, paid_by_card
from tests.loyalty.planning import charges, make_club, money, pass_time, plan
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]


def make_plus() -> Subscription:
    with open_bank():
        club = make_club(
            plan(price="9", credits={"units": 50}), plan("pro", price="30", upgrade="at_once")
        )
        return paid_by_card(club)


_made_once, plus = of_each_test(make_plus)


def give_back(plus: Subscription, at: dt.datetime, how: str = "whole") -> PlanCharge:
    return refund_charge(
        charge=plus.charges.order_by("pk")[0], how=how, actor=SYSTEM, source="backoffice", now=at,
        note="Asked for it",
    )  # fmt: skip


def stop(plus: Subscription, at: dt.datetime, how: str = "pro_rata") -> Subscription:
    return cancel_now(subscription=plus, refund=how, actor=SYSTEM, source="backoffice", now=at)


def killed_in_between(bank: Bank, plus: Subscription) -> PlanCharge:
    bank.kills = True
    with pytest.raises(Killed):
        stop(plus, day(10))
    bank.kills = False
    assert list(bank.given.values()) == [money("5.81")]
    return plus.charges.get()


def is_over(plus: Subscription, back: str = "5.81") -> None:
    plus.refresh_from_db()
    charge = plus.charges.get()
    assert (plus.state, plus.ended_why, plus.ended_at) == ("canceled", "at_once", day(10))
    assert (charge.state, charge.refunded, charge.giving_back) == ("refunded", money(back), 0)
    assert moves() == [("accrual", 50), ("clawback", -50)]


def test_what_is_given_back_is_known_before_a_provider_is_asked(
    bank: Bank, plus: Subscription
) -> None:
    charge = killed_in_between(bank, plus)
    assert (charge.state, charge.giving_back, charge.refunded) == ("paid", money("5.81"), 0)
    plus.refresh_from_db()
    assert plus.running
    assert moves() == [("accrual", 50)]
    assert AuditEntry.objects.get(action="plan.refund_asked").after["refunded"] == "5.81"


def test_the_work_finishes_what_was_killed_and_gives_the_money_once(
    bank: Bank, plus: Subscription
) -> None:
    killed_in_between(bank, plus)
    at = day(10) + dt.timedelta(minutes=5)
    work = find_renewals(at)
    assert work is not None
    assert work.total == 1
    renew_plans(at)
    is_over(plus)
    assert list(bank.given.values()) == [money("5.81")]
    assert find_renewals(day(11)) is None


def test_asking_again_finishes_it_with_what_was_agreed_to_first(
    bank: Bank, plus: Subscription
) -> None:
    killed_in_between(bank, plus)
    assert stop(plus, day(15)).state == "canceled"
    is_over(plus)
    assert list(bank.given.values()) == [money("5.81")]
    assert stop(plus, day(16)).state == "canceled"
    assert list(bank.given.values()) == [money("5.81")]


def test_of_one_payment_that_is_given_back_the_same_holds(bank: Bank, plus: Subscription) -> None:
    bank.kills = True
    with pytest.raises(Killed):
        give_back(plus, day(10))
    bank.kills = False
    with pytest.raises(ConflictError, match="already"):
        preview_refund(plus.charges.get(), now=day(10))
    assert give_back(plus, day(12), "pro_rata").state == "refunded"
    is_over(plus, "9")
    assert list(bank.given.values()) == [9]
    assert give_back(plus, day(13)).state == "refunded"
    assert AuditEntry.objects.get(action="plan.refunded").reason == "Asked for it"


def test_without_an_answer_it_stands_and_is_asked_for_again_under_the_same_key(
    bank: Bank, plus: Subscription
) -> None:
    bank.is_silent = True
    assert stop(plus, day(10)).running
    charge = plus.charges.get()
    assert charge.next_attempt_at == day(10) + dt.timedelta(hours=1)
    renew_plans(day(10) + dt.timedelta(minutes=59))
    renew_plans(day(10) + dt.timedelta(hours=1))
    charge.refresh_from_db()
    assert charge.next_attempt_at == day(10) + dt.timedelta(hours=2)
    bank.is_silent = False
    renew_plans(day(11))
    is_over(plus)
    assert list(bank.given.values()) == [money("5.81")]


def test_a_refusal_leaves_everything_as_it_was_and_may_be_asked_for_anew(
    bank: Bank, plus: Subscription
) -> None:
    bank.refuses = True
    with pytest.raises(ConflictError, match="nothing was given back") as error:
        stop(plus, day(10))
    assert error.value.code == "payment_refused"
    plus.refresh_from_db()
    charge = plus.charges.get()
    assert (plus.state, charge.state, charge.giving_back) == ("active", "paid", 0)
    assert (charge.refund_asked_at, charge.next_attempt_at) == (None, None)
    said = AuditEntry.objects.get(action="plan.refund_refused")
    assert said.after["failure"] == "charge_disputed"
    assert moves() == [("accrual", 50)]
    bank.refuses = False
    stop(plus, day(10) + dt.timedelta(hours=1))
    assert plus.charges.get().state == "refunded"


def test_a_refusal_that_the_work_learns_of_lets_the_plan_go_on(
    bank: Bank, plus: Subscription
) -> None:
    killed_in_between(bank, plus)
    bank.given.clear()
    bank.refuses = True
    renew_plans(day(10) + dt.timedelta(minutes=5))
    bank.refuses = False
    pass_time(day(40))
    assert charges(plus) == [("paid", "9.00"), ("paid", "9.00")]


def test_while_nobody_knows_nothing_else_is_done_and_nothing_is_charged(
    bank: Bank, plus: Subscription
) -> None:
    bank.is_silent = True
    stop(plus, day(10))
    for write in (
        lambda: cancel_at_period_end(subscription=plus, actor=SYSTEM, now=day(11)),
        lambda: resume(subscription=plus, actor=SYSTEM, now=day(11)),
        lambda: stop(plus, day(11), "none"),
        lambda: change_as_offered(
            subscription=plus, plan=Plan.objects.get(code="pro"), actor=SYSTEM, now=day(11)
        ),
    ):
        with pytest.raises(ConflictError) as error:
            write()
        assert error.value.code == "refund_unsettled"
    renew_plans(day(70))
    assert charges(plus) == [("paid", "9.00")]
    bank.is_silent = False
    renew_plans(day(71))
    is_over(plus)


def test_an_old_payment_is_given_back_though_its_plan_has_ended(
    bank: Bank, plus: Subscription
) -> None:
    stop(plus, day(10), "none")
    bank.is_silent = True
    assert give_back(plus, day(20)).giving_back == 9
    bank.is_silent = False
    renew_plans(day(21))
    charge = plus.charges.get()
    assert (charge.state, charge.refunded, charge.refunded_at) == ("refunded", 9, day(21))
    plus.refresh_from_db()
    assert plus.ended_at == day(10)


def test_an_old_payment_of_a_plan_that_goes_on_leaves_it_running(
    bank: Bank, plus: Subscription
) -> None:
    pass_time(day(40))
    bank.is_silent = True
    give_back(plus, day(41))
    bank.is_silent = False
    renew_plans(day(42))
    assert charges(plus) == [("refunded", "9.00"), ("paid", "9.00")]
    assert running_of(plus.membership) == plus
    pass_time(day(70))
    assert charges(plus)[2] == ("paid", "9.00")


def test_nothing_is_given_back_within_another_transaction(bank: Bank, plus: Subscription) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        stop(plus, day(10))
    with pytest.raises(RuntimeError), transaction.atomic():
        give_back(plus, day(10))
    assert bank.given == {}


def test_what_is_being_given_back_is_not_taken_off_something_else(
    bank: Bank, plus: Subscription
) -> None:
    killed_in_between(bank, plus)
    for changes in ({"carried": 4}, {"giving_back": 10}, {"next_attempt_at": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            PlanCharge.objects.update(**changes)
