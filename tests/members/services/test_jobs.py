"""Long work is started once, seen, stopped, and after a kill continued, nothing done twice."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from members.errors import ConflictError
from members.models import AuditEntry, Customer, Job, JobError
from members.services import jobs
from members.services.audit import SYSTEM, Actor
from members.services.jobs import (
    STALE,
    JobStoppedError,
    cancel_job,
    claim_job,
    record_job_errors,
    running,
    save_checkpoint,
    start_or_resume_job,
)
from tests.factories import JobFactory

pytestmark = pytest.mark.django_db
State = Job.State


def start(fingerprint: str = "abc", actor: Actor = SYSTEM) -> Job:
    return start_or_resume_job(
        kind="import", label="orders.csv", fingerprint=fingerprint, params={"rows": 3}, actor=actor
    )


def claimed() -> Job:
    job = claim_job(start().pk)
    assert job is not None
    return job


def silence(job: Job) -> None:
    """The worker was killed a while ago."""
    Job.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - STALE * 2)


def test_a_new_job_waits_and_is_written_down(actor: Actor) -> None:
    job = start(actor=actor)
    assert (job.state, job.created_by, job.params) == (State.QUEUED, actor.user, {"rows": 3})
    assert AuditEntry.objects.get().action == "job.started"


def test_the_same_work_is_one_job_and_other_work_another() -> None:
    assert start() == start()
    assert start("other") != start()


def test_a_job_is_claimed_by_one_worker() -> None:
    job = start()
    assert claim_job(job.pk) is not None
    assert claim_job(job.pk) is None


def test_work_that_runs_is_not_started_again() -> None:
    claimed()
    with pytest.raises(ConflictError) as caught:
        start()
    assert caught.value.code == "job_running"


def test_work_that_is_done_can_be_done_anew() -> None:
    job = claimed()
    with running(job):
        job.result = {"rows": 3}
    job.refresh_from_db()
    assert (job.state, job.result) == (State.SUCCEEDED, {"rows": 3})
    assert job.finished_at is not None
    assert start() != job


def test_a_failure_is_kept_and_the_work_goes_on_from_its_checkpoint() -> None:
    job = claimed()

    def work() -> None:
        with running(job):
            save_checkpoint(job, {"row": 2}, done=2, total=5)
            raise ValueError("row 3")

    with pytest.raises(ValueError, match="row 3"):
        work()
    job.refresh_from_db()
    assert (job.state, job.error) == (State.FAILED, "ValueError: row 3")

    again = claim_job(start().pk)
    assert again is not None
    assert (again.pk, again.checkpoint, again.done, again.error) == (job.pk, {"row": 2}, 2, "")


def test_a_checkpoint_exists_only_if_its_work_does() -> None:
    job = claimed()

    def half_a_chunk() -> None:
        with transaction.atomic():
            Customer.objects.create(external_id="1")
            save_checkpoint(job, {"row": 1}, done=1)
            raise OSError("power cut")

    with pytest.raises(OSError, match="power cut"):
        half_a_chunk()
    job.refresh_from_db()
    assert (job.checkpoint, job.done) == ({}, 0)
    assert not Customer.objects.exists()


def test_the_work_of_a_killed_worker_is_taken_over() -> None:
    first = claimed()
    silence(first)
    second = claim_job(start().pk)
    assert second is not None
    # The first worker was only slow, and comes back: it must not write any more.
    with pytest.raises(JobStoppedError):
        save_checkpoint(first, {"row": 1}, done=1)
    save_checkpoint(second, {"row": 1}, done=1)


def test_a_worker_whose_work_was_taken_over_ends_nothing() -> None:
    first = claimed()
    silence(first)
    second = claim_job(first.pk)
    assert second is not None
    with running(first) as progress:
        progress.update(1)
    second.refresh_from_db()
    assert second.state == State.RUNNING


def test_progress_is_written_at_most_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(jobs.time, "monotonic", lambda: clock[0])
    job = claimed()
    with running(job) as progress:
        for done in range(1, 11):
            progress.update(done, total=100)
            clock[0] += 0.3
        stored = Job.objects.get(pk=job.pk)
        assert (stored.done, stored.total, stored.percent) == (9, 100, 9)
    job.refresh_from_db()
    assert job.done == 10


def test_progress_is_a_sign_of_life() -> None:
    job = claimed()
    silence(job)
    with running(job) as progress:
        progress.update(1)
        assert claim_job(job.pk) is None


def test_a_waiting_job_is_canceled_at_once(actor: Actor) -> None:
    job = cancel_job(job=start(), actor=actor)
    assert job.state == State.CANCELED
    assert claim_job(job.pk) is None


def test_a_running_job_stops_when_its_worker_looks(actor: Actor) -> None:
    job = claimed()
    with running(job) as progress:
        progress.update(1)
        assert cancel_job(job=job, actor=actor).state == State.RUNNING
        progress.look()
        pytest.fail("the worker went on")
    job.refresh_from_db()
    assert (job.state, job.done) == (State.CANCELED, 1)
    assert AuditEntry.objects.filter(action="job.cancelled").exists()


def test_a_job_of_a_dead_worker_can_be_canceled(actor: Actor) -> None:
    job = claimed()
    silence(job)
    assert cancel_job(job=job, actor=actor).state == State.CANCELED


def test_a_refused_row_is_kept_once() -> None:
    job = claimed()

    def refused() -> JobError:
        return JobError(file="orders", row=3, column="total", value="x", reason="no amount")

    record_job_errors(job, [refused()])
    record_job_errors(job, [refused()])
    assert job.errors.count() == 1


def test_a_job_that_failed_long_ago_still_counts_as_the_same_work() -> None:
    job = JobFactory(state=State.FAILED, fingerprint="abc", checkpoint={"row": 9})
    Job.objects.update(created_at=timezone.now() - timedelta(days=90))
    assert start() == job
