"""The daily totals of all days are rebuilt as a job, whatever happens to its worker."""

import datetime as dt
import os
import uuid

import pytest
from celery import Celery
from django.conf import settings
from django.utils import timezone

from config.celery import app
from loyalty.models import DailyTotal, LotPosition, LotTotal
from loyalty.services import total_rebuilds
from loyalty.services.total_rebuilds import KIND, rebuild_words, run_rebuild
from members.models import Job
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled, start_work
from members.services.outbox import deliver_waiting
from tests.loyalty.factories import NOW, day, make_program, order, record
from tests.loyalty.services.test_totals import expected, totals
from tests.processes import start_process, wait_for


def start() -> Job:
    job = start_work(kind=KIND, actor=SYSTEM, now=timezone.now())
    assert job is not None
    return job


def spoil() -> None:
    """What a person with a database client could have done."""
    DailyTotal.objects.order_by("pk").first().delete()
    DailyTotal.objects.filter(pk=DailyTotal.objects.latest("pk").pk).update(incoming=7, movements=1)
    LotTotal.objects.filter(pk=LotTotal.objects.latest("pk").pk).update(granted=7)


@pytest.fixture
def history(program):
    """Two programs with movements on some days of three months."""
    make_program("second", earning_rules=[{"units": 3}], unit={"pending_days": 2})
    for number in range(9):
        record(order(f"A{number}", "10", at=day(number * 11)))
    deliver_waiting()


def test_what_differs_is_put_right_and_said(history):
    before = totals()
    spoil()
    run_rebuild(start().pk)
    job = Job.objects.get()
    assert totals() == before == expected()
    assert (job.state, job.done, job.total) == ("succeeded", 178, 178)
    assert rebuild_words(job) == "178 days looked at: 3 figures put right."
    said = [line.text.replace("\N{THIN SPACE}", " ") for line in job.log_lines.all()]
    assert "Mar 15 – 21, 2024: 1 figure put right." in said
    # Where everything stood at the ends of months is written too.
    ends = set(LotPosition.objects.values_list("until", flat=True))
    assert ends == {dt.date(2024, 3, 31), dt.date(2024, 4, 30), dt.date(2024, 5, 31)}


def test_where_everything_was_right_nothing_is_written(history):
    rows = set(DailyTotal.objects.values_list("pk", "incoming"))
    versions = DailyTotal.objects.extra(select={"version": "xmin::text"}).values_list("version")
    before = sorted(versions)
    run_scheduled(kind=KIND, now=timezone.now())
    assert sorted(versions.all()) == before
    assert set(DailyTotal.objects.values_list("pk", "incoming")) == rows
    assert rebuild_words(Job.objects.get()) == "178 days looked at: every figure was right."


def test_days_that_come_while_it_stands_still_are_done_too(history, monkeypatch):
    job = start()
    left = [3]
    rebuild = total_rebuilds.rebuild_days

    def interrupted(days):
        left[0] -= 1
        if left[0] == 0:
            raise SystemExit
        return rebuild(days)

    with monkeypatch.context() as patch:
        patch.setattr(total_rebuilds, "rebuild_days", interrupted)
        with pytest.raises(SystemExit):
            run_rebuild(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done) == ("queued", 14)
    record(order("late", "30", at=day(120)))
    run_rebuild(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.total) == ("succeeded", 242, 242)
    assert totals() == expected()


def test_before_the_first_movement_there_is_nothing_to_do(program):
    assert run_scheduled(kind=KIND, now=timezone.now()) is None
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_celery_worker_that_is_killed_is_replaced_by_another():
    make_program(at=NOW - dt.timedelta(days=365 * 6))
    for number in range(60):
        record(order(f"A{number}", "10", at=NOW - dt.timedelta(days=33 * number)))
    queue = f"setia-test-{uuid.uuid4()}:"
    sender = Celery(broker=settings.CELERY_BROKER_URL, set_as_current=False)
    sender.conf.broker_transport_options = {"global_keyprefix": queue}
    job = start()
    options = [
        "--concurrency=1", "--loglevel=ERROR", "--without-gossip", "--without-mingle",
        "--without-heartbeat",
    ]  # fmt: skip
    workers = [
        start_process(lambda: app.worker_main(["worker", *options]), queue=queue) for _ in range(2)
    ]
    try:
        sender.send_task("members.tasks.run_job", args=[job.pk])
        wait_for(lambda: Job.objects.get().done > 500, workers[0])
        pid = int(Job.objects.get().worker.split("/")[-2])
        victim = next(worker for worker in workers if os.getpgid(pid) == worker.pid)
        victim.kill()
        job.refresh_from_db()
        assert job.state == "running"
        assert 500 < job.done < job.total
        assert totals() != expected()

        (other,) = [worker for worker in workers if worker is not victim]
        sender.send_task("members.tasks.resume_stale_jobs")
        wait_for(lambda: Job.objects.get().state == "succeeded", other)
    finally:
        for worker in workers:
            worker.kill()
        with sender.connection_for_write() as connection:
            client = connection.default_channel.client
            for key in client.keys("*"):
                client.delete(key)
        sender.close()
    job.refresh_from_db()
    assert (job.done, job.result["days"]) == (job.total, job.total)
    assert DailyTotal.objects.count() == LotTotal.objects.count() == 60
    assert job.result["corrected"] == 120
    assert totals() == expected()
    said = [line.text for line in job.log_lines.all()]
    assert "Its worker is gone. Another one goes on with it." in said
