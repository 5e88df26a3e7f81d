"""Money that a provider had taken on to give back and could not: noted, shown, and asked for again
when staff say so, once for each time."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from loyalty.models import PaymentEvent, PlanCharge, Program, Subscription
from loyalty.payments.base import Notice
from loyalty.selectors.plan_figures import plan_figures
from loyalty.services.failed_refunds import retry_refund
from loyalty.services.plan_charges import refund_key
from loyalty.services.plan_payments import take_notice
from loyalty.services.plan_refunds import refund_charge
from loyalty.services.plan_renewals import find_renewals, renew_plans
from members.errors import ConflictError
from members.models import AuditEntry, StaffMember
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, api, key_with  # noqa: F401
from tests.factories import StaffMemberFactory
from tests.loyalty.factories import day, moves
from tests.loyalty.payments.banks import Bank, Killed, open_bank, paid_by_card
from tests.loyalty.planning import make_club, money, plan
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]
WHY = "expired_or_canceled_card"


def make_charge() -> tuple[PlanCharge, dict[str, Decimal]]:
    """Of a payment that went back, as far as anybody knew; and what the bank has given back."""
    with open_bank() as bank:
        plus = paid_by_card(make_club(plan(price="9", credits={"units": 50})))
        charge = refund_charge(
            charge=plus.charges.get(), how="whole", actor=SYSTEM, source="backoffice", now=day(10)
        )
        return charge, dict(bank.given)


_made_once, world = of_each_test(make_charge)


@pytest.fixture
def charge(world: tuple[PlanCharge, dict[str, Decimal]], bank: Bank) -> PlanCharge:
    found, given = world
    bank.given.update(given)
    return found


@pytest.fixture
def club(world: tuple[PlanCharge, dict[str, Decimal]]) -> Program:
    return Program.objects.get()


def fail(charge: PlanCharge, at: dt.datetime, *, event: str = "evt_1", key: str = "") -> bool:
    """What the provider tells, weeks later perhaps."""
    charge.refresh_from_db()
    notice = Notice(
        event_id=event, kind="refund.failed", happened_at=at, refund=key or refund_key(charge),
        refund_of=charge.provider_reference, failure=WHY,
    )  # fmt: skip
    return take_notice(provider="bank", notice=notice, now=at)


def state_of(charge: PlanCharge) -> tuple[str, str, bool]:
    charge.refresh_from_db()
    return charge.state, charge.refund_failure, charge.next_attempt_at is not None


def test_it_is_noted_once_and_nothing_is_booked_again(bank: Bank, charge: PlanCharge) -> None:
    booked = moves()
    assert fail(charge, day(20))
    assert not fail(charge, day(21))
    assert fail(charge, day(22), event="evt_2")
    assert state_of(charge) == ("refunded", WHY, False)
    assert (charge.refunded, charge.refund_failed_at) == (money("9"), day(20))
    assert moves() == booked == [("accrual", 50), ("clawback", -50)]
    assert charge.subscription.ended_at == day(10)
    entry = AuditEntry.objects.get(action="plan.refund_failed")
    assert entry.after["failure"] == WHY
    assert PaymentEvent.objects.filter(charge=charge, kind="refund.failed").count() == 2
    # Nobody asks by themselves.
    assert find_renewals(day(40)) is None
    assert len(bank.given) == 1


def test_staff_have_it_given_back_under_another_key(bank: Bank, charge: PlanCharge) -> None:
    booked = moves()
    first = refund_key(charge)
    fail(charge, day(20))
    retry_refund(charge=charge, actor=SYSTEM, now=day(21))
    assert state_of(charge) == ("refunded", "", False)
    assert charge.refund_failed_at is None
    assert bank.given == {first: money("9"), refund_key(charge): money("9")}
    # Asked again, and told again of the first time, nothing happens.
    retry_refund(charge=charge, actor=SYSTEM, now=day(22))
    assert fail(charge, day(23), event="evt_late", key=first)
    assert state_of(charge) == ("refunded", "", False)
    assert len(bank.given) == 2
    assert moves() == booked
    # The second time may fail as well.
    fail(charge, day(24), event="evt_3")
    assert state_of(charge) == ("refunded", WHY, False)
    retry_refund(charge=charge, actor=SYSTEM, now=day(25))
    assert len(bank.given) == 3


def test_who_dies_in_between_asks_again_under_the_same_key(bank: Bank, charge: PlanCharge) -> None:
    fail(charge, day(20))
    bank.kills = True
    with pytest.raises(Killed):
        retry_refund(charge=charge, actor=SYSTEM, now=day(21))
    bank.kills = False
    assert state_of(charge) == ("refunded", WHY, True)
    work = find_renewals(day(21) + dt.timedelta(minutes=5))
    assert work is not None
    renew_plans(day(21) + dt.timedelta(minutes=5))
    assert state_of(charge) == ("refunded", "", False)
    assert len(bank.given) == 2
    assert find_renewals(day(40)) is None


def test_where_nobody_answers_it_is_asked_again_and_a_second_click_asks_the_same(
    bank: Bank, charge: PlanCharge
) -> None:
    fail(charge, day(20))
    bank.is_silent = True
    retry_refund(charge=charge, actor=SYSTEM, now=day(21))
    key = refund_key(PlanCharge.objects.get())
    retry_refund(charge=charge, actor=SYSTEM, now=day(21) + dt.timedelta(minutes=1))
    assert state_of(charge) == ("refunded", WHY, True)
    bank.is_silent = False
    renew_plans(day(21) + dt.timedelta(hours=2))
    assert state_of(charge) == ("refunded", "", False)
    assert refund_key(charge) == key
    assert len(bank.given) == 2


def test_a_second_no_is_said_and_may_be_tried_again(bank: Bank, charge: PlanCharge) -> None:
    fail(charge, day(20))
    bank.refuses = True
    with pytest.raises(ConflictError):
        retry_refund(charge=charge, actor=SYSTEM, now=day(21))
    assert state_of(charge) == ("refunded", "charge_disputed", False)
    bank.refuses = False
    retry_refund(charge=charge, actor=SYSTEM, now=day(22))
    assert state_of(charge) == ("refunded", "", False)


def test_a_failure_that_is_told_before_the_answer_was_heard_is_a_no(
    bank: Bank, club: Program
) -> None:
    plus = paid_by_card(club, number="c2")
    bank.kills = True
    with pytest.raises(Killed):
        refund_charge(
            charge=plus.charges.get(), how="whole", actor=SYSTEM, source="api", now=day(10)
        )
    bank.kills = False
    charge = plus.charges.get()
    fail(charge, day(11))
    assert state_of(charge) == ("paid", "", False)
    assert charge.giving_back == 0
    assert Subscription.objects.get(pk=plus.pk).running
    assert moves("c2") == [("accrual", 50)]
    renew_plans(day(12))
    assert len(bank.given) == 1


def test_what_was_not_given_back_has_not_failed(bank: Bank, club: Program) -> None:
    plus = paid_by_card(club, number="c2")
    with pytest.raises(ConflictError):
        retry_refund(charge=plus.charges.get(), actor=SYSTEM, now=day(5))
    assert bank.given == {}


def test_staff_see_it_where_they_look_and_press_a_button(
    bank: Bank, charge: PlanCharge, club: Program, client: Client
) -> None:
    customer = charge.subscription.membership.customer
    agent = StaffMemberFactory(role=StaffMember.Role.SUPPORT_AGENT)
    client.force_login(agent.user, "django.contrib.auth.backends.ModelBackend")
    panel = reverse("loyalty_backoffice:plan_panel", args=[customer.public_id])
    people = reverse("loyalty_backoffice:subscriber_list", args=["club"])
    retry = reverse("loyalty_backoffice:invoice_refund_retry", args=[charge.public_id])
    listed = f'href="{reverse("backoffice:customer", args=[customer.public_id])}'
    home = reverse("loyalty_backoffice:attention_panel")

    def shown(address: str) -> str:
        return client.get(address).content.decode()

    assert "Refund failed" not in shown(panel)
    assert listed not in shown(f"{people}?state=refund_failed")
    assert "could not give" not in shown(home)
    fail(charge, day(20))
    assert plan_figures(club, now=day(20)).not_given_back == 1
    assert "Refund failed" in shown(panel)
    assert WHY in shown(panel)
    assert retry in shown(panel)
    assert listed in shown(f"{people}?state=refund_failed")
    assert "The money is still owed." in shown(
        reverse("loyalty_backoffice:plan_list", args=["club"])
    )
    assert "could not give" in shown(home)
    client.post(retry)
    client.post(retry)
    assert len(bank.given) == 2
    assert "Refund failed" not in shown(panel)
    assert AuditEntry.objects.get(action="plan.refund_retried").actor == agent.user


def test_the_same_over_the_api(
    bank: Bank,
    charge: PlanCharge,
    key_with: Callable[..., ApiClient],  # noqa: F811
) -> None:
    shop = key_with("memberships:read", "memberships:write")
    fail(charge, day(20))
    path = f"/subscriptions/{charge.subscription.public_id}"
    [invoice] = shop.get(path).json()["invoices"]
    assert (invoice["refund_failure"], invoice["state"]) == (WHY, "refunded")
    assert invoice["refund_failed_at"].startswith(day(20).date().isoformat())
    answer: Any = shop.post(f"/invoices/{charge.public_id}/refund/retry", Idempotency_Key="r-1")
    assert answer.status_code == 200, answer.content
    assert (answer.json()["refund_failed_at"], answer.json()["refund_failure"]) == (None, "")
    again = shop.post(f"/invoices/{charge.public_id}/refund/retry", Idempotency_Key="r-2")
    assert again.status_code == 200
    assert len(bank.given) == 2
