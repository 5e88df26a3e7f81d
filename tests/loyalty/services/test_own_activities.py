"""What people do with Setia itself is told as activities, where the shop wants to know."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import Activity, Membership, Program
from loyalty.services.memberships import enroll_customer
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.customers import update_customer
from members.services.outbox import deliver_waiting
from members.services.profile_questions import create_question
from tests.factories import CustomerFactory
from tests.loyalty.factories import make_program, make_type, reward, spendable

pytestmark = pytest.mark.usefixtures("coherent_ledger")

DAY = dt.timedelta(days=1)
WHOLE = {
    "given_name": "Ana", "family_name": "Lima", "email": "ana@example.com",
    "phone": "+306912345678", "birthday": dt.date(1990, 2, 3),
}  # fmt: skip


def club(kind: str, **changes: Any) -> Program:
    """A program that gives 100 for it, once for everybody."""
    make_type(kind, **{"most": 1, "period": "ever"} | changes)
    return make_program(earning_rules=[{}, reward(kind, 100)], at=timezone.now() - 9 * DAY)


def enroll(program: Program, *, number: str = "c1", **changes: Any) -> Customer:
    customer = Customer.objects.filter(external_id=number).first()
    customer = customer or CustomerFactory(external_id=number, given_name="", family_name="")
    enroll_customer(**{
        "customer": customer, "program": program, "source": Membership.Source.LINK,
        "at": timezone.now(), "actor": SYSTEM,
    } | changes)  # fmt: skip
    return customer


def follow() -> None:
    while deliver_waiting():
        pass


def balance(number: str = "c1") -> int:
    return spendable(number, timezone.now())


def test_whoever_joins_gets_the_welcome_once() -> None:
    program = club("sign-up")
    customer = enroll(program)
    follow()
    enroll(program)
    follow()
    activity = Activity.objects.get()
    assert (activity.source, activity.subject, activity.customer) == ("setia", "club", customer)
    assert activity.occurred_at == Membership.objects.get().enrolled_at
    assert balance() == 100


@pytest.mark.parametrize(
    "changes",
    [{"source": Membership.Source.IMPORT}, {"at": timezone.now() - 4 * DAY}],
    ids=["by a file", "long ago"],
)
def test_who_came_with_the_past_is_not_welcomed(changes: dict[str, Any]) -> None:
    enroll(club("sign-up"), **changes)
    follow()
    assert not Activity.objects.exists()


@pytest.mark.parametrize(
    "changes", [{"active": False}, {"proof": "required"}, {"data_schema": {"required": ["by"]}}]
)
def test_a_type_that_takes_none_holds_up_nothing(changes: dict[str, Any]) -> None:
    enroll(club("sign-up", **changes))
    follow()
    assert not Activity.objects.exists()
    assert balance() == 0


def test_somebody_may_have_to_approve_it() -> None:
    enroll(club("sign-up", approval=True))
    follow()
    assert Activity.objects.get().state == Activity.State.PENDING
    assert balance() == 0


@pytest.mark.parametrize("missing", list(WHOLE))
def test_a_profile_counts_when_the_last_of_it_is_known(missing: str) -> None:
    customer = enroll(club("profile"))
    said = {name: value for name, value in WHOLE.items() if name != missing}
    if missing == "email":
        Customer.objects.update(email="")
    update_customer(customer=customer, actor=SYSTEM, changes=said)
    follow()
    assert not Activity.objects.exists()
    customer.refresh_from_db()
    update_customer(customer=customer, actor=SYSTEM, changes={missing: WHOLE[missing]})
    follow()
    assert balance() == 100
    update_customer(customer=customer, actor=SYSTEM, changes={"given_name": "Anna"})
    follow()
    assert (Activity.objects.count(), balance()) == (1, 100)


def test_a_profile_is_complete_only_with_the_answers_that_it_takes() -> None:
    choices = [{"code": "dark", "text": "Dark"}, {"code": "milk", "text": "Milk"}]
    for code, completes in (("taste", True), ("color", False)):
        create_question(
            code=code, kind="one", text=code, choices=choices, completes=completes, actor=SYSTEM
        )
    customer = enroll(club("profile"))
    update_customer(customer=customer, actor=SYSTEM, changes=WHOLE)
    follow()
    assert not Activity.objects.exists()
    update_customer(customer=customer, actor=SYSTEM, changes={"answers": {"taste": ["milk"]}})
    follow()
    assert balance() == 100


def test_only_members_have_a_profile_that_counts() -> None:
    club("profile")
    CustomerFactory(**WHOLE)
    follow()
    assert not Activity.objects.exists()
