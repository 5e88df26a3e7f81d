"""Birthdays and anniversaries: given once, on their day, also when the job did not run."""

import datetime as dt
from typing import Any

import pytest

from loyalty.explanations import explain_transfer
from loyalty.models import CapCounter, Membership, OccasionGrant, Transfer
from loyalty.rules.anniversaries import due_days
from loyalty.selectors.transfers import transfers
from loyalty.services import occasions
from loyalty.services.joining import join_program
from loyalty.services.leaving import leave_program
from loyalty.services.occasions import (
    KIND,
    find_occasions,
    give_occasions,
    occasion_words,
    run_occasions,
)
from loyalty.services.suspensions import resume_membership, suspend_membership
from members.conditions.moments import kept_on
from members.errors import DomainError
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled, start_work
from members.services.merging import merge_customers
from tests.loyalty.factories import (
    NOW,
    day,
    make_program,
    make_wallet,
    moves,
    order,
    record,
    spendable,
)

pytestmark = pytest.mark.usefixtures("coherent_ledger")
# NOW is 15 March 2024, noon; the program is live since then.


def club(**changes: Any):
    rule = {"code": "day", "name": "Day", "kind": "occasion", "units": 100} | changes
    return make_program(earning_rules=[{}, rule])


def member(program, birthday: str | None = None, number: str = "c1", at: dt.datetime = NOW):
    wallet = make_wallet(program, number, at)
    if birthday:
        Customer.objects.filter(external_id=number).update(birthday=birthday)
    return wallet


def days_given() -> list[str]:
    found = Transfer.objects.order_by("occurred_at").values_list("occurred_at", flat=True)
    return [at.date().isoformat() for at in found]


# --- Days -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "keys"),
    [
        ("2024-03-15", [315]), ("2023-02-28", [228, 229]), ("2024-02-28", [228]),
        ("2024-02-29", [229]), ("2100-02-28", [228, 229]), ("2024-12-31", [1231]),
    ],
)  # fmt: skip
def test_days_that_are_kept(on, keys):
    assert list(kept_on(dt.date.fromisoformat(on))) == keys


def test_units_are_given_so_many_days_ahead():
    first, last = dt.date(2024, 12, 30), dt.date(2024, 12, 31)
    found = [(str(due.given_on), str(due.day)) for due in due_days(first, last, 2)]
    assert found == [("2024-12-30", "2025-01-01"), ("2024-12-31", "2025-01-02")]


# --- Birthdays ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("birthday", "before", "looked_at", "given"),
    [
        ("1990-04-01", 0, [16], []),
        ("1990-04-01", 0, [17], ["2024-04-01"]),
        ("1990-04-01", 0, [17, 17.2, 18, 30, 47], ["2024-04-01"]),
        ("1990-04-01", 0, [47], ["2024-04-01"]),  # thirty days later
        ("1990-04-01", 0, [48], []),
        ("1990-04-01", 7, [10], ["2024-03-25"]),
        ("1990-04-01", 7, [9], []),
        ("1990-04-01", 0, [17, 17 + 365], ["2024-04-01", "2025-04-01"]),
        ("1992-02-29", 0, [365 - 16], []),
        ("1992-02-29", 0, [365 - 15], ["2025-02-28"]),
        ("1992-02-29", 0, [365 - 15, 365 - 14], ["2025-02-28"]),
        (None, 0, [17], []),
    ],
)
def test_a_birthday(db, birthday, before, looked_at, given):
    member(club(days_before=before), birthday)
    for at in looked_at:
        give_occasions(day(at))
    assert days_given() == given


def test_days_begin_in_the_programs_time_zone(db):
    rule = {"code": "day", "name": "Day", "kind": "occasion", "units": 100}
    member(make_program(time_zone="Asia/Tokyo", earning_rules=[rule]), "1990-04-01")
    midnight = dt.datetime(2024, 3, 31, 15, tzinfo=dt.UTC)
    assert give_occasions(midnight - dt.timedelta(minutes=1)) == 0
    assert give_occasions(midnight) == 1
    assert Transfer.objects.get().occurred_at == midnight


def test_nobody_who_joined_after_the_day_gets_anything(db):
    program = club()
    member(program, "1990-04-01", "late", day(18))
    member(program, "1990-04-02", "same-day", day(18))
    give_occasions(day(20))
    assert (moves("late"), moves("same-day")) == ([], [("accrual", 100)])
    assert Transfer.objects.get().occurred_at == day(18)


def test_nothing_is_given_for_days_before_the_program_went_live(db):
    member(club(), "1990-03-10", at=day(-100))
    give_occasions(day(1))
    assert days_given() == []


@pytest.mark.parametrize(
    ("birthday", "given"), [("1990-04-01", []), ("1990-04-02", ["2024-04-02"])]
)
def test_a_rule_counts_from_the_day_after_it_came(db, birthday, given):
    program = make_program()
    member(program, birthday)
    new = {"code": "new", "name": "New", "kind": "occasion", "units": 5}
    make_program(earning_rules=[{}, new], at=day(17))
    give_occasions(day(20))
    assert days_given() == given


def test_another_wording_of_a_rule_gives_nobody_a_second_one(db):
    member(club(), "1990-04-01")
    rule = {"code": "day", "name": "Day", "kind": "occasion", "units": 7, "days_before": 7}
    make_program(earning_rules=[{}, rule], at=day(5))
    for at in (10, 17, 30):
        give_occasions(day(at))
    assert moves() == [("accrual", 7)]


def test_a_changed_birthday_does_not_bring_another(db):
    member(club(), "1990-04-01")
    give_occasions(day(17))
    Customer.objects.update(birthday="1990-05-20")
    give_occasions(day(66))
    assert days_given() == ["2024-04-01"]
    Customer.objects.update(birthday="1990-02-10")  # more than 300 days after the first
    give_occasions(day(332))
    assert days_given() == ["2024-04-01", "2025-02-10"]


def test_a_duplicate_that_is_merged_brings_no_second_one(db):
    program = club()
    member(program, "1990-04-01", "c1")
    member(program, "1990-04-01", "c2")
    give_occasions(day(17))
    people = {found.external_id: found for found in Customer.objects.all()}
    merge_customers(kept=people["c1"], merged=people["c2"], actor=SYSTEM, source="api", now=day(18))
    OccasionGrant.objects.filter(membership__customer=people["c1"]).delete()
    give_occasions(day(19))
    assert Transfer.objects.filter(kind="accrual").count() == 2


# --- Anniversaries --------------------------------------------------------------------------------


def test_joining_is_celebrated_from_the_first_year_on(db):
    member(club(day="enrollment"), at=day(3))
    for at in (3, 10, 367, 368, 368 + 365):
        give_occasions(day(at))
    assert days_given() == ["2025-03-18", "2026-03-18"]
    titles = [explain_transfer(found).title for found in transfers().order_by("pk")]
    assert titles == ["1 year with us", "2 years with us"]


def test_the_first_purchase_is_celebrated(db):
    program = club(day="first_purchase")
    member(program)
    member(program, number="c2")
    record(order("A", "10", at=day(2), status="cancelled"), order("B", "10", at=day(5)))
    give_occasions(day(367))
    give_occasions(day(370))
    assert moves() == [("accrual", 10), ("accrual", 100)]
    assert moves("c2") == []
    title = explain_transfer(transfers().latest("pk")).title
    assert title == "1 year since the first purchase"


# --- Conditions, caps, people ---------------------------------------------------------------------


def test_a_condition_is_asked_once_for_each_day(db):
    asked = {"field": "customer.tags", "op": "has_any", "value": ["vip"]}
    program = club(when=asked)
    member(program, "1990-04-01")
    member(program, "1990-04-01", "c2")
    Customer.objects.filter(external_id="c2").update(tags=["vip"])
    give_occasions(day(17))
    Customer.objects.update(tags=["vip"])
    give_occasions(day(18))
    assert (moves("c1"), moves("c2")) == ([], [("accrual", 100)])
    assert sorted(OccasionGrant.objects.values_list("units", flat=True)) == [0, 100]


def test_a_condition_cannot_ask_about_orders(db):
    with pytest.raises((DomainError, ValueError), match=r"order\.total"):
        club(when={"field": "order.total", "op": "at_least", "value": 1})


def test_a_budget_ends(db):
    program = club(caps={"budget": 250})
    for number in range(4):
        member(program, "1990-04-01", f"c{number}")
    assert give_occasions(day(17)) == 3
    assert sum(spendable(f"c{number}", day(17)) for number in range(4)) == 250
    assert sum(CapCounter.objects.values_list("used", flat=True)) == 250


def test_only_active_members_of_live_programs(db):
    program = club()
    member(program, "1990-04-01")
    Membership.objects.update(status="suspended")
    assert give_occasions(day(17)) == 0
    Membership.objects.update(status="active")
    program.status = "archived"
    program.save()
    make_program("other", earning_rules=[])  # another fingerprint
    assert give_occasions(day(17)) == 0


def test_nobody_is_enrolled_elsewhere_by_a_birthday(db):
    member(club(), "1990-04-01")
    make_program("other", earning_rules=[{}])
    give_occasions(day(17))
    assert Membership.objects.count() == 1


def test_members_read_what_for(db):
    member(club(), "1990-04-01")
    give_occasions(day(17))
    explained = explain_transfer(transfers().get())
    assert explained.title == "Happy birthday"
    assert explained.steps == ("For the day: 100\N{NO-BREAK SPACE}points.",)


# --- The job --------------------------------------------------------------------------------------


def test_the_job_leaves_nothing_behind_when_nobody_is_due(db):
    member(club(), "1990-04-01")
    assert find_occasions(day(16)) is None
    assert run_scheduled(kind=KIND, now=day(16)) is None
    job = run_scheduled(kind=KIND, now=day(17))
    assert job is not None
    assert (job.state, occasion_words(job)) == ("succeeded", "1 member was given something.")
    assert run_scheduled(kind=KIND, now=day(17.5)) is None


def test_an_interrupted_job_goes_on_and_gives_to_everybody_once(db, monkeypatch):
    program = club()
    for number in range(9):
        member(program, "1990-04-01", f"c{number}")
    monkeypatch.setattr(occasions, "PIECE", 2)
    job = start_work(kind=KIND, actor=SYSTEM, now=day(17))
    assert job is not None
    real, calls = occasions.post, []

    def post_thrice(*args: Any, **how: Any):
        calls.append(1)
        if len(calls) == 3:
            raise SystemExit
        return real(*args, **how)

    monkeypatch.setattr(occasions, "post", post_thrice)
    with pytest.raises(SystemExit):
        run_occasions(job.pk)
    given = Transfer.objects.count()
    assert 0 < given < 9
    monkeypatch.setattr(occasions, "post", real)
    run_occasions(job.pk)
    assert [spendable(f"c{number}", day(17)) for number in range(9)] == [100] * 9


# --- Who took no part -----------------------------------------------------------------------------


def away(wallet, begins: int, ends: int | None) -> None:
    membership = Membership.objects.get(account=wallet.account_id)
    suspend_membership(membership=membership, reason="-", actor=SYSTEM, now=day(begins))
    if ends is not None:
        membership.refresh_from_db()
        resume_membership(membership=membership, reason="-", actor=SYSTEM, now=day(ends))


@pytest.mark.parametrize(
    ("begins", "ends", "given"),
    [(2, 8, 0), (2, None, 0), (4, 8, 0), (5, 8, 100), (1, 4, 100), (2, 5, 0)],
)
def test_a_birthday_while_suspended_gives_nothing_also_when_it_is_looked_for_later(
    begins, ends, given
):
    # The 20th begins half a day before day(5), which is noon.
    away(member(club(), "1990-03-20"), begins, ends)
    give_occasions(day(9))
    assert spendable(at=day(9)) == given


def test_the_next_birthday_counts_again():
    away(member(club(), "1990-03-20"), 2, 8)
    give_occasions(day(9))
    give_occasions(dt.datetime(2025, 3, 20, 9, tzinfo=dt.UTC))
    assert days_given() == ["2025-03-20"]


def test_who_had_left_on_their_birthday_and_came_back_gets_nothing_for_it():
    program = club()
    wallet = member(program, "1990-03-20")
    membership = Membership.objects.get(account=wallet.account_id)
    leave_program(membership=membership, actor=SYSTEM, now=day(2))
    join_program(
        customer=membership.customer, program=program, source="account", at=day(7), actor=SYSTEM
    )
    give_occasions(day(9))
    assert moves() == []
