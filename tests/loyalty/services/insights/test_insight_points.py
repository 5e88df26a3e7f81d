"""Key figures month by month: what is measured when, kept, measured again, and rebuilt."""

import datetime as dt
from decimal import Decimal

import psycopg
import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from loyalty.models import CohortMonth, InsightPoint
from loyalty.services import insight_points
from loyalty.services.insight_points import (
    KIND,
    due_pieces,
    find_points,
    kept_share,
    open_measuring,
    point_words,
    rebuild_points,
    run_points,
    start_measuring,
)
from members.models import Job
from members.services.audit import SYSTEM
from members.services.job_runs import start_work
from tests.loyalty.factories import (
    day,
    make_program,
    make_wallet,
)
from tests.loyalty.services.insights.measured import buy, figure, months_of


def kept() -> list[tuple[object, ...]]:
    rows = InsightPoint.objects.order_by("month", "metric", "tier_code")
    return list(rows.values_list("metric", "tier_code", "month", "day", "value"))


def test_the_months_are_those_since_the_first_member_joined_and_thirteen_at_most(shop):
    assert months_of(shop, 5) == [day(5).date().replace(day=1)]
    make_wallet(shop, "c1", at=day(0))
    first = day(0).date().replace(day=1)
    assert months_of(shop, 70)[0] == first
    assert len(months_of(shop, 900)) == 13


def test_each_month_has_its_last_day_and_the_one_that_runs_yesterday(shop):
    make_wallet(shop, "c1", at=day(0))
    make_wallet(shop, "c2", at=day(40))
    rebuild_points([shop], day(70))
    points = figure(shop, "members", 70).points
    ends = [point.day for point in points]
    assert ends[-1] == day(69).date()
    assert all((end + dt.timedelta(days=1)).day == 1 for end in ends[:-1])
    assert (points[0].value, points[-1].value) == (1, 2)


def test_doing_it_twice_changes_nothing_and_a_late_order_is_measured_again(shop):
    make_wallet(shop, "c1", at=day(0))
    buy("A1", "c1", "100", 1)
    rebuild_points([shop], day(70))
    before = kept()
    cohorts = list(CohortMonth.objects.order_by("pk").values())
    rebuild_points([shop], day(70))
    assert kept() == before
    assert list(CohortMonth.objects.order_by("pk").values()) == cohorts
    buy("A2", "c1", "50", 2)
    rebuild_points([shop], day(70))
    assert CohortMonth.objects.order_by("month").first().orders == 2


def due_months(program, now) -> set[dt.date]:
    """Of those whose members are measured; what nothing is found of is asked for each night."""
    return {
        dt.date.fromisoformat(month)
        for _pk, month, what in due_pieces(program, now)
        if what == "members"
    }


def test_a_month_is_due_while_it_runs_and_for_a_week_after_it(shop):
    make_wallet(shop, "c1", at=day(0))
    assert due_months(shop, day(70)) == set(months_of(shop, 70))
    rebuild_points([shop], day(70))
    running = months_of(shop, 70)[-1]
    # It is May 24: April has been over for more than a week.
    assert due_months(shop, day(70)) == {running}
    late = dt.datetime.combine(running, dt.time(12), dt.UTC) + dt.timedelta(days=33)
    assert running in due_months(shop, late)
    rebuild_points([shop], late)
    assert running not in due_months(shop, late + dt.timedelta(days=12))


def test_what_was_left_out_of_a_month_or_is_new_is_measured_the_next_night(shop):
    make_wallet(shop, "c1", at=day(0))
    rebuild_points([shop], day(70))
    first = months_of(shop, 70)[0]
    InsightPoint.objects.filter(month=first, metric="churn_rate").delete()
    assert (shop.pk, first.isoformat(), "churn_rate") in due_pieces(shop, day(70))
    assert (shop.pk, first.isoformat(), "members") not in due_pieces(shop, day(70))


def test_a_job_measures_piece_after_piece_and_goes_on_after_a_kill(shop, monkeypatch):
    make_wallet(shop, "c1", at=day(0))
    buy("A1", "c1", "100", 1)
    job = start_measuring(program=shop, actor=SYSTEM, now=day(40))
    assert start_measuring(program=shop, actor=SYSTEM, now=day(40)).pk == job.pk
    measured = []
    piece = insight_points.measure_piece

    def dies(program, month, what, now):
        if len(measured) == 7:
            raise KeyboardInterrupt
        measured.append(what)
        return piece(program, month, what, day(40))

    monkeypatch.setattr(insight_points, "measure_piece", dies)
    with pytest.raises(KeyboardInterrupt):
        run_points(job.pk)
    monkeypatch.setattr(
        insight_points, "measure_piece", lambda program, month, what, now: piece(
            program, month, what, day(40)
        ),
    )  # fmt: skip
    Job.objects.filter(pk=job.pk).update(state=Job.State.QUEUED)
    run_points(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.kind) == (Job.State.SUCCEEDED, job.total, KIND)
    assert "figures were measured." in point_words(job)
    by_job = sorted(InsightPoint.objects.values_list("metric", "tier_code", "month", "value"))
    InsightPoint.objects.all().delete()
    rebuild_points([shop], day(40))
    assert (
        sorted(InsightPoint.objects.values_list("metric", "tier_code", "month", "value")) == by_job
    )


def test_the_night_looks_once_at_the_orders_of_a_year_for_all_figures_made_of_them(shop):
    make_wallet(shop, "c1", at=day(0))
    buy("A1", "c1", "100", 1)
    job = start_measuring(program=shop, actor=SYSTEM, now=day(5))
    with CaptureQueriesContext(connection) as asked:
        run_points(job.pk)
    kept = InsightPoint.objects.filter(metric__in=["repeat_rate", "purchases_per_member"])
    assert kept.count() > 0
    months = kept.values("month").distinct().count()
    assert kept.count() == 2 * months
    looks = [query for query in asked if "FILTER (WHERE orders > 1), coalesce" in query["sql"]]
    assert len(looks) == months


def test_a_failed_run_that_is_started_again_begins_with_what_is_due_by_then(shop):
    make_wallet(shop, "c1", at=day(0))
    job = start_measuring(program=shop, actor=SYSTEM, now=day(40))
    Job.objects.filter(pk=job.pk).update(
        state=Job.State.FAILED, checkpoint={"place": 30, "now": job.params["now"]},
        result={"measured": 30},
    )  # fmt: skip
    again = start_measuring(program=shop, actor=SYSTEM, now=day(70))
    assert again.pk == job.pk
    assert len(again.params["pieces"]) > len(job.params["pieces"])
    run_points(job.pk)
    again.refresh_from_db()
    assert again.done == len(again.params["pieces"])
    first = day(0).date().replace(day=1)
    assert InsightPoint.objects.filter(month=first, metric="members").exists()


def test_a_figure_that_cannot_be_measured_holds_up_no_other(shop, monkeypatch):
    make_wallet(shop, "c1", at=day(0))
    measure = insight_points.measure

    def fails(program, code, on, now):
        if code == "churn_rate":
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
        return measure(program, code, on, now)

    monkeypatch.setattr(insight_points, "measure", fails)
    job = start_measuring(program=shop, actor=SYSTEM, now=day(5))
    run_points(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result["failed"]) == (Job.State.SUCCEEDED, 1)
    assert "1 could not be measured" in point_words(job)
    assert job.log_lines.filter(text__startswith="churn_rate of").count() == 1
    assert not InsightPoint.objects.filter(metric="churn_rate").exists()
    assert InsightPoint.objects.filter(metric="loyalty_index").exists()
    assert job.done == job.total


@pytest.mark.django_db(transaction=True)
def test_a_figure_that_lost_a_race_is_measured_again(monkeypatch):
    program = make_program("shop")
    measure, asked = insight_points.measure, []

    def loses_once(program, code, on, now):
        asked.append(code)
        if asked.count("churn_rate") == 1 and code == "churn_rate":
            lost = DatabaseError("deadlock detected")
            raise lost from psycopg.errors.DeadlockDetected()
        return measure(program, code, on, now)

    monkeypatch.setattr(insight_points, "measure", loses_once)
    job = start_measuring(program=program, actor=SYSTEM, now=day(5))
    run_points(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result["failed"]) == (Job.State.SUCCEEDED, 0)
    assert asked.count("churn_rate") > 1


def test_what_the_night_measures_is_seen_by_the_programs_that_are_in_it(shop):
    make_wallet(shop, "c1", at=day(0))
    assert open_measuring(shop) is None
    nightly = start_work(kind=KIND, actor=SYSTEM, now=day(5))
    assert open_measuring(shop).pk == nightly.pk
    assert open_measuring(make_program("later")) is None
    own = start_measuring(program=shop, actor=SYSTEM, now=day(5))
    assert open_measuring(shop).pk == own.pk
    run_points(own.pk)
    run_points(nightly.pk)
    assert open_measuring(shop) is None


def test_the_command_measures_one_program_or_all(shop, capsys):
    call_command("rebuild_insights", shop.code)
    alone = InsightPoint.objects.count()
    make_program("second")
    call_command("rebuild_insights")
    assert InsightPoint.objects.count() > alone > 0
    assert "figures measured." in capsys.readouterr().out


def test_the_night_finds_what_is_due_and_nothing_where_no_program_is_live(db):
    assert find_points(day(0)) is None
    shop = make_program()
    found = find_points(day(40))
    assert found is not None
    assert {pk for pk, _month, _what in found.params["pieces"]} == {shop.pk}


@pytest.mark.parametrize(
    ("share", "kept_as"),
    [(None, None), ("0", "0"), ("0.000001", "0.0001"), ("0.00019", "0.0002"), ("1", "1")],
)
def test_one_member_of_a_million_is_somebody(share, kept_as):
    """So no review says of their tier that nobody is at it."""
    found = kept_share(None if share is None else Decimal(share))
    assert found == (None if kept_as is None else Decimal(kept_as))
