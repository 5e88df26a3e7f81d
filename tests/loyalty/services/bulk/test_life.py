"""Who may post a batch, who has to agree, and what the database holds of it."""

import pytest
from django.db import DatabaseError, transaction

from loyalty.errors import LedgerError
from loyalty.explanations import explain_transfer
from loyalty.models import (
    AdjustmentLimit,
    BulkAdjustment,
    BulkRow,
    Transfer,
)
from loyalty.selectors.adjustment_limits import moved_today
from loyalty.services.adjustment_requests import WAITS, expire_requests
from loyalty.services.bulk_adjustments import (
    Plan,
    approve_bulk,
    create_bulk,
    post_bulk,
    reject_bulk,
    undo_bulk,
    withdraw_bulk,
)
from loyalty.services.bulk_sources import from_rows
from members.errors import ConflictError, DomainError
from members.models import AuditEntry
from members.services.audit import Actor
from tests.factories import ApiKeyFactory, StaffMemberFactory
from tests.loyalty.factories import NOW, adjust, spendable
from tests.loyalty.services.bulk.batches import adjustment, checked, grant, posted, rows_of, worked


def test_the_same_rows_twice_are_noticed(program, members, mia):
    posted(adjustment(program, mia, rows_of([30])), mia)
    again = adjustment(program, mia, rows_of([30]))
    with pytest.raises(ConflictError) as refused:
        post_bulk(batch=again, actor=mia, now=NOW)
    assert refused.value.code == "same_rows"
    worked(post_bulk(batch=again, actor=mia, now=NOW, again=True))
    assert spendable("c1") == 110


def test_the_same_rows_after_an_undo_are_no_surprise(program, members, mia):
    first = posted(adjustment(program, mia, rows_of([30])), mia)
    worked(undo_bulk(batch=first, actor=mia, now=NOW))
    assert posted(adjustment(program, mia, rows_of([30])), mia).state == "posted"


def test_only_who_made_it_posts_it(program, members, mia, ada):
    batch = adjustment(program, mia, rows_of([30]))
    with pytest.raises(LedgerError):
        post_bulk(batch=batch, actor=ada, now=NOW)
    with pytest.raises(LedgerError):
        withdraw_bulk(batch=batch, actor=ada)
    withdraw_bulk(batch=batch, actor=mia)
    with pytest.raises(ConflictError):
        post_bulk(batch=batch, actor=mia, now=NOW)


def test_a_key_makes_posts_and_undoes_within_no_limit_and_asks_nobody(program, members, mia):
    key = ApiKeyFactory()
    shop, other = Actor.of_api_key(key), Actor.of_api_key(ApiKeyFactory())
    plan = Plan(kind="adjustment", wallet_type=program.wallet_types.get(), reason="goodwill")
    rows = [{"customer_id": "c1", "units": "60000"}, {"customer_id": "c2", "units": "1"}]
    batch = checked(create_bulk(plan=plan, source=from_rows(rows, "Recount"), actor=shop, now=NOW))
    assert (batch.member_count, batch.made_by, batch.job.created_by) == (2, f"API key {key}", None)
    for stranger in (mia, other):
        with pytest.raises(LedgerError):
            post_bulk(batch=batch, actor=stranger, now=NOW)
        with pytest.raises(LedgerError):
            withdraw_bulk(batch=batch, actor=stranger)
    batch = posted(batch, shop)
    assert (batch.state, spendable("c1")) == ("posted", 60_050)
    made = batch.rows.first().transfer
    assert (made.source, made.actor) == ("api", None)
    with pytest.raises(LedgerError):
        undo_bulk(batch=batch, actor=mia, now=NOW)  # more than the role's limit at once
    batch = worked(undo_bulk(batch=batch, actor=other, now=NOW))
    assert (batch.state, batch.taken_back_by) == ("undone", f"API key {other.api_key}")
    assert spendable("c1") == 50
    assert AuditEntry.objects.filter(
        action="bulk_adjustment.posted", actor_label=f"API key {key}"
    ).exists()


def test_staff_undo_what_a_key_has_posted(program, members, ada):
    shop = Actor.of_api_key(ApiKeyFactory())
    plan = Plan(kind="adjustment", wallet_type=program.wallet_types.get(), reason="goodwill")
    rows = [{"customer_id": "c1", "units": "7"}]
    batch = checked(create_bulk(plan=plan, source=from_rows(rows, "More"), actor=shop, now=NOW))
    batch = worked(undo_bulk(batch=posted(batch, shop), actor=ada, now=NOW))
    undone = Transfer.objects.get(kind="reversal")
    assert (batch.state, undone.source, undone.actor) == ("undone", "backoffice", ada.user)


def test_the_database_wants_a_person_or_a_key(program, members, mia):
    batch = adjustment(program, mia, rows_of([30]))
    for wrong in ({"created_by": None}, {"api_key": ApiKeyFactory()}):
        with pytest.raises(DatabaseError), transaction.atomic():
            BulkAdjustment.objects.filter(pk=batch.pk).update(**wrong)


def test_what_holds_nothing_to_post_is_not_posted(program, members, mia):
    batch = adjustment(program, mia, "customer_id,units\nnobody,5")
    with pytest.raises(ConflictError) as refused:
        post_bulk(batch=batch, actor=mia, now=NOW)
    assert refused.value.code == "nothing_to_post"


def test_above_the_limit_a_second_person_lets_it_through_as_a_whole(program, members, mia, ada):
    batch = adjustment(program, mia, rows_of([4_000, 4_000, 2_001]))
    batch = post_bulk(batch=batch, actor=mia, now=NOW)
    assert (batch.state, spendable("c2")) == ("waiting", 0)
    with pytest.raises(LedgerError):
        approve_bulk(batch=batch, actor=mia, now=NOW)
    batch = worked(approve_bulk(batch=batch, actor=ada, now=NOW, note="Agreed"))
    assert (batch.state, batch.decided_by, spendable("c2")) == ("posted", ada.user, 4_000)
    assert moved_today(mia.user, "marketing_manager", program, NOW) == 0
    steps = explain_transfer(batch.rows.first().transfer, audience="staff").steps
    assert f"Approved by: {ada.user}." in steps


def test_the_sum_counts_given_and_taken_alike(program, members, mia):
    adjust(members[0], 6_000, "more")
    batch = adjustment(program, mia, rows_of([-6_000, 4_001]))
    assert post_bulk(batch=batch, actor=mia, now=NOW).state == "waiting"


def test_a_manager_approves_others_up_to_the_managers_limit(program, members, mia, ada):
    other = Actor.of_user(StaffMemberFactory(role="marketing_manager").user)
    small = post_bulk(batch=adjustment(program, mia, rows_of([25_000, 25_000])), actor=mia, now=NOW)
    large = post_bulk(batch=adjustment(program, mia, rows_of([25_000, 25_001])), actor=mia, now=NOW)
    with pytest.raises(LedgerError):
        approve_bulk(batch=large, actor=other, now=NOW)
    assert worked(approve_bulk(batch=small, actor=other, now=NOW)).state == "posted"
    large = worked(approve_bulk(batch=large, actor=ada, now=NOW))
    with pytest.raises(LedgerError) as refused:
        undo_bulk(batch=large, actor=mia, now=NOW)
    assert refused.value.code == "limit_exceeded"
    assert worked(undo_bulk(batch=large, actor=ada, now=NOW)).state == "undone"


def test_a_rejection_says_why_and_nothing_moves(program, members, mia, ada):
    batch = post_bulk(batch=adjustment(program, mia, rows_of([20_000])), actor=mia, now=NOW)
    with pytest.raises(DomainError):
        reject_bulk(batch=batch, actor=ada, now=NOW, note="")
    batch = reject_bulk(batch=batch, actor=ada, now=NOW, note="Too generous")
    assert (batch.state, batch.decision_note) == ("rejected", "Too generous")
    with pytest.raises(ConflictError):
        approve_bulk(batch=batch, actor=ada, now=NOW)
    assert spendable("c1") == 50


def test_what_nobody_answers_expires(program, members, mia, ada):
    batch = post_bulk(batch=adjustment(program, mia, rows_of([20_000])), actor=mia, now=NOW)
    with pytest.raises(ConflictError):
        approve_bulk(batch=batch, actor=ada, now=NOW + WAITS)
    assert expire_requests(now=NOW + WAITS) == 1
    batch.refresh_from_db()
    assert batch.state == "expired"


def test_a_batch_counts_for_the_day_as_a_whole_from_its_begin(program, members, mia):
    AdjustmentLimit.objects.filter(role="marketing_manager").update(most_in_a_day=10_000)
    post_bulk(batch=adjustment(program, mia, rows_of([6_000])), actor=mia, now=NOW)
    assert moved_today(mia.user, "marketing_manager", program, NOW) == 6_000
    second = adjustment(program, mia, rows_of([4_001]))
    with pytest.raises(LedgerError) as refused:
        post_bulk(batch=second, actor=mia, now=NOW)
    assert refused.value.code == "day_limit_exceeded"
    posted(adjustment(program, mia, rows_of([4_000])), mia)
    assert moved_today(mia.user, "marketing_manager", program, NOW) == 10_000


def test_a_gift_is_read_by_the_member(program, members, mia):
    batch = posted(grant(program, mia, ["c2", "c3"], note="Top reviewers"), mia)
    transfer = batch.rows.first().transfer
    told = explain_transfer(transfer)
    assert (told.title, told.message) == ("A gift for you", "Thank you!")
    assert told.steps == ("Reason: A surprise.",)
    staff = explain_transfer(transfer, audience="staff")
    assert staff.title == "Gift: A surprise"
    assert "Message: Thank you!." not in told.steps
    assert "Note: Top reviewers." in staff.steps


def test_a_gift_stays_within_its_budget(program, members, mia):
    batch = grant(program, mia, ["c1", "c2", "c3"], budget=299)
    with pytest.raises(ConflictError) as refused:
        post_bulk(batch=batch, actor=mia, now=NOW)
    assert refused.value.code == "over_budget"
    with pytest.raises(DatabaseError, match="within_budget"), transaction.atomic():
        BulkAdjustment.objects.filter(pk=batch.pk).update(state="posting", posted_at=NOW)
    assert posted(grant(program, mia, ["c1", "c2"], budget=200), mia).given == 200


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"state": "posted"}, "bulk_adjustment_state"),
        ({"state": "waiting"}, "bulk_adjustment_state"),
        ({"units_each": 5}, "bulk_adjustment_grant"),
        ({"given": -1}, "bulk_adjustment_sums"),
        ({"decided_at": NOW}, "bulk_adjustment_"),
    ],
)
def test_the_database_keeps_a_batch_coherent(program, members, mia, changes, constraint):
    batch = adjustment(program, mia, rows_of([1]))
    with pytest.raises(DatabaseError, match=constraint), transaction.atomic():
        BulkAdjustment.objects.filter(pk=batch.pk).update(**changes)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"state": "posted"}, "bulk_row_state"),
        ({"wallet": None}, "bulk_row_state"),
        ({"units": 0}, "bulk_row_moves_something"),
        ({"number": 3}, "bulk_row_once"),
    ],
)
def test_the_database_keeps_rows_coherent(program, members, mia, changes, constraint):
    batch = adjustment(program, mia, rows_of([1, 2]))
    with pytest.raises(DatabaseError, match=constraint), transaction.atomic():
        BulkRow.objects.filter(batch=batch, number=2).update(**changes)


def test_nobody_decides_their_own_whatever_the_code_says(program, members, mia):
    batch = post_bulk(batch=adjustment(program, mia, rows_of([20_000])), actor=mia, now=NOW)
    with pytest.raises(DatabaseError, match="other_person"), transaction.atomic():
        BulkAdjustment.objects.filter(pk=batch.pk).update(
            state="posting", decided_by=mia.user, decided_at=NOW, posted_at=NOW
        )
