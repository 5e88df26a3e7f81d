"""A worker is killed for real in the middle of its work, and nothing is lost or done twice."""

import pytest
from django.utils import timezone

from members import jobs
from members.models import Job
from members.services.job_runs import resume_stale_jobs, run_job
from tests.factories import CustomerFactory
from tests.members.note_work import NOTES, PIECES, register, start_notes, written
from tests.processes import start_process, wait_for


@pytest.fixture(autouse=True)
def _kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_kinds", {})
    register()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("pieces", [2, 17])
def test_a_job_whose_worker_is_killed_is_taken_over_and_finished(pieces: int) -> None:
    job = start_notes(CustomerFactory().pk, seconds=0.002)
    process = start_process(lambda: run_job(job.pk))
    try:
        wait_for(lambda: len(written()) >= pieces * NOTES, process)
    finally:
        process.kill()

    job.refresh_from_db()
    assert job.state == Job.State.RUNNING
    # The piece in hand is gone as a whole, and what is there is what the job says it did.
    assert written() == list(range(job.done))
    assert pieces * NOTES <= job.done < PIECES * NOTES
    assert job.done == job.checkpoint["piece"] * NOTES

    assert resume_stale_jobs(now=timezone.now()) == 1
    job.refresh_from_db()
    assert (job.state, job.done) == (Job.State.SUCCEEDED, PIECES * NOTES)
    assert written() == list(range(PIECES * NOTES))
    assert resume_stale_jobs(now=timezone.now()) == 0
