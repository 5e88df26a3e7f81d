"""Paid plans at the same moment: real threads with connections of their own."""

import pytest

from loyalty.models import PlanCharge, Subscription
from loyalty.services.plan_payments import mark_paid
from loyalty.services.plan_refunds import refund_charge
from loyalty.services.plan_renewals import renew_plans
from members.errors import ConflictError
from members.services.audit import SYSTEM
from tests.loyalty.factories import NOW, day, moves
from tests.loyalty.ledger.racing import THREADS, at_once
from tests.loyalty.planning import charges, join, make_club, member, pay, plan

pytestmark = pytest.mark.django_db(transaction=True)

CREDITED = plan(credits={"units": 200})


def test_a_plan_is_taken_once_in_many_windows():
    ann = member(make_club(CREDITED))

    def work(_number):
        try:
            return join(ann).pk
        except ConflictError as error:
            return error.code

    found = at_once(work)
    assert found.count("plan_running") == THREADS - 1
    assert (Subscription.objects.count(), PlanCharge.objects.count()) == (1, 1)


def test_many_workers_renew_once_and_many_people_see_the_money_once():
    subscription = join(member(make_club(CREDITED)))
    pay(subscription, NOW)
    at_once(lambda _number: renew_plans(day(40)))
    assert charges(subscription) == [("paid", "9.90"), ("open", "9.90")]
    charge = subscription.charges.get(state="open")
    at_once(lambda _number: mark_paid(charge=charge, actor=SYSTEM, now=day(41)))
    assert moves() == [("accrual", 200)] * 2
    at_once(
        lambda _number: refund_charge(
            charge=charge, how="whole", actor=SYSTEM, source="backoffice", now=day(42)
        )
    )
    assert moves() == [("accrual", 200), ("accrual", 200), ("clawback", -200)]
    subscription.refresh_from_db()
    assert subscription.state == "canceled"
