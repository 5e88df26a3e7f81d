"""Who is looked at, when, and what comes of it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from loyalty.models import (
    AdjustmentReason,
    Membership,
    Order,
    Program,
    RiskCase,
    RiskPolicy,
    RiskScore,
)
from loyalty.selectors import risk_facts
from loyalty.selectors.risk import policy_of
from loyalty.services import risk_scores
from loyalty.services.adjustments import post_adjustment
from loyalty.services.risk_cases import hold_case, release_case
from loyalty.services.risk_policies import write_policy
from loyalty.services.risk_scores import find_risks, risk_job_words, score_rows
from members.errors import ConflictError, DomainError
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
from tests.sharing import of_each_test

pytestmark = pytest.mark.usefixtures("coherent_ledger")


_made_once, club = of_each_test(bonus_club)


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
    """All came with a file, and are looked for by one question; nobody is opened a case."""

    def queries(members: list[Membership]) -> int:
        rows = list(RiskScore.objects.filter(membership__in=members))
        with CaptureQueriesContext(
            connection,
        ) as seen:
            score_rows(rows, now=timezone.now())
        assert all(row.looked_at is not None for row in rows)
        return len([q for q in seen if not q["sql"].startswith("UPDATE")])

    members = [join(club, f"m{n}", source=Membership.Source.IMPORT) for n in range(9)]
    follow()
    assert queries(members[:1]) == queries(members)


def test_who_has_points_is_looked_at_at_once_when_something_moves(club: Program) -> None:
    member, _other = join_twice(club)
    run_job()
    before = RiskScore.objects.get(membership=member)
    assert before.points
    assert before.due_at is not None
    redeem("f1", 10)
    run_job()
    after = RiskScore.objects.get(membership=member)
    assert after.scored_at is not None
    assert before.scored_at is not None
    assert after.scored_at > before.scored_at


def test_a_batch_of_adjustments_is_nothing_that_was_given_by_hand(club: Program) -> None:
    member = join(club, "a")
    follow()
    staff = Actor.of_user(StaffMemberFactory(role="administrator").user)
    reason = AdjustmentReason.objects.get(code="goodwill")
    for number in range(5):
        post_adjustment(
            wallet=wallet_of(member.account_id), units=10, reason=reason, note="All", actor=staff,
            key=f"b{number}", source="backoffice", now=timezone.now(), explanation={"bulk": 1},
        )  # fmt: skip
    assert look(member).points == 0


def test_no_more_facts_of_one_member_are_read_than_anybody_needs(
    club: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(risk_facts, "MOST_FACTS", 3)
    member = join(club, "a")
    now = timezone.now()
    record(*[order(f"A{n}", "10", buyer="a", at=now - n * DAY) for n in range(5)])
    seen = risk_facts.Look([member], now - 90 * DAY, now, dt.timedelta(seconds=10), {})
    newest = Order.objects.filter(external_id__in=["A0", "A1", "A2"])
    facts = risk_facts.facts_of(seen)[member.pk]
    assert {fact.id for fact in facts.orders} == set(newest.values_list("pk", flat=True))


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
    assert (entry.before["risk_bonus_farming"], entry.after["risk_bonus_farming"]) == (
        "45 · 2",
        "0 · 2",
    )
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


def test_what_was_released_stays_so_after_a_merge(club: Program) -> None:
    first, second = join_twice(club)
    join(
        club, "f3", given_name="Fay", family_name="Farmerf", email="fay.f@three.example",
        birthday=first.customer.birthday,
    )  # fmt: skip
    follow()
    run_job()
    for case in RiskCase.objects.all():
        release_case(case=case, note="Family", actor=SYSTEM, now=timezone.now())
    run_job()
    merge_customers(
        kept=first.customer, merged=second.customer, actor=SYSTEM, source="backoffice",
        now=timezone.now(),
    )  # fmt: skip
    follow()
    run_job()
    assert not RiskCase.objects.filter(state__in=RiskCase.WAITING).exists()


@pytest.mark.parametrize("order_of_looking", [(0, 1), (1, 0), (0,)])
def test_what_was_released_of_who_went_counts_for_who_stays_whoever_is_looked_at_first(
    club: Program, order_of_looking: tuple[int, ...]
) -> None:
    members = join_twice(club)
    follow()
    run_job()
    RiskScore.objects.filter(membership=members[1]).update(cleared=["order:1", "order:2"])
    merge_customers(
        kept=members[0].customer, merged=members[1].customer, actor=SYSTEM, source="backoffice",
        now=timezone.now(),
    )  # fmt: skip
    rows = [RiskScore.objects.get(membership=members[n]) for n in order_of_looking]
    score_rows(rows, now=timezone.now())
    assert RiskScore.objects.get(membership=members[0]).cleared == ["order:1", "order:2"]


def test_who_is_held_is_not_merged_before_it_is_decided(club: Program) -> None:
    first, second = join_twice(club)
    run_job()
    case = RiskCase.objects.get(membership=second)
    hold_case(case=case, note="Two accounts", actor=SYSTEM, now=timezone.now())
    for kept, merged in ((first, second), (second, first)):
        with pytest.raises(ConflictError) as refused, transaction.atomic():
            merge_customers(
                kept=kept.customer, merged=merged.customer, actor=SYSTEM, source="backoffice",
                now=timezone.now(),
            )  # fmt: skip
        assert refused.value.code == "held"
    release_case(case=case, note="Twins", actor=SYSTEM, now=timezone.now())
    merge_customers(
        kept=first.customer, merged=second.customer, actor=SYSTEM, source="backoffice",
        now=timezone.now(),
    )  # fmt: skip


def test_who_looks_like_nobody_any_more_is_struck_out_with_the_others(club: Program) -> None:
    first, second = join_twice(club)
    run_job()
    update_customer(
        customer=second.customer, actor=SYSTEM,
        changes={
            "given_name": "Bo", "family_name": "Berg", "email": "bo@two.example",
            "birthday": dt.date(1970, 5, 6),
        },
    )  # fmt: skip
    follow()
    run_job()
    run_job()
    for member in (first, second):
        score = RiskScore.objects.get(membership=member)
        assert (score.points, score.lookalikes) == (0, [])


def test_who_was_erased_looks_like_nobody_any_more(club: Program) -> None:
    first, second = join_twice(club)
    run_job()
    erase_customer_details(customer=second.customer, actor=SYSTEM)
    assert RiskScore.objects.get(membership=first).lookalikes == []
    run_job()
    assert RiskScore.objects.get(membership=first).points == 0


def test_members_of_a_program_are_marked_piece_by_piece(
    club: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(risk_scores, "ANEW_AT_ONCE", 2)
    for number in range(5):
        join(club, f"m{number}")
    follow()
    run_job()
    assert not RiskScore.objects.exclude(due_at=None).exists()
    write_policy(program=club, values={"days": 5}, actor=SYSTEM, now=timezone.now())
    follow()
    assert RiskScore.objects.exclude(due_at=None).count() == 5


def test_a_policy_that_names_what_is_gone_is_read_without_it(club: Program) -> None:
    gone = {"weight": 10, "limits": {"least": 2}}
    kept = {"weight": 7, "limits": {"least": 3, "most": 9}}
    RiskPolicy.objects.create(
        program=club, number=1, written_at=timezone.now(),
        definition={"review": 35, "signals": {"gone": gone, "duplicates": kept}},
    )  # fmt: skip
    policy = policy_of(club)
    assert (policy.review, policy.weights["duplicates"]) == (35, 7)
    assert policy.limits["duplicates"] == {"least": 3}
    with pytest.raises(DomainError):
        write_policy(
            program=club, values={"signals": {"gone": gone}}, actor=SYSTEM, now=timezone.now()
        )


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
