"""Reviews of programs: when they are made, what stays, and what becomes of findings."""

import datetime as dt
from collections.abc import Callable
from typing import NamedTuple

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from loyalty.models import (
    CohortMonth,
    GoalPoint,
    InsightPoint,
    MemberTier,
    Program,
    ProgramReview,
    ReviewFinding,
)
from loyalty.quarters import Quarter, quarter_of
from loyalty.review_sentences import finding_words
from loyalty.selectors.program_reviews import program_reviews, quarters_to_review, unread_reviews
from loyalty.services import program_reviews as program_reviews_service
from loyalty.services.goals import Wanted, close_goal, set_goal
from loyalty.services.insight_points import rebuild_points
from loyalty.services.program_reviews import (
    KIND,
    decide_finding,
    find_reviews,
    is_due,
    make_review,
    note_reading,
    open_review_job,
    review_words,
    run_reviews,
    start_review,
)
from members.errors import DomainError, NotFoundError
from members.models import AuditEntry, Customer, Job
from members.prepared import insert_row
from members.services.audit import SYSTEM, Actor
from members.services.jobs import start_or_resume_job
from tests.factories import StaffMemberFactory
from tests.loyalty.factories import make_program, make_wallet, order, record
from tests.sharing import of_each_test

FIRST = Quarter(dt.date(2024, 1, 1))
SECOND = Quarter(dt.date(2024, 4, 1))


def at(month: int, day: int, hour: int = 12) -> dt.datetime:
    return dt.datetime(2024, month, day, hour, tzinfo=dt.UTC)


class World(NamedTuple):
    shop: Program
    # What is measured of its first quarter once that is over; nothing of it is kept yet.
    points: list[InsightPoint]


def make_world() -> World:
    program = make_program(
        unit={"unit_value": "0.01"}, at=at(1, 10), enrollment="explicit",
        earning_rules=[{}, {"code": "tea", "name": "Tea", "units": 2,
                            "include": {"categories": ["tea"]}}],
    )  # fmt: skip
    make_wallet(program, "c1", at=at(1, 15))
    Customer.objects.get_or_create(external_id="c1")
    record(order("A1", "100", at=at(1, 20), buyer="c1"))
    record(order("A2", "100", at=at(2, 20), buyer="c1"))
    rebuild_points([program], at(4, 1))
    points = list(InsightPoint.objects.all())
    InsightPoint.objects.all().delete()
    CohortMonth.objects.all().delete()
    return World(program, points)


_made_once, world = of_each_test(make_world)


@pytest.fixture
def shop(world: World) -> Program:
    return world.shop


@pytest.fixture
def measured(world: World) -> Callable[[], None]:
    """`measured()`: its first quarter is."""
    return lambda: list(map(insert_row, world.points))


def review(program, quarter=FIRST, now=None):
    return make_review(program=program, quarter=quarter, actor=SYSTEM, now=now or at(4, 1))


def by_key(found: ProgramReview) -> dict[str, ReviewFinding]:
    return {item.key: item for item in found.findings.all()}


def test_a_review_says_what_works_what_is_unused_and_that_there_is_no_goal(shop, measured):
    measured()
    made, is_new = review(shop)
    assert is_new
    assert made.is_over
    assert made.day == dt.date(2024, 3, 31)
    found = by_key(made)
    assert found["goal:none"].part == "goals"
    figure = found["figure:enrollment_share"]
    assert (figure.part, figure.facts["value"]) == ("works", "100")
    assert [item.position for item in made.findings.all()] == list(range(len(found)))


def test_what_a_rule_of_the_program_brought_nobody_is_found(shop):
    made, _new = review(shop)
    found = by_key(made)
    unused = [key for key in found if key.startswith("unused:rule:")]
    assert unused == ["unused:rule:tea"]
    words = finding_words(found["unused:rule:tea"], shop)
    assert words.title == "The rule “Tea” brought nobody anything in 77 days."
    assert words.number == "0 uses in 77 days"
    assert words.url.startswith("/backoffice/rules/")


def test_the_review_of_a_quarter_that_is_over_is_made_once_and_stays(shop, measured):
    measured()
    made, _new = review(shop)
    before = list(made.findings.order_by("position").values("key", "facts", "position"))
    record(order("A3", "900", at=at(3, 20), buyer="c1"))
    rebuild_points([shop], at(4, 2))
    again, is_new = review(shop, now=at(4, 2))
    assert (again.pk, is_new) == (made.pk, False)
    assert list(made.findings.order_by("position").values("key", "facts", "position")) == before
    assert ProgramReview.objects.count() == 1
    for change in (
        lambda: ProgramReview.objects.filter(pk=made.pk).update(day=dt.date(2024, 3, 1)),
        made.delete,
        lambda: made.findings.update(facts={}),
        lambda: made.findings.all().delete(),
        lambda: made.findings.create(key="x", rule="x", part="works", tone="good", position=0),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_a_quarter_that_runs_is_reviewed_anew_and_keeps_what_was_said_of_its_findings(shop):
    made, _new = review(shop, now=at(3, 10))
    assert not made.is_over
    assert made.day == dt.date(2024, 3, 9)
    tea = by_key(made)["unused:rule:tea"]
    decide_finding(finding=tea, state="done", note="Told", actor=SYSTEM, now=at(3, 10))
    again, is_new = review(shop, now=at(3, 20))
    assert is_new
    assert again.pk == made.pk
    kept = by_key(again)["unused:rule:tea"]
    assert (kept.state, kept.note, kept.facts["days"]) == ("done", "Told", "65")
    over, _new = review(shop, now=at(4, 1))
    assert over.is_over
    assert by_key(over)["unused:rule:tea"].state == "done"
    # What somebody makes of it may still change.
    decide_finding(
        finding=by_key(over)["unused:rule:tea"], state="open", note="", actor=SYSTEM, now=at(4, 2)
    )


def test_a_finding_that_no_longer_holds_goes_from_a_quarter_that_runs(shop):
    made, _new = review(shop, now=at(3, 10))
    assert "goal:none" in by_key(made)
    wanted = Wanted("members", 10, dt.date(2024, 12, 31), dt.date(2024, 3, 11))
    set_goal(program=shop, wanted=wanted, actor=SYSTEM, now=at(3, 11))
    review(shop, now=at(3, 20))
    found = by_key(made)
    assert "goal:none" not in found
    (goal,) = [item for item in found.values() if item.rule == "goal"]
    assert goal.facts["target"] == "10"


def test_nothing_is_held_while_a_review_is_worked_out(shop):
    with CaptureQueriesContext(connection) as sent:
        made, _new = review(shop)
    said = [query["sql"] for query in sent]
    (lock,) = [n for n, sql in enumerate(said) if "loyalty_program" in sql and " FOR " in sql]
    # Members join meanwhile: their rows name the program.
    assert said[lock].endswith("FOR NO KEY UPDATE")
    looked = [n for n, sql in enumerate(said) if 'FROM "loyalty_insightpoint"' in sql]
    assert max(looked) < lock
    assert by_key(made)


def test_what_is_decided_while_a_review_is_made_anew_stays(shop):
    made, _new = review(shop, now=at(3, 10))
    tea = by_key(made)["unused:rule:tea"]
    decided = []

    def decides(execute, sql, params, many, context):
        """As soon as it has read what there is."""
        found = execute(sql, params, many, context)
        if sql.startswith("SELECT") and 'FROM "loyalty_reviewfinding"' in sql and not decided:
            decided.append(tea)
            decide_finding(finding=tea, state="done", note="Told", actor=SYSTEM, now=at(3, 11))
        return found

    with connection.execute_wrapper(decides):
        review(shop, now=at(3, 20))
    tea.refresh_from_db()
    assert (tea.state, tea.note, tea.facts["days"]) == ("done", "Told", "65")


def test_a_finding_that_is_gone_cannot_be_decided_on(shop):
    made, _new = review(shop, now=at(3, 10))
    none = by_key(made)["goal:none"]
    wanted = Wanted("members", 10, dt.date(2024, 12, 31), dt.date(2024, 3, 11))
    set_goal(program=shop, wanted=wanted, actor=SYSTEM, now=at(3, 11))
    review(shop, now=at(3, 20))
    with pytest.raises(NotFoundError):
        decide_finding(finding=none, state="done", note="", actor=SYSTEM, now=at(3, 20))


def test_goals_are_told_as_they_were_at_the_end_of_the_quarter(shop):
    wanted = Wanted("members", 10, dt.date(2024, 6, 30), dt.date(2024, 3, 1))
    goal, _new = set_goal(program=shop, wanted=wanted, actor=SYSTEM, now=at(3, 1))
    for month, number, value in ((3, 30, 4), (4, 10, 10)):
        GoalPoint.objects.create(goal=goal, day=dt.date(2024, month, number), value=value)
    for number in range(2, 11):
        make_wallet(shop, f"c{number}", at=at(4, 5))
    close_goal(goal=goal, state="reached", actor=SYSTEM, now=at(4, 11))
    made, _new = review(shop, now=at(5, 1))
    told = by_key(made)[f"goal:{goal.public_id}"]
    assert (told.facts["state"], told.facts["value"]) == ("on_track", "4")
    later, _new = review(shop, SECOND, now=at(7, 1))
    told = by_key(later)[f"goal:{goal.public_id}"]
    assert (told.facts["state"], told.facts["value"]) == ("reached", "10")


def test_a_goal_whose_last_day_ended_the_quarter_without_it_is_overdue(shop):
    wanted = Wanted("members", 10, dt.date(2024, 3, 31), dt.date(2024, 3, 1))
    goal, _new = set_goal(program=shop, wanted=wanted, actor=SYSTEM, now=at(3, 1))
    made, _new = review(shop)
    assert by_key(made)[f"goal:{goal.public_id}"].facts["state"] == "overdue"


@pytest.mark.django_db
def test_a_tier_is_told_by_who_was_at_it_at_the_end_of_the_quarter():
    benefits = [{"kind": "multiplier", "factor": 2}]
    steps = [
        {"code": "base", "name": "Member"},
        {"code": "gold", "name": "Gold", "threshold": 500, "benefits": benefits},
        {"code": "top", "name": "Top", "threshold": 900, "benefits": benefits},
    ]
    club = make_program("tiered", tiers={"tiers": steps, "window": "lifetime"}, at=at(1, 10))
    make_wallet(club, "t1", at=at(1, 15))
    rebuild_points([club], at(4, 1))
    record(order("T1", "600", at=at(4, 20), buyer="t1"))
    rebuild_points([club], at(7, 1))
    assert MemberTier.objects.get().tier.code == "gold"

    def unused(quarter, now):
        made, _new = review(club, quarter, now=now)
        return {key for key in by_key(made) if key.startswith("unused:tier:")}

    assert unused(FIRST, at(7, 1)) == {"unused:tier:gold", "unused:tier:top"}
    assert unused(SECOND, at(7, 1)) == {"unused:tier:top"}


def test_dismissing_says_why_and_every_decision_is_audited(shop):
    made, _new = review(shop)
    finding = by_key(made)["unused:rule:tea"]
    with pytest.raises(DomainError):
        decide_finding(finding=finding, state="dismissed", note=" ", actor=SYSTEM, now=at(4, 2))
    for _time in range(2):
        decide_finding(
            finding=finding, state="dismissed", note="In winter", actor=SYSTEM, now=at(4, 2)
        )
    entry = AuditEntry.objects.get(action="review_finding.decided")
    assert entry.after["state"] == "Dismissed"
    assert entry.reason == "In winter"
    assert entry.program == shop.pk
    assert AuditEntry.objects.filter(action="program_review.made").count() == 1


def test_only_the_last_quarters_since_the_first_member_joined_can_be_reviewed(shop):
    assert quarters_to_review(shop, at(5, 1)) == [SECOND, FIRST]
    assert len(quarters_to_review(shop, at(5, 1).replace(year=2027))) == 5
    for wrong in (FIRST.before, SECOND):
        with pytest.raises(DomainError):
            review(shop, wrong, now=at(3, 10))
        with pytest.raises(DomainError):
            start_review(program=shop, quarter=wrong, actor=SYSTEM, now=at(3, 10))


def test_a_review_is_due_once_the_quarter_is_over_where_the_program_is(shop):
    shop.time_zone = "America/Los_Angeles"
    shop.save()
    rebuild_points([shop], at(4, 1))
    # Midnight is seven hours later there.
    assert not is_due(shop, at(4, 1, 6))
    assert find_reviews(at(4, 1, 6)) is None
    rebuild_points([shop], at(4, 1, 8))
    assert is_due(shop, at(4, 1, 8))


def test_it_waits_for_the_figures_of_the_last_day_but_not_for_ever(shop, measured):
    assert not is_due(shop, at(4, 2))
    assert is_due(shop, at(4, 5))
    measured()
    assert is_due(shop, at(4, 2))


def test_it_waits_for_each_figure_also_one_that_is_to_be_measured_anew(shop, measured):
    measured()
    InsightPoint.objects.filter(metric="loyalty_index").delete()
    assert not is_due(shop, at(4, 2))
    assert is_due(shop, at(4, 5))


@pytest.mark.django_db
def test_it_waits_for_the_tiers_of_a_program_that_has_some():
    steps = [{"code": "base", "name": "Member"}, {"code": "gold", "name": "Gold", "threshold": 500}]
    club = make_program("tiered", tiers={"tiers": steps, "window": "lifetime"}, at=at(1, 10))
    make_wallet(club, "t1", at=at(1, 15))
    rebuild_points([club], at(4, 1))
    assert is_due(club, at(4, 2))
    InsightPoint.objects.filter(metric="tier_share").delete()
    assert not is_due(club, at(4, 2))


def test_the_job_of_the_morning_reviews_each_program_once(shop, measured):
    measured()
    work = find_reviews(at(4, 1))
    assert work is not None
    assert work.params == {"reviews": [(shop.pk, "2024-q1")]}
    review(shop)
    assert find_reviews(at(4, 1)) is None


def test_a_job_makes_what_somebody_asked_for_and_a_repeat_changes_nothing(shop, monkeypatch):
    monkeypatch.setattr("loyalty.services.program_reviews.timezone.now", lambda: at(4, 1))
    user = StaffMemberFactory().user
    job = start_review(program=shop, quarter=FIRST, actor=Actor.of_user(user), now=at(4, 1))
    assert open_review_job(shop) == job
    run_reviews(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.SUCCEEDED
    assert review_words(job) == "1 program was reviewed."
    assert ProgramReview.objects.get().made_by == user
    assert open_review_job(shop) is None


def test_a_program_that_cannot_be_reviewed_holds_up_no_other(shop, monkeypatch):
    other = make_program("other", at=at(1, 10), enrollment="explicit")
    make_wallet(other, "c2", at=at(1, 15))
    looked = program_reviews_service.facts_of

    def fails(program, quarter, day, now):
        if program.pk == shop.pk:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
        return looked(program, quarter, day, now)

    monkeypatch.setattr(program_reviews_service, "facts_of", fails)
    monkeypatch.setattr(program_reviews_service.timezone, "now", lambda: at(4, 5))
    work = find_reviews(at(4, 5))
    assert work is not None
    job = start_or_resume_job(
        kind=KIND, label="Reviews", fingerprint="", params=work.params, actor=SYSTEM, total=2
    )
    run_reviews(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result) == (Job.State.SUCCEEDED, {"made": 1, "failed": 1})
    assert review_words(job) == "1 program was reviewed. 1 could not be: the log says why."
    assert ProgramReview.objects.get().program == other
    assert job.log_lines.filter(text__startswith="Club cannot be reviewed").count() == 1


def test_whoever_has_opened_the_newest_review_is_not_reminded_until_it_is_made_anew(shop):
    user, other = StaffMemberFactory().user, StaffMemberFactory().user
    old, _new = review(shop, now=at(4, 1))
    running, _new = review(shop, SECOND, now=at(5, 1))
    assert list(unread_reviews(user)) == [running]
    note_reading(review=running, user=user)
    note_reading(review=running, user=user)
    assert list(unread_reviews(user)) == []
    assert list(unread_reviews(other)) == [running]
    again, _new = review(shop, SECOND, now=at(5, 20))
    assert list(unread_reviews(user)) == [again]
    assert [item.pk for item in program_reviews(shop)] == [running.pk, old.pk]


def test_a_program_that_has_nothing_is_reviewed_all_the_same(db):
    empty = make_program("empty", at=at(1, 10), enrollment="explicit")
    made, _new = make_review(
        program=empty, quarter=quarter_of(dt.date(2024, 4, 1)), actor=SYSTEM, now=at(5, 1)
    )
    assert set(by_key(made)) >= {"goal:none"}
