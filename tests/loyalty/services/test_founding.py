"""What founding members get: once, in the order of joining, through the ledger."""

import datetime as dt
from typing import Any

import pytest

from loyalty.explanations import explain_transfer
from loyalty.models import FoundingGrant, Membership, Program, Transfer
from loyalty.services.founding import find_founders, give_founding_bonus, run_founding
from loyalty.services.memberships import enroll_customer
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.job_runs import start_work
from members.services.merging import merge_customers
from members.services.outbox import deliver_waiting
from tests.loyalty.factories import day, make_program, order, record, spendable

pytestmark = pytest.mark.django_db


def founding(**changes: Any) -> Program:
    terms = {"units": "50", "days": 14} | changes
    return make_program(launch={"founding": terms})


def enroll(program: Program, number: str, at: dt.datetime) -> Membership:
    customer, _ = Customer.objects.get_or_create(external_id=number)
    return enroll_customer(customer=customer, program=program, source="staff", at=at, actor=SYSTEM)[
        0
    ]


def give(program: Program, at: dt.datetime) -> int:
    return give_founding_bonus(program=program, now=at)


def test_who_joins_in_the_first_days_gets_it_once() -> None:
    program = founding()
    enroll(program, "c1", day(1))
    enroll(program, "c2", day(13.9))
    enroll(program, "c3", day(14))
    assert give(program, day(20)) == 2
    assert give(program, day(20)) == 0
    assert [spendable(number, day(21)) for number in ("c1", "c2", "c3")] == [50, 50, 0]


def test_it_says_why() -> None:
    program = founding()
    enroll(program, "c1", day(1))
    give(program, day(2))
    transfer = Transfer.objects.select_related("wallet", "wallet_type", "actor").get()
    explained = explain_transfer(transfer)
    assert explained.title == "Founding member no. 1"
    assert explained.steps == ("Joined within 14 days of the launch",)
    assert (transfer.kind, transfer.occurred_at) == ("accrual", day(1))


def test_only_the_first_so_many_get_it() -> None:
    program = founding(most_members=2)
    for number in (3, 1, 2):
        enroll(program, f"c{number}", day(number))
    assert give(program, day(4)) == 2
    assert [grant.membership.customer.external_id for grant in FoundingGrant.objects.order_by("number")] == ["c1", "c2"]  # fmt: skip  # noqa: E501
    assert give(program, day(4)) == 0


def test_it_follows_an_enrollment_by_an_order_by_itself() -> None:
    founding(days=365)
    now = dt.datetime.now(dt.UTC)
    Program.objects.update(live_since=now - dt.timedelta(days=1))
    record(order("A1", "10", at=now), now=now)
    while deliver_waiting():
        pass
    assert spendable("c1", now + dt.timedelta(minutes=1)) == 60


def test_the_job_finds_what_was_missed() -> None:
    program = founding()
    assert find_founders(day(1)) is None
    enroll(program, "c1", day(1))
    job = start_work(kind="founding_bonus", actor=SYSTEM, now=day(2))
    assert job is not None
    run_founding(job.pk)
    assert spendable("c1", day(3)) == 50
    assert find_founders(day(3)) is None


def test_an_imported_past_founds_nothing() -> None:
    program = founding()
    enroll(program, "c1", day(-300))
    assert give(program, day(1)) == 0


def test_who_left_gets_nothing() -> None:
    program = founding()
    enroll(program, "c1", day(1))
    Membership.objects.update(status="left")
    assert give(program, day(2)) == 0


def test_a_person_with_two_records_gets_it_once() -> None:
    program = founding()
    enroll(program, "c1", day(1))
    give(program, day(2))
    kept = Customer.objects.create(external_id="c2")
    merge_customers(
        kept=kept,
        merged=Customer.objects.get(external_id="c1"),
        actor=SYSTEM,
        source="api",
        now=day(3),
    )
    assert give(program, day(4)) == 0
    assert spendable("c2", day(5)) == 50


def test_with_phases_the_days_count_from_the_first_one() -> None:
    program = make_program(
        enrollment="explicit",
        launch={
            "phases": [{"kind": "everyone", "starts_on": day(10).date().isoformat()}],
            "founding": {"units": "50", "days": 14},
        },
    )
    enroll(program, "c1", day(2))
    enroll(program, "c2", day(20))
    assert give(program, day(21)) == 1
    assert spendable("c2", day(22)) == 50
