"""Rows are posted once however often the work is killed, and undone as a whole."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.models import (
    Transfer,
)
from loyalty.selectors.bulk_adjustments import result_of
from loyalty.services import bulk_posting
from loyalty.services.adjustments import undo_transfer
from loyalty.services.bulk_adjustments import (
    post_bulk,
    resume_bulk,
    undo_bulk,
)
from members.errors import ConflictError
from members.models import AuditEntry, Customer, Job
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from members.services.job_runs import run_job
from members.services.jobs import cancel_job
from tests.loyalty.factories import NOW, adjust, spendable
from tests.loyalty.services.bulk.batches import (
    Killed,
    adjustment,
    killed_after,
    posted,
    rows_of,
    worked,
)


def test_what_is_posted_is_there_with_reason_note_and_person(program, members, mia):
    text = "customer_id,units,note\nc1,-20,Counted twice\nc2,30,"
    batch = posted(adjustment(program, mia, text, note="March review"), mia)
    assert batch.state == "posted"
    assert (spendable("c1"), spendable("c2")) == (30, 30)
    notes = set(Transfer.objects.filter(bulk_row__batch=batch).values_list("note", "actor"))
    assert notes == {("Counted twice", mia.user.pk), ("March review", mia.user.pk)}
    assert batch.job.result["posted"] == 2
    entry = AuditEntry.objects.get(action="bulk_adjustment.posted")
    assert (entry.after["given"], entry.after["taken"], entry.actor) == (30, 20, mia.user)


def test_a_row_that_cannot_be_posted_any_more_is_refused_by_itself(
    program, members, mia, monkeypatch
):
    monkeypatch.setattr(bulk_posting, "CHUNK", 7)
    for number, wallet in enumerate(members):
        adjust(wallet, 10, f"more{number}")
    batch = adjustment(program, mia, rows_of([-10] * 30))
    for number in (3, 17, 18):
        adjust(members[number - 1], -5, f"spent{number}")
    batch = posted(batch, mia)
    refused = batch.rows.filter(state="refused")
    assert [row.number for row in refused] == [4, 18, 19]
    assert refused[0].problems[0][2] == "Only 5\N{NO-BREAK SPACE}points can be taken away."
    assert result_of(batch).taken == 270
    assert (spendable("c2"), spendable("c3")) == (0, 5)


@pytest.mark.parametrize("chunks", [0, 1, 4])
def test_a_job_that_is_killed_goes_on_and_posts_each_row_once(
    program, members, mia, monkeypatch, chunks
):
    monkeypatch.setattr(bulk_posting, "CHUNK", 6)
    batch = post_bulk(batch=adjustment(program, mia, rows_of([5] * 30)), actor=mia, now=NOW)
    killed_after(monkeypatch, bulk_posting, "_chunk", chunks)
    with pytest.raises(Killed):
        run_job(batch.job_id)
    batch.refresh_from_db()
    assert (batch.state, batch.job.state) == ("posting", "failed")
    assert batch.rows.filter(state="posted").count() == 6 * chunks
    batch = worked(resume_bulk(batch=batch, actor=mia))
    assert (batch.state, batch.job.done, batch.job.total) == ("posted", 30, 30)
    assert batch.rows.filter(state="posted").count() == 30
    assert {spendable(f"c{number}") for number in range(2, 31)} == {5}
    assert spendable("c1") == 55


def test_posting_that_is_stopped_goes_on_or_is_undone(program, members, mia, monkeypatch):
    monkeypatch.setattr(bulk_posting, "CHUNK", 10)
    batch = post_bulk(batch=adjustment(program, mia, rows_of([5] * 30)), actor=mia, now=NOW)
    with pytest.raises(ConflictError):
        undo_bulk(batch=batch, actor=mia, now=NOW)
    killed_after(monkeypatch, bulk_posting, "_chunk", 1)
    with pytest.raises(Killed):
        run_job(batch.job_id)
    cancel_job(job=Job.objects.get(pk=batch.job_id), actor=mia)
    stopped = batch.job_id
    batch = worked(undo_bulk(batch=batch, actor=mia, now=NOW))
    assert (batch.state, batch.rows.filter(state="undone").count()) == ("undone", 10)
    # Whoever starts the old work again finds that it is past.
    Job.objects.filter(pk=stopped).update(state="queued", cancel_requested=False)
    with pytest.raises(ConflictError):
        run_job(stopped)
    assert Transfer.objects.filter(kind="adjustment").count() == 11


def test_it_is_undone_as_a_whole_and_what_was_spent_is_named(program, members, mia, monkeypatch):
    monkeypatch.setattr(bulk_posting, "CHUNK", 8)
    batch = posted(adjustment(program, mia, rows_of([-20] + [30] * 29)), mia)
    adjust(members[4], -25, "spent")
    alone = batch.rows.get(wallet=members[5]).transfer
    undo_transfer(transfer=alone, actor=mia, source="backoffice", now=NOW, note="In other words")
    batch = worked(undo_bulk(batch=batch, actor=mia, now=NOW))
    assert batch.state == "undone"
    kept = batch.rows.get(state="kept")
    assert (kept.wallet_id, kept.problems[0][2]) == (
        members[4].pk, "Spent meanwhile: only 5\N{NO-BREAK SPACE}points are left.",
    )  # fmt: skip
    assert batch.rows.filter(state="undone").count() == 29
    assert [spendable(f"c{number}") for number in (1, 2, 5, 6)] == [50, 0, 5, 0]
    assert (result_of(batch).given, result_of(batch).taken) == (30, 0)


def test_an_undo_that_is_killed_goes_on(program, members, mia, monkeypatch):
    monkeypatch.setattr(bulk_posting, "CHUNK", 8)
    batch = posted(adjustment(program, mia, rows_of([30] * 30)), mia)
    batch = undo_bulk(batch=batch, actor=mia, now=NOW)
    killed_after(monkeypatch, bulk_posting, "_chunk", 2)
    with pytest.raises(Killed):
        run_job(batch.job_id)
    worked(resume_bulk(batch=batch, actor=mia))
    assert [spendable("c1"), spendable("c30")] == [50, 0]
    assert Transfer.objects.filter(kind="reversal").count() == 30


def test_undone_is_undone(program, members, mia):
    batch = posted(adjustment(program, mia, rows_of([30])), mia)
    worked(undo_bulk(batch=batch, actor=mia, now=NOW))
    with pytest.raises(ConflictError):
        undo_bulk(batch=batch, actor=mia, now=NOW)
    with pytest.raises(ConflictError):
        post_bulk(batch=batch, actor=mia, now=NOW)


def test_posting_twice_starts_it_once(program, members, mia):
    batch = adjustment(program, mia, rows_of([30]))
    post_bulk(batch=batch, actor=mia, now=NOW)
    with pytest.raises(ConflictError):
        post_bulk(batch=batch, actor=mia, now=NOW)


def erase_member(number):
    customer = Customer.objects.get(external_id=number)
    Customer.objects.filter(pk=customer.pk).update(given_name="Ana")
    customer.refresh_from_db()
    erase_customer_details(customer=customer, actor=SYSTEM)


def test_who_is_erased_after_the_check_is_refused_and_what_they_have_is_not_undone(
    program, members, mia
):
    batch = adjustment(program, mia, rows_of([5] * 6))
    erase_member("c2")
    batch = posted(batch, mia)
    refused = batch.rows.get(state="refused")
    assert (refused.wallet_id, refused.transfer) == (members[1].pk, None)
    assert "erased meanwhile" in refused.problems[0][2]
    assert [spendable(f"c{number}") for number in (2, 3)] == [0, 5]
    alone = batch.rows.get(wallet=members[4]).transfer
    undo_transfer(transfer=alone, actor=mia, source="backoffice", now=NOW)
    for number in ("c4", "c5"):
        erase_member(number)
    batch = worked(undo_bulk(batch=batch, actor=mia, now=NOW))
    kept = batch.rows.get(state="kept")
    assert kept.wallet_id == members[3].pk
    assert "erased meanwhile" in kept.problems[0][2]
    assert [spendable(f"c{number}") for number in (3, 4, 5)] == [0, 5, 0]


def test_who_was_erased_is_looked_up_once_for_a_piece(program, members, mia):
    batch = post_bulk(batch=adjustment(program, mia, rows_of([5] * 30)), actor=mia, now=NOW)
    with CaptureQueriesContext(connection) as asked:
        worked(batch)
    found = [query for query in asked if "customer.erased" in query["sql"]]
    assert len(found) == 1
