"""Who is looked at, when, and what comes of it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from loyalty.models import Membership, Program, RiskCase, RiskScore
from loyalty.services.risk_policies import write_policy
from loyalty.services.risk_scores import find_risks, risk_job_words, score_rows
from members.models import AuditEntry
from members.services.audit import SYSTEM, Actor
from members.services.customers import erase_customer_details, update_customer
from members.services.job_runs import run_scheduled
from members.services.merging import merge_customers, undo_merge
from tests.factories import CustomerFactory, StaffMemberFactory
from tests.loyalty.factories import (
    adjust,
    give_back,
    make_program,
    order,
    record,
    refund,
    wallet_of,
)
from tests.loyalty.risks import (
    DAY,
    FARMED,
    bonus_club,
    follow,
    join,
    join_twice,
    look,
    open_case,
    redeem,
)

pytestmark = pytest.mark.usefixtures("coherent_ledger")


@pytest.fixture
def club(db: None) -> Program:
    return bonus_club()


def keys(score: RiskScore) -> set[str]:
    return {item["key"] for item in score.signals}


def run_job() -> str:
    job = run_scheduled(kind="risk_scores", now=timezone.now())
    return risk_job_words(job) if job else ""


def test_who_joined_twice_for_the_bonus_is_found_by_the_job_and_a_case_opened(
    club: Program,
) -> None:
    first, second = join_twice(club)
    assert run_job() == "2 members were looked at, 2 cases were opened."
    for member in (first, second):
        score = RiskScore.objects.get(membership=member)
        assert (score.points, keys(score)) == (FARMED, {"duplicates", "bonus_farming"})
        case = RiskCase.objects.get(membership=member)
        assert (case.state, case.points) == ("open", FARMED)
    assert AuditEntry.objects.filter(action="risk.opened").count() == 2
    assert run_job() == ""


def test_a_namesake_alone_is_not_the_same_person(club: Program) -> None:
    name = {"given_name": "Mei", "family_name": "Tan", "birthday": None, "phone": ""}
    join(club, "a", email="mei@one.example", **name)
    other = join(club, "b", email="tan@two.example", **name)
    follow()
    assert look(other).points == 0
    assert not RiskCase.objects.exists()


def test_only_those_about_whom_something_changed_are_looked_at(club: Program) -> None:
    quiet, busy = join(club, "a"), join(club, "b")
    follow()
    run_job()
    before = RiskScore.objects.get(membership=quiet).scored_at
    record(order("A1", "10", buyer="b", at=timezone.now()))
    follow()
    assert run_job() == "1 member was looked at, 0 cases were opened."
    assert RiskScore.objects.get(membership=quiet).scored_at == before
    assert RiskScore.objects.get(membership=busy).scored_at > before


def test_what_is_given_by_hand_and_redeemed_is_noticed_without_an_event(club: Program) -> None:
    member = join(club, "a")
    follow()
    run_job()
    staff = StaffMemberFactory(role="administrator").user
    for number in range(5):
        adjust(
            wallet_of(member.account_id),
            10,
            key=f"k{number}",
            actor=Actor.of_user(staff),
            now=timezone.now(),
        )
    assert run_job() == "1 member was looked at, 0 cases were opened."
    assert keys(RiskScore.objects.get(membership=member)) == {"adjustments"}


def test_returns_far_above_what_is_usual_are_found_and_those_after_spending(db: None) -> None:
    club = make_program(at=timezone.now() - 60 * DAY)
    join(club, "quiet")
    join(club, "loud")
    now = timezone.now()
    record(*[order(f"Q{n}", "10", buyer="quiet", at=now - n * DAY) for n in range(1, 41)])
    record(*[order(f"L{n}", "10", buyer="loud", at=now - n * DAY) for n in range(1, 6)])
    loud = Membership.objects.get(customer__external_id="loud")
    redeem("loud", 50)
    later = timezone.now()
    give_back(*[refund(f"R{n}", "10", of=f"L{n}", at=later) for n in range(1, 5)])
    follow()
    found = look(loud)
    assert keys(found) >= {"returns", "returns_after_spending"}
    told = next(item["told"] for item in found.signals if item["key"] == "returns")
    assert (told["n"], told["orders"], told["percent"]) == (4, 5, 80)
    assert look(Membership.objects.get(customer__external_id="quiet")).points == 0


def test_many_are_looked_at_with_as_many_queries_as_few(club: Program) -> None:
    def queries(members: list[Membership]) -> int:
        rows = list(RiskScore.objects.filter(membership__in=members))
        for row in rows:
            row.looked_at = timezone.now() + DAY
        with CaptureQueriesContext(
            connection,
        ) as seen:
            score_rows(rows, now=timezone.now())
        return len([q for q in seen if not q["sql"].startswith("UPDATE")])

    members = [join(club, f"m{n}") for n in range(9)]
    follow()
    assert queries(members[:1]) == queries(members)


def test_other_limits_hold_at_once_for_everybody_who_was_looked_at(club: Program) -> None:
    join_twice(club)
    run_job()
    assert RiskCase.objects.count() == 2
    RiskCase.objects.all().delete()
    values = {"signals": {"bonus_farming": {"weight": 0}}}
    write_policy(program=club, values=values, actor=SYSTEM, now=timezone.now())
    follow()
    run_job()
    assert set(RiskScore.objects.values_list("points", flat=True)) == {20}
    assert not RiskCase.objects.exists()
    entry = AuditEntry.objects.get(action="risk.policy_written")
    assert (entry.before["bonus_farming"], entry.after["bonus_farming"]) == ("45 · 2", "0 · 2")
    # The same again is no other version.
    write_policy(program=club, values=values, actor=SYSTEM, now=timezone.now())
    assert club.risk_policies.count() == 1


def test_nobody_is_held_by_itself_unless_the_program_says_so(club: Program) -> None:
    case = open_case(club)
    case.membership.refresh_from_db()
    assert (case.state, case.membership.status) == ("open", "active")
    values = {"hold": True, "hold_from": 60}
    write_policy(program=club, values=values, actor=SYSTEM, now=timezone.now())
    look(case.membership)
    case.refresh_from_db()
    case.membership.refresh_from_db()
    assert (case.state, case.membership.status) == ("held", "suspended")
    assert case.note == "Held by itself, as 60 points speak against it."


def test_what_lies_too_far_back_counts_no_more_a_day_later(club: Program) -> None:
    member = join(club, "a")
    start = timezone.now() - 10 * DAY
    minutes = [dt.timedelta(minutes=n) for n in range(5)]
    record(*[order(f"A{n}", "10", buyer="a", at=start + m) for n, m in enumerate(minutes)])
    follow()
    score = look(member)
    assert keys(score) == {"velocity"}
    assert score.due_at is not None
    write_policy(program=club, values={"days": 5}, actor=SYSTEM, now=timezone.now())
    assert look(member).points == 0
    assert find_risks(timezone.now()) is None


def test_who_is_erased_leaves_nothing_and_is_looked_at_no_more(club: Program) -> None:
    case = open_case(club)
    customer = case.membership.customer
    erase_customer_details(customer=customer, actor=SYSTEM)
    follow()
    run_job()
    assert not RiskCase.objects.filter(membership__customer=customer).exists()
    assert not RiskScore.objects.filter(membership__customer=customer).exists()


def test_a_merge_closes_the_case_of_who_goes_and_frees_who_stays(club: Program) -> None:
    first, second = join_twice(club)
    run_job()
    done, _again = merge_customers(
        kept=first.customer, merged=second.customer, actor=SYSTEM, source="backoffice",
        now=timezone.now(),
    )  # fmt: skip
    follow()
    run_job()
    assert RiskCase.objects.get(membership=second).state == "merged"
    assert RiskScore.objects.get(membership=first).points == 0
    assert not RiskScore.objects.filter(membership=second).exists()
    undo_merge(merge=done, actor=SYSTEM, source="backoffice", now=timezone.now())
    follow()
    run_job()
    assert RiskScore.objects.get(membership=second).points == FARMED


def test_who_changes_their_details_is_looked_for_again(club: Program) -> None:
    join(club, "a", given_name="Ana", family_name="Lima", email="ana.lima@one.example")
    other = join(club, "b", given_name="Bo", family_name="Berg", email="bo@two.example")
    follow()
    run_job()
    assert RiskScore.objects.get(membership=other).points == 0
    update_customer(
        customer=other.customer, actor=SYSTEM,
        changes={"given_name": "Ana", "family_name": "Lima", "email": "ana.lima@two.example"},
    )  # fmt: skip
    follow()
    run_job()
    # Who was there before is looked at with the next run.
    run_job()
    assert set(RiskScore.objects.values_list("points", flat=True)) == {FARMED}


def test_somebody_without_a_past_is_not_suspicious(club: Program) -> None:
    member = join(club, "a")
    assert (look(member).points, look(member).signals) == (0, [])
    assert CustomerFactory().pk
