"""Key figures month by month: what is measured when, kept, measured again, and rebuilt."""

import datetime as dt
from decimal import Decimal

import psycopg
import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from loyalty.models import CohortMonth, InsightPoint, Membership, TargetBand
from loyalty.selectors.cohorts import kept_cohorts, measure_cohorts
from loyalty.selectors.insights import all_months, band_now, get_overview
from loyalty.services import insight_points
from loyalty.services.insight_points import (
    KIND,
    due_pieces,
    find_points,
    measure_due,
    open_measuring,
    point_words,
    rebuild_points,
    run_points,
    start_measuring,
)
from loyalty.services.redemptions import redeem_units
from loyalty.services.target_bands import set_band
from members.errors import DomainError, NotFoundError
from members.models import AuditEntry, Customer, Job, Segment, SegmentMember
from members.services.audit import SYSTEM
from members.services.job_runs import start_work
from tests.loyalty.factories import (
    day,
    give_back,
    line,
    make_program,
    make_wallet,
    order,
    record,
    refund,
    wallet_of,
)


@pytest.fixture
def shop(db):
    return make_program(unit={"unit_value": "0.01"}, enrollment="explicit")


def buy(number: str, who: str, total: str, offset: float) -> None:
    Customer.objects.get_or_create(external_id=who)
    record(order(number, total, at=day(offset), buyer=who))


def kept() -> list[tuple[object, ...]]:
    rows = InsightPoint.objects.order_by("month", "metric", "tier_code")
    return list(rows.values_list("metric", "tier_code", "month", "day", "value"))


def months_of(program, offset: int) -> list[dt.date]:
    return all_months(program, day(offset))


def figure(program, code: str, offset: int):
    found = get_overview(program, day(offset))
    return next(item for item in found.figures if item.metric.code == code)


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


def test_the_new_figures_are_what_they_say(shop):
    for number in ("c1", "c2", "c3"):
        make_wallet(shop, number)
    # c1 buys in each quarter, c2 once, c3 in the first and the third.
    for place, (who, offset) in enumerate(
        [("c1", 1), ("c1", 100), ("c1", 200), ("c2", 2), ("c3", 3), ("c3", 195)]
    ):
        buy(f"A{place}", who, "60", offset)
    at = insight_points.measure
    day_of = {offset: day(offset).date() for offset in (91, 180, 210, 281, 300)}

    def value(code: str, offset: int):
        return at(shop, code, day_of[offset], day(offset))

    assert value("purchases_per_member", 210) == 2
    # Of three who bought on days 1 to 90, one bought on days 91 to 180.
    assert value("retention_rate", 180) == Decimal("33.3333")
    # First orders on days 1, 2 and 3; within 90 days nobody placed a second.
    assert value("repurchase_rate", 210) == 0
    # Three had bought within half a year on day 120; on day 210 c2 has not for half a year.
    assert value("churn_rate", 210) == Decimal("33.3333")
    # 120 in the last 30 days by two, times three.
    assert value("member_value", 210) == 180
    assert value("member_value", 91) is None


def test_who_buys_several_categories_is_counted_by_category(shop):
    for number in ("c1", "c2"):
        make_wallet(shop, number)
    record(
        order("A1", "30", at=day(1), buyer="c1", lines=(
            line(1, "10", category="Tea"), line(2, "20", category="Cups"),
        )),
        order("A2", "30", at=day(1), buyer="c2", lines=(
            line(1, "10", category="Tea"), line(2, "20", category="Tea"),
        )),
    )  # fmt: skip
    assert insight_points.measure(shop, "several_categories", day(2).date(), day(2)) == 50


def test_cohorts_are_sums_of_who_joined_in_a_month_less_what_came_back(shop):
    make_wallet(shop, "c1", at=day(0))
    make_wallet(shop, "c2", at=day(0))
    make_wallet(shop, "c3", at=day(40))
    buy("A1", "c1", "100", 1)
    buy("A2", "c1", "50", 2)
    buy("A3", "c3", "70", 41)
    give_back(refund(of="A2", total="20", at=day(3)))
    member = Membership.objects.get(customer__external_id="c1")
    redeem_units(
        wallet=wallet_of(member.account_id), units=30, key="s1", source="api", actor=SYSTEM,
        now=day(4),
    )  # fmt: skip
    rebuild_points([shop], day(70))
    first, second = (day(offset).date().replace(day=1) for offset in (0, 41))
    rows = kept_cohorts(shop, months_of(shop, 70))
    own = {(row.joined, row.month): row for row in rows}
    begun = own[first, first]
    assert (begun.members, begun.buyers, begun.orders, begun.revenue, begun.units) == (
        2, 1, 2, 130, 30,
    )  # fmt: skip
    assert (own[second, second].members, own[second, second].revenue) == (1, 70)
    assert all(row.month >= row.joined for row in rows)


def test_what_comes_back_months_later_leaves_the_cohort_too(shop):
    make_wallet(shop, "c1", at=day(0))
    buy("A1", "c1", "100", 1)
    rebuild_points([shop], day(70))
    give_back(refund(of="A1", total="40", at=day(70)))
    measure_due(shop, day(71))
    begun = kept_cohorts(shop, months_of(shop, 71))[0]
    assert (begun.orders, begun.revenue) == (1, 60)


def test_what_was_bought_before_the_day_of_joining_is_in_no_cohort(shop):
    # Joined at noon of the tenth day, by the order of that morning.
    buy("A1", "c1", "100", 8)
    buy("A2", "c1", "50", 9.9)
    make_wallet(shop, "c1", at=day(10))
    buy("A3", "c1", "20", 11)
    rebuild_points([shop], day(70))
    begun = kept_cohorts(shop, months_of(shop, 70))[0]
    assert (begun.members, begun.orders, begun.revenue) == (1, 2, 70)


def test_a_segment_has_the_members_that_it_has_today(shop):
    make_wallet(shop, "c1", at=day(0))
    make_wallet(shop, "c2", at=day(0))
    buy("A1", "c1", "100", 1)
    segment = Segment.objects.create(code="few", name="Few", kind="static")
    SegmentMember.objects.create(
        segment=segment, customer=Customer.objects.get(external_id="c1"), since=day(9)
    )
    month = day(0).date().replace(day=1)
    asked = {"joined_from": month, "first": month, "last": month}
    (found,) = measure_cohorts(shop, **asked, segment=segment.pk)
    assert (found.members, found.buyers) == (1, 1)
    (everybody,) = measure_cohorts(shop, **asked)
    assert (everybody.members, everybody.buyers) == (2, 1)


def test_reading_costs_as_many_queries_for_many_as_for_few(shop):
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            get_overview(shop, day(70))
        return len(queries)

    make_wallet(shop, "c1", at=day(0))
    rebuild_points([shop], day(70))
    few = asked()
    for number in range(2, 9):
        make_wallet(shop, f"c{number}", at=day(number))
        buy(f"B{number}", f"c{number}", "10", number)
    rebuild_points([shop], day(70))
    assert asked() == few <= 6


def test_a_tier_has_who_is_at_it_and_at_no_higher_one(db):
    tiers = [
        {"code": "base", "name": "Member"},
        {"code": "silver", "name": "Silver", "threshold": 100},
        {"code": "gold", "name": "Gold", "threshold": 500},
    ]
    club = make_program(tiers={"tiers": tiers, "window": "lifetime"})
    for number in ("c1", "c2", "c3", "c4"):
        make_wallet(club, number)
    record(order("A1", "120", at=day(1), buyer="c1"), order("A2", "600", at=day(3), buyer="c2"))
    rebuild_points([club], day(70))
    found = get_overview(club, day(70)).tiers
    assert [(item.tier_name, item.value) for item in found] == [
        ("Member", 50), ("Silver", 25), ("Gold", 25),
    ]  # fmt: skip
    assert [item.state for item in found] == ["inside", "inside", "above"]
    # Before there was silver, who was no gold was a member.
    first = months_of(club, 70)[0]
    InsightPoint.objects.filter(month=first, tier_code="silver").delete()
    found = get_overview(club, day(70)).tiers
    assert [item.points[0].value for item in found] == [75, 25, 25]


def test_the_tiers_of_a_month_are_worked_out_once_its_last_day_is_over(db):
    tiers = [{"code": "base", "name": "Member"}, {"code": "gold", "name": "Gold", "threshold": 100}]
    club = make_program(tiers={"tiers": tiers, "window": "lifetime"})
    make_wallet(club, "c1", at=day(0))
    first = months_of(club, 0)[0]
    after = (first + dt.timedelta(days=32)).replace(day=1)
    noon = dt.datetime.combine(after, dt.time(12), dt.UTC)
    measure_due(club, noon - dt.timedelta(days=1))

    def gold():
        return InsightPoint.objects.get(month=first, tier_code="gold")

    assert (gold().day, gold().value) == (after - dt.timedelta(days=2), 0)
    record(order("A1", "120", at=noon - dt.timedelta(hours=22), buyer="c1"))
    measure_due(club, noon)
    assert (gold().day, gold().value) == (after - dt.timedelta(days=1), 100)
    assert (club.pk, first.isoformat(), "tiers") not in due_pieces(club, noon)


def test_a_band_is_chosen_audited_and_given_up(shop):
    def choose(metric: str, low, high):
        return set_band(program=shop, metric=metric, low=low, high=high, actor=SYSTEM, now=day(0))

    usual = band_now(shop, "active_share", "", day(0))
    assert (usual.low, usual.high, usual.own) == (40, 60, False)
    choose("active_share", Decimal(50), None)
    choose("active_share", Decimal(50), None)
    chosen = band_now(shop, "active_share", "", day(0))
    assert (chosen.low, chosen.high, chosen.own) == (50, None, True)
    (entry,) = AuditEntry.objects.filter(action="target_band.set")
    assert entry.before["band"] == "the usual one"
    assert entry.after == {"figure": "Active members", "band": "at least 50%"}
    choose("active_share", None, None)
    assert not TargetBand.objects.exists()
    choose("frequency_lift", Decimal("1.5"), Decimal(2))
    assert band_now(shop, "frequency_lift", "", day(0)).own


@pytest.mark.parametrize(
    ("metric", "low", "high"),
    [("active_share", 50, 40), ("active_share", 10, 101), ("churn_rate", -1, 5), ("nps", -101, 0)],
)
def test_a_band_that_makes_no_sense_is_refused(shop, metric, low, high):
    with pytest.raises(DomainError):
        set_band(
            program=shop, metric=metric, low=Decimal(low), high=Decimal(high), actor=SYSTEM,
            now=day(0),
        )  # fmt: skip


def test_only_figures_that_there_are_have_bands(shop):
    for metric, tier in (("luck", ""), ("tier_share", "gold"), ("members", "gold")):
        with pytest.raises(NotFoundError):
            set_band(
                program=shop, metric=metric, tier_code=tier, low=Decimal(1), high=None,
                actor=SYSTEM, now=day(0),
            )  # fmt: skip


def test_the_database_keeps_bands_and_points_in_order(shop):
    wrong = (
        TargetBand(program=shop, metric="members", low=2, high=1),
        TargetBand(program=shop, metric="members"),
        InsightPoint(program=shop, metric="members", month=day(0).date().replace(day=2),
                     day=day(0).date()),
    )  # fmt: skip
    for row in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()
