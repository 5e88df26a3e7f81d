"""Goals: set with what it is today, followed day by day, and closed by what the figure says."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from loyalty.models import Goal, GoalPoint
from loyalty.selectors.goals import followed, goals, progress_of
from loyalty.services.goal_points import KIND, find_points, measure_days, rebuild_points, run_points
from loyalty.services.goals import Wanted, change_goal, close_goal, progress_of_wanted, set_goal
from members.errors import ConflictError, DomainError
from members.models import AuditEntry, Job
from members.services.audit import SYSTEM
from members.services.job_runs import start_work
from members.services.jobs import start_or_resume_job
from tests.loyalty.factories import NOW, day, make_program, make_wallet
from tests.sharing import of_each_test

_made_once, program = of_each_test(make_program)


def want(target: str = "10", *, metric: str = "members", since: int = 0, by: int = 70, **more):
    return Wanted(metric, Decimal(target), day(by).date(), day(since).date(), **more)


def aim(program, *args, at: dt.datetime = NOW, **how) -> Goal:
    return set_goal(program=program, wanted=want(*args, **how), actor=SYSTEM, now=at)[0]


def join(program, people: int, at: dt.datetime = NOW, first: int = 1) -> None:
    for number in range(first, first + people):
        make_wallet(program, f"c{number}", at=at)


def seen(goal: Goal, at: dt.datetime):
    (found,) = followed(list(goals().filter(pk=goal.pk)), at)
    return found


def test_a_goal_begins_with_what_it_is_today(program):
    join(program, 3)
    goal = aim(program)
    assert (goal.baseline, goal.points.get().value, goal.state) == (3, 3, "open")
    assert AuditEntry.objects.get(action="goal.set").target_label == "Club"


def test_the_same_goal_again_is_one_and_another_for_its_figure_is_refused(program):
    goal = aim(program)
    assert set_goal(program=program, wanted=want(), actor=SYSTEM, now=NOW) == (goal, False)
    with pytest.raises(ConflictError) as refused:
        aim(program, "20")
    assert refused.value.code == "goal_exists"
    aim(program, "50", metric="active_share")


@pytest.mark.parametrize(
    ("state", "people", "at"),
    [
        ("on_track", 5, 35),
        ("behind", 4, 35),
        ("reached", 10, 20),
        ("overdue", 9, 71),
        ("reached", 10, 71),
    ],
)
def test_it_is_on_track_by_a_straight_line(program, state, people, at):
    goal = aim(program)
    join(program, people, at=day(1))
    # Ten in seventy days: five after thirty-five.
    assert seen(goal, day(at)).state == state


def test_it_says_what_each_week_that_is_left_has_to_bring(program):
    goal = aim(program)
    join(program, 4, at=day(1))
    found = seen(goal, day(28))
    assert (found.progress.days_left, found.progress.per_week) == (42, 1)
    assert found.sentence == (
        "On track: it is 4, and would be 4 on a straight line. 42 days are left: it takes 1 member"
        " more each week."
    )


def test_less_is_better_where_it_costs(program):
    join(program, 1)
    goal = Goal(
        program=program, metric="cost_share", target=2, baseline=6, starts_on=NOW.date(),
        due_on=day(40).date(),
    )  # fmt: skip
    states = [progress_of(goal, day(20).date(), Decimal(n)).state for n in ("4", "4.1", "2", "1")]
    assert states == ["on_track", "behind", "reached", "reached"]
    assert progress_of(goal, day(20).date(), Decimal(5)).share == Decimal("0.25")


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (want("-1"), "target"),
        (want("101", metric="active_share"), "target"),
        (want("0"), "target"),
        (want(by=0), "due_on"),
        (want(by=9999), "due_on"),
        (want(since=1), "starts_on"),
        (want(since=-500), "starts_on"),
        (want(metric="tier_share", tier_code="gold"), "tier_code"),
        (want(tier_code="gold"), "tier_code"),
    ],
)
def test_what_cannot_be_a_goal_is_refused_at_its_field(program, wanted, field):
    with pytest.raises(DomainError) as refused:
        progress_of_wanted(program, wanted, NOW)
    assert [error.field for error in refused.value.errors] == [field]


def test_what_is_wanted_changes_and_its_baseline_stays(program):
    join(program, 2)
    goal = aim(program)
    join(program, 3, at=day(5), first=3)
    change_goal(goal=goal, actor=SYSTEM, now=day(6), target=Decimal(30), due_on=day(90).date())
    goal.refresh_from_db()
    assert (goal.target, goal.baseline, goal.due_on) == (30, 2, day(90).date())
    change_goal(goal=goal, actor=SYSTEM, now=day(6), target=Decimal(30))
    assert AuditEntry.objects.filter(action="goal.changed").count() == 1


def test_it_is_closed_as_what_the_figure_says(program):
    goal = aim(program)
    with pytest.raises(DomainError, match="not reached"):
        close_goal(goal=goal, state="reached", actor=SYSTEM, now=day(9))
    with pytest.raises(DomainError, match="time left"):
        close_goal(goal=goal, state="missed", actor=SYSTEM, now=day(9))
    with pytest.raises(DomainError, match="Say why"):
        close_goal(goal=goal, state="given_up", actor=SYSTEM, now=day(9))
    join(program, 10, at=day(10))
    close_goal(goal=goal, state="reached", actor=SYSTEM, now=day(11), note="Early")
    assert close_goal(goal=goal, state="reached", actor=SYSTEM, now=day(12)).closed_at == day(11)
    with pytest.raises(ConflictError):
        change_goal(goal=goal, actor=SYSTEM, now=day(12), target=Decimal(99))
    assert seen(goal, day(30)).state == "reached"
    assert GoalPoint.objects.get(goal=goal, day=day(11).date()).value == 10


def test_what_had_its_time_is_missed(program):
    goal = aim(program)
    close_goal(goal=goal, state="missed", actor=SYSTEM, now=day(80))
    assert goal.points.order_by("-day").first().day == day(70).date()


def test_a_new_goal_may_follow_one_that_is_closed(program):
    close_goal(goal=aim(program), state="given_up", actor=SYSTEM, now=day(1), note="Too much")
    aim(program, "5", since=1, at=day(1))
    assert Goal.objects.count() == 2


def run_job(now: dt.datetime) -> None:
    work = find_points(now)
    assert work is not None
    job = start_or_resume_job(
        kind="goal_points", label=work.label, fingerprint=str(now), params=work.params,
        actor=SYSTEM, total=work.total,
    )  # fmt: skip
    run_points(job.pk)


def test_the_job_writes_a_point_for_each_day_that_is_over(program):
    goal = aim(program)
    join(program, 2, at=day(2))
    run_job(day(4))
    assert list(goal.points.values_list("value", flat=True)) == [0, 0, 2, 2]
    # Two who had joined on the first day are told of on the fifth.
    join(program, 2, at=day(1), first=7)
    run_job(day(5))
    assert list(goal.points.values_list("value", flat=True)) == [0, 2, 4, 4, 4]


def test_a_failed_run_that_is_started_again_begins_with_what_is_due_by_then(program):
    goal = aim(program)
    join(program, 2, at=day(2))
    job = start_work(kind=KIND, actor=SYSTEM, now=day(6))
    Job.objects.filter(pk=job.pk).update(
        state=Job.State.FAILED, checkpoint={"place": 5, "now": job.params["now"]}
    )
    again = start_work(kind=KIND, actor=SYSTEM, now=day(9))
    assert again.pk == job.pk
    run_points(job.pk)
    assert list(goal.points.values_list("value", flat=True)) == [0, 0, 2, 2, 2, 2, 2, 2, 2]


def test_all_days_are_measured_anew_by_the_rebuild(program):
    goal = aim(program)
    measure_days(goal, [day(n).date() for n in range(30)], day(30))
    join(program, 1, at=day(2))
    assert rebuild_points([goal], day(30)) == 30
    assert [point.value for point in goal.points.all()][:4] == [0, 0, 1, 1]


def test_the_baseline_that_was_agreed_stays_whatever_is_told_late(program):
    goal = aim(program)
    join(program, 5, at=NOW)
    rebuild_points([goal], day(3))
    goal.refresh_from_db()
    assert goal.baseline == 0


def test_the_database_keeps_what_a_goal_is(program):
    goal = aim(program)
    for wrong in (
        {"metric": "fame"}, {"tier_code": "gold"}, {"due_on": NOW.date()},
        {"state": "reached"}, {"target": -1},
    ):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            Goal.objects.filter(pk=goal.pk).update(**wrong)
    close_goal(goal=goal, state="given_up", actor=SYSTEM, now=day(1), note="No")
    with pytest.raises(DatabaseError), transaction.atomic():
        Goal.objects.filter(pk=goal.pk).update(target=3)
