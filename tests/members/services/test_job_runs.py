"""Work is done piece by piece, by one worker at a time, and by another when that one is gone."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError, connection, connections
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from members import jobs, tasks
from members.errors import ConflictError, NotFoundError
from members.jobs import JobKind, Work, register_job_kind
from members.models import Customer, Job
from members.services import jobs as life
from members.services.audit import SYSTEM, Actor
from members.services.job_runs import (
    ASKED_AGAIN,
    ROUTINE_KEPT,
    TROUBLE_KEPT,
    UNASKED,
    Step,
    prune_jobs,
    queue_job,
    resume_stale_jobs,
    run_in_chunks,
    run_scheduled,
    start_work,
)
from members.services.job_workers import this_worker
from members.services.jobs import MOST_ATTEMPTS, STALE, cancel_job, claim_job, retry_job
from tests.factories import CustomerFactory, JobFactory
from tests.members import note_work
from tests.members.note_work import KIND, NOTES, PIECES, register, start_notes, written

State = Job.State
ALL = list(range(PIECES * NOTES))


@pytest.fixture(autouse=True)
def _own_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_kinds", {})
    register()


@pytest.fixture
def customer(db: None) -> Customer:
    return CustomerFactory()


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture(scope="module")
def dead_worker() -> str:
    """The name of a process that has been."""
    code = "from members.services.job_workers import this_worker; print(this_worker())"
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def killed(job: Job, worker: str, **values: Any) -> Job:
    """The job as a worker leaves it that was killed a moment ago."""
    Job.objects.filter(pk=job.pk).update(
        state=State.RUNNING, worker=worker, started_at=timezone.now(),
        heartbeat_at=timezone.now(), attempts=1, **values,
    )  # fmt: skip
    return Job.objects.get(pk=job.pk)


def lines(job: Job) -> list[str]:
    """What the job has said, from the first word to the last."""
    return list(job.log_lines.order_by("pk").values_list("text", flat=True))


def failing(error: BaseException, piece: int) -> Callable[[Job], Step | None]:
    """Fails once, after half of a piece has been written."""
    left = [error]

    def chunk(job: Job) -> Step | None:
        step = note_work.write_piece(job)
        if left and job.checkpoint.get("piece", 0) == piece:
            raise left.pop()
        return step

    return chunk


def test_all_pieces_are_done_once_and_the_bar_is_full(customer: Customer) -> None:
    job = run_in_chunks(start_notes(customer.pk).pk, note_work.write_piece)
    assert job is not None
    assert written() == ALL
    assert (job.state, job.done, job.total) == (State.SUCCEEDED, 200, 200)
    assert lines(job) == ["Begun.", "Done."]
    assert job.worker == this_worker()


@pytest.mark.django_db(transaction=True)
def test_a_piece_that_fails_is_undone_and_the_work_goes_on_there(actor: Actor) -> None:
    job = start_notes(CustomerFactory().pk)
    with pytest.raises(ValueError, match="no more paper"):
        run_in_chunks(job.pk, failing(ValueError("no more paper"), 7))
    job.refresh_from_db()
    assert (job.state, job.done, job.checkpoint) == (State.FAILED, 35, {"piece": 7})
    assert written() == ALL[:35]

    note_work.run_notes(retry_job(job=job, actor=actor).pk)
    assert written() == ALL
    assert lines(job) == [
        "Begun.", "Failed: ValueError: no more paper", f"{actor.label} lets it go on.",
        "Goes on at 35 of 200.", "Done.",
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_a_piece_that_lost_a_race_in_the_database_is_done_again_not_passed_over() -> None:
    deadlock = OperationalError("deadlock")
    deadlock.__cause__ = psycopg.errors.DeadlockDetected()
    job = run_in_chunks(start_notes(CustomerFactory().pk).pk, failing(deadlock, 3))
    assert job is not None
    assert (job.state, job.checkpoint) == (State.SUCCEEDED, {"piece": PIECES})
    assert written() == ALL


def test_a_canceled_job_goes_on_from_its_checkpoint(
    customer: Customer, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = start_notes(customer.pk)

    def chunk(current: Job) -> Step | None:
        step = note_work.write_piece(current)
        if current.checkpoint.get("piece") == 4:
            cancel_job(job=current, actor=actor)
        return step

    # A worker looks once a second whether it is to stop; here after every piece.
    monkeypatch.setattr(life, "WRITTEN_EVERY", 0.0)
    run_in_chunks(job.pk, chunk)
    job.refresh_from_db()
    assert (job.state, job.done) == (State.CANCELED, 25)
    note_work.run_notes(retry_job(job=job, actor=actor).pk)
    job.refresh_from_db()
    assert (job.state, written()) == (State.SUCCEEDED, ALL)


def test_what_was_done_is_not_gone_on_with(customer: Customer, actor: Actor) -> None:
    job = note_work.run_notes(start_notes(customer.pk, pieces=1).pk)
    assert job is not None
    with pytest.raises(ConflictError) as caught:
        retry_job(job=job, actor=actor)
    assert caught.value.code == "job_done"


def test_a_canceled_job_whose_work_was_started_anew_stays_canceled(
    customer: Customer, actor: Actor
) -> None:
    job = cancel_job(job=start_notes(customer.pk), actor=actor)
    start_notes(customer.pk)
    with pytest.raises(ConflictError) as caught:
        retry_job(job=job, actor=actor)
    assert caught.value.code == "job_superseded"


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_do_everything_once() -> None:
    job = start_notes(CustomerFactory().pk, seconds=0.001)
    gate = threading.Barrier(4)
    found: list[Job | None] = []

    def work() -> None:
        try:
            gate.wait()
            found.append(note_work.run_notes(job.pk))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert written() == ALL
    assert [each.state for each in found if each] == [State.SUCCEEDED]
    assert found.count(None) == 3


# --- The schedule ---------------------------------------------------------------------------------


def due(customer: Customer) -> Work:
    return Work("Notes", str(customer.pk), {"customer": customer.pk})


def test_when_nothing_is_due_there_is_no_job(db: None, now: datetime) -> None:
    assert run_scheduled(kind=KIND, now=now) is None
    assert not Job.objects.exists()


def test_what_is_due_is_done_with_a_job_to_look_at(customer: Customer, now: datetime) -> None:
    register(due(customer))
    tasks.run_scheduled(KIND)
    job = Job.objects.get()
    assert (job.state, job.created_by, written()) == (State.SUCCEEDED, None, ALL)


def test_a_run_that_still_works_is_left_alone(customer: Customer, now: datetime) -> None:
    register(due(customer))
    claim_job(start_notes(customer.pk).pk)
    assert run_scheduled(kind=KIND, now=now) is None
    assert (Job.objects.count(), written()) == (1, [])


def test_a_run_that_was_killed_is_gone_on_with(
    customer: Customer, now: datetime, dead_worker: str
) -> None:
    register(due(customer))
    job = killed(start_notes(customer.pk), dead_worker, checkpoint={"piece": 2}, done=10)
    found = run_scheduled(kind=KIND, now=now)
    assert found == job
    assert written() == ALL[10:]


def test_a_person_starts_the_same_work(customer: Customer, now: datetime, actor: Actor) -> None:
    assert start_work(kind=KIND, actor=actor, now=now) is None
    register(due(customer))
    job = start_work(kind=KIND, actor=actor, now=now)
    assert job is not None
    assert (job.state, job.created_by) == (State.QUEUED, actor.user)


@pytest.mark.parametrize("start", [run_scheduled, start_work])
def test_an_unknown_kind_is_refused(
    db: None, now: datetime, start: Callable[..., Job | None]
) -> None:
    how = {"actor": SYSTEM} if start is start_work else {}
    with pytest.raises(NotFoundError):
        start(kind="no_such_kind", now=now, **how)


# --- Interrupted and killed -----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_work_whose_database_went_away_waits_and_goes_on(now: datetime) -> None:
    job = start_notes(CustomerFactory().pk)

    def chunk(current: Job) -> Step | None:
        step = note_work.write_piece(current)
        if current.checkpoint.get("piece") == 5:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return step

    with pytest.raises(OperationalError):
        run_in_chunks(job.pk, chunk)
    job.refresh_from_db()
    assert (job.state, job.done) == (State.QUEUED, 25)
    # At first the database may still be coming back.
    assert resume_stale_jobs(now=now) == 0
    assert resume_stale_jobs(now=now + UNASKED * 2) == 1
    assert written() == ALL


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("interruption", [SystemExit(), SoftTimeLimitExceeded()])
def test_work_whose_worker_is_told_to_end_waits_and_goes_on(
    now: datetime, interruption: BaseException
) -> None:
    job = start_notes(CustomerFactory().pk)
    with pytest.raises(type(interruption)):
        run_in_chunks(job.pk, failing(interruption, 1))
    job.refresh_from_db()
    assert (job.state, job.error) == (State.QUEUED, "")
    assert resume_stale_jobs(now=now + UNASKED * 2) == 1
    assert written() == ALL


def test_the_job_of_a_dead_process_is_taken_over_at_once(
    customer: Customer, now: datetime, dead_worker: str
) -> None:
    job = killed(start_notes(customer.pk), dead_worker)
    assert resume_stale_jobs(now=now) == 1
    job.refresh_from_db()
    assert (job.state, written()) == (State.SUCCEEDED, ALL)
    assert lines(job) == ["Its worker is gone. Another one goes on with it.", "Begun.", "Done."]


def test_the_job_of_a_worker_elsewhere_is_taken_over_once_it_is_silent(
    customer: Customer, now: datetime
) -> None:
    killed(start_notes(customer.pk), "another-machine/17/4711")
    assert resume_stale_jobs(now=now) == 0
    assert resume_stale_jobs(now=now + STALE + timedelta(seconds=5)) == 1
    assert written() == ALL


def test_a_job_that_runs_is_left_alone(customer: Customer, now: datetime) -> None:
    claim_job(start_notes(customer.pk).pk)
    assert resume_stale_jobs(now=now) == 0
    assert Job.objects.get().state == State.RUNNING


def test_a_job_that_only_ends_its_workers_fails_after_some_of_them(
    customer: Customer, now: datetime, dead_worker: str
) -> None:
    job = start_notes(customer.pk)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        claimed = claim_job(job.pk)
        assert claimed is not None
        assert claimed.attempts == attempt
        Job.objects.update(worker=dead_worker)
    assert claim_job(job.pk) is None
    job.refresh_from_db()
    assert job.state == State.FAILED
    assert job.error == "Its worker ended 5 times in a row without getting any further."
    # Somebody looked after it: it gets another chance.
    note_work.run_notes(retry_job(job=job, actor=SYSTEM).pk)
    assert written() == ALL


def test_a_job_that_gets_further_each_time_never_runs_out_of_chances(
    customer: Customer, dead_worker: str
) -> None:
    job = start_notes(customer.pk)
    for done in range(1, MOST_ATTEMPTS * 2):
        assert claim_job(job.pk) is not None
        Job.objects.update(worker=dead_worker, done=done)


def test_a_job_that_was_to_stop_when_its_worker_died_stops(
    customer: Customer, now: datetime, dead_worker: str
) -> None:
    job = killed(start_notes(customer.pk), dead_worker, cancel_requested=True)
    assert resume_stale_jobs(now=now) == 0
    job.refresh_from_db()
    assert (job.state, written()) == (State.CANCELED, [])


def test_the_job_of_a_dead_process_is_canceled_at_once(
    customer: Customer, actor: Actor, dead_worker: str
) -> None:
    job = killed(start_notes(customer.pk), dead_worker)
    assert cancel_job(job=job, actor=actor).state == State.CANCELED


def test_a_job_that_no_worker_was_asked_to_take_is_asked_for_after_a_moment(
    customer: Customer, now: datetime
) -> None:
    start_notes(customer.pk)
    assert resume_stale_jobs(now=now) == 0
    assert resume_stale_jobs(now=now + UNASKED * 2) == 1
    assert written() == ALL


def test_a_message_that_was_lost_is_sent_again(customer: Customer, now: datetime) -> None:
    start_notes(customer.pk)
    Job.objects.update(queued_at=now)
    assert resume_stale_jobs(now=now + UNASKED * 2) == 0
    assert resume_stale_jobs(now=now + ASKED_AGAIN * 2) == 1


def test_without_a_broker_the_job_waits(
    customer: Customer, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise BrokerError("Connection refused")

    job = start_notes(customer.pk)
    with monkeypatch.context() as patch:
        patch.setattr("celery.canvas.Signature.apply_async", refuse)
        assert queue_job(job) is False
        assert resume_stale_jobs(now=now + UNASKED * 2) == 0
    job.refresh_from_db()
    assert (job.state, job.queued_at) == (State.QUEUED, None)


def test_jobs_of_a_kind_that_nobody_knows_are_left_as_they_are(
    db: None, now: datetime, dead_worker: str
) -> None:
    job = killed(JobFactory(kind="of_another_version"), dead_worker)
    assert resume_stale_jobs(now=now) == 0
    tasks.run_job(job.pk)
    tasks.run_job(0)
    job.refresh_from_db()
    assert job.state == State.RUNNING


# --- Forgetting -----------------------------------------------------------------------------------


def test_routine_runs_are_forgotten_and_failed_ones_much_later(
    customer: Customer, actor: Actor, now: datetime
) -> None:
    register_job_kind(JobKind("rare", "Rare", "note", note_work.run_notes))
    week, month = ROUTINE_KEPT + timedelta(hours=1), timedelta(days=30)

    def ended(state: str, ago: timedelta, **values: Any) -> Job:
        values = {"kind": KIND, "label": state, **values}
        return JobFactory(state=state, finished_at=now - ago, **values)

    gone = [ended("succeeded", week), ended("succeeded", month)]
    gone.append(ended("failed", TROUBLE_KEPT + timedelta(hours=1)))
    kept = [
        ended("succeeded", ROUTINE_KEPT - timedelta(hours=1)),
        ended("failed", month),
        ended("cancelled", month),
        ended("succeeded", month, created_by=actor.user),
        ended("succeeded", month, kind="rare"),
        JobFactory(kind=KIND),
    ]
    assert prune_jobs(now=now) == len(gone)
    assert set(Job.objects.values_list("pk", flat=True)) == {job.pk for job in kept}
    assert tasks.prune_jobs() == 0


def test_the_newest_run_of_a_kind_is_never_forgotten(db: None, now: datetime) -> None:
    long_ago = now - timedelta(days=300)
    newest = [JobFactory(kind=KIND, state="succeeded", finished_at=long_ago) for _ in range(2)][-1]
    assert prune_jobs(now=now) == 1
    assert Job.objects.get() == newest
