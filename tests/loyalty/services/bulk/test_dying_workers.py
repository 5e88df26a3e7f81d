"""What a worker leaves behind when it dies, which is seen only where transactions really end."""

import pytest

from loyalty.models import Transfer
from loyalty.services import bulk_posting
from loyalty.services.bulk_adjustments import post_bulk, resume_bulk
from members.models import Job
from members.services import job_runs
from members.services.job_runs import run_job
from tests.loyalty.factories import NOW, moves, spendable
from tests.loyalty.services.bulk.batches import Killed, adjustment, killed_after, rows_of, worked
from tests.loyalty.services.bulk.conftest import Crowd, make_crowd

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def crowd(transactional_db: None) -> Crowd:
    return make_crowd()


def test_a_chunk_that_dies_before_its_commit_leaves_nothing(program, members, mia, monkeypatch):
    batch = post_bulk(batch=adjustment(program, mia, rows_of([5] * 30)), actor=mia, now=NOW)
    killed_after(monkeypatch, job_runs, "save_checkpoint", 0)
    with pytest.raises(Killed):
        run_job(batch.job_id)
    assert spendable("c2") == 0
    assert batch.rows.filter(state="good").count() == 30
    worked(resume_bulk(batch=batch, actor=mia))
    assert moves("c2") == [("adjustment", 5)]


def test_a_worker_that_was_overtaken_writes_nothing(program, members, mia, monkeypatch):
    batch = post_bulk(batch=adjustment(program, mia, rows_of([5] * 30)), actor=mia, now=NOW)
    original = bulk_posting.post

    def overtaken(*args, **how):
        # Another worker takes the job over while this one is in the middle of a chunk.
        Job.objects.filter(pk=batch.job_id).update(started_at=NOW)
        return original(*args, **how)

    monkeypatch.setattr(bulk_posting, "post", overtaken)
    run_job(batch.job_id)
    assert Transfer.objects.count() == 1
    assert batch.rows.filter(state="good").count() == 30
