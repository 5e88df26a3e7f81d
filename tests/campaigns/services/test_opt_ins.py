"""A yes to messages is an activity, once for each channel."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from campaigns.services.consents import set_consents
from campaigns.services.policies import set_policy
from loyalty.models import Activity
from loyalty.services.memberships import enroll_customer
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.outbox import deliver_waiting
from tests.factories import CustomerFactory
from tests.loyalty.factories import make_program, make_type, reward, spendable
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake", "coherent_ledger")]


def make_customer() -> Customer:
    """A member where a yes by e-mail brings 20."""
    make_type("email-opt-in")
    now = timezone.now()
    program = make_program(
        earning_rules=[{}, reward("email-opt-in", 20)], at=now - dt.timedelta(days=9)
    )
    customer = CustomerFactory(external_id="c1")
    enroll_customer(customer=customer, program=program, source="link", at=now, actor=SYSTEM)
    return customer


_made_once, customer = of_each_test(make_customer)


def say(customer: Customer, source: str = "staff", **topics: bool) -> Any:
    found = set_consents(
        customer=customer, wanted={("email", topic): yes for topic, yes in topics.items()},
        source=source, actor=SYSTEM, now=timezone.now(),
    )  # fmt: skip
    while deliver_waiting():
        pass
    return found


def test_a_yes_counts_once_whatever_is_chosen_later(customer: Customer) -> None:
    say(customer, offers=True)
    assert spendable("c1", timezone.now()) == 20
    say(customer, offers=False)
    say(customer, offers=True)
    assert spendable("c1", timezone.now()) == 20
    activity = Activity.objects.get()
    assert (activity.type.code, activity.subject) == ("email-opt-in", "offers")


def test_a_no_and_a_yes_that_waits_for_its_link_count_for_nothing(customer: Customer) -> None:
    set_policy(changes={"double_opt_in": True}, actor=SYSTEM)
    say(customer, offers=False)
    [asked] = say(customer, "account", offers=True)
    assert asked.became == "asked"
    assert not Activity.objects.exists()


def test_a_yes_that_was_taken_back_at_once_counts_for_nothing(customer: Customer) -> None:
    now = timezone.now()
    for yes in (True, False):
        set_consents(
            customer=customer, wanted={("email", "offers"): yes}, source="staff", actor=SYSTEM,
            now=now,
        )  # fmt: skip
    while deliver_waiting():
        pass
    assert not Activity.objects.exists()
