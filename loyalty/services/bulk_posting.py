"""Posting the rows of a bulk adjustment, and undoing them: chunk by chunk, each in one transaction
with how far the job is, so that work that is killed goes on where it stopped and moves nothing
twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.errors import (
    InsufficientBalanceError,
    LedgerError,
)
from loyalty.ledger.posting import Movement, post
from loyalty.models import AdjustmentReason, BulkAdjustment, BulkRow, Transfer, Wallet
from loyalty.selectors.adjustment_reasons import find_reason
from loyalty.selectors.erased_holders import accounts_of_erased
from loyalty.services.adjustments import (
    adjustment_entry,
    reversal_entry,
    terms_of,
    undo_key,
)
from loyalty.services.bulk_rows import require_state, write_rows
from members.formatting import format_units
from members.models import ApiKey, Job, User
from members.selectors.erased import was_erased
from members.services.audit import Actor
from members.services.job_runs import Step, run_in_chunks

POST, UNDO = "bulk_post", "bulk_undo"
CHUNK = 500
State = BulkAdjustment.State

# What became of a row's movement: the transfer's key, or why there is none.
Outcome = int | LedgerError
Build = Callable[[BulkRow, dt.datetime], Movement]


@dataclass(frozen=True, slots=True)
class Way:
    """One way through the rows: which are due, their movements, and what the batch is meanwhile
    and in the end."""

    due: BulkRow.State
    movements: Callable[[Sequence[BulkRow], dt.datetime], list[Movement]]
    conclude: Callable[[BulkRow, Outcome], None]
    meanwhile: BulkAdjustment.State
    end: BulkAdjustment.State


def run_posting(job_id: int) -> Job | None:
    """Post every good row; one that cannot be posted any more is refused by itself."""
    return run_in_chunks(job_id, _posting_chunk)


def run_undoing(job_id: int) -> Job | None:
    """Undo every posted row; what was spent meanwhile stays, and is named."""
    return run_in_chunks(job_id, _undoing_chunk)


def _posting_chunk(job: Job) -> Step | None:
    batch = _batch(job)
    return _chunk(job, batch, Way(
        BulkRow.State.GOOD, _Posting(batch).movements, _conclude_posting,
        State.POSTING, State.POSTED,
    ))  # fmt: skip


def _undoing_chunk(job: Job) -> Step | None:
    batch = _batch(job)
    return _chunk(job, batch, Way(
        BulkRow.State.POSTED, _Undoing(batch).movements, _conclude_undoing,
        State.UNDOING, State.UNDONE,
    ))  # fmt: skip


def _chunk(job: Job, batch: BulkAdjustment, way: Way) -> Step | None:
    if job.checkpoint.get("finished"):
        return None
    require_state(batch, way.meanwhile)
    # Beyond the last one seen: the database need not walk over those that were due.
    last = job.checkpoint.get("last", 0)
    due = batch.rows.filter(state=way.due, number__gt=last).select_related(
        "wallet__merged_into", "transfer__wallet"
    )
    rows = list(due.order_by("number")[:CHUNK])
    _move(batch, way, rows)
    if len(rows) == CHUNK:
        return Step({"last": rows[-1].number}, job.done + len(rows))
    BulkAdjustment.objects.filter(pk=batch.pk).update(state=way.end)
    counts = batch.rows.order_by().values_list("state").annotate(count=Count("pk"))
    return Step({"finished": True}, job.done + len(rows), result=dict(counts))


def _move(batch: BulkAdjustment, way: Way, rows: Sequence[BulkRow]) -> None:
    now = timezone.now()
    for row in rows:
        assert row.wallet is not None
        row.wallet = row.wallet.merged_into or row.wallet
        row.wallet.wallet_type = batch.wallet_type
    known, erased = _parted(rows)
    movements = way.movements(known, now)
    outcomes = post_by_halves(movements, now) if movements else {}
    for row, entry in zip(known, movements, strict=True):
        way.conclude(row, outcomes[entry["key"]])
    gone = was_erased()
    for row in erased:
        way.conclude(row, LedgerError(gone.message, code=gone.code))
    write_rows(rows)


def _parted(rows: Sequence[BulkRow]) -> tuple[list[BulkRow], list[BulkRow]]:
    """Those of members who are known, and of those who were erased since the rows were checked."""
    accounts = {row: row.wallet.account_id for row in rows if row.wallet is not None}
    gone = accounts_of_erased(accounts.values())
    erased = [row for row in rows if accounts[row] in gone]
    return [row for row in rows if accounts[row] not in gone], erased


def post_by_halves(movements: Sequence[Movement], now: dt.datetime) -> dict[str, Outcome]:
    """All at once; where one is refused, by halves until it stands alone."""
    try:
        with transaction.atomic():
            return {item.key: item.transfer_id for item in post(movements, now=now)}
    except LedgerError as error:
        if len(movements) == 1:
            return {movements[0]["key"]: error}
    half = len(movements) // 2
    return post_by_halves(movements[:half], now) | post_by_halves(movements[half:], now)


class _Posting:
    """The movements that a batch is about."""

    def __init__(self, batch: BulkAdjustment) -> None:
        self.batch = batch
        self.actor, self.source = _on_behalf_of(batch.created_by, batch.api_key)
        reason = find_reason(batch.reason)
        assert reason is not None  # rows of reasons stay
        self.reason: AdjustmentReason = reason
        self.explanation = _explanation(batch)

    def movements(self, rows: Sequence[BulkRow], now: dt.datetime) -> list[Movement]:
        terms = terms_of(self.batch.wallet_type, now)
        entries = []
        for row in rows:
            assert row.wallet is not None
            assert row.units is not None
            entries.append(
                adjustment_entry(
                    wallet=row.wallet,
                    units=row.units,
                    terms=terms,
                    reason=self.reason,
                    note=row.note,
                    actor=self.actor,
                    key=f"bulk:{self.batch.pk}:{row.number}",
                    source=self.source,
                    now=now,
                    explanation=self.explanation,
                )
            )
        return entries


def _wallet(transfer: Transfer, batch: BulkAdjustment) -> Wallet:
    """The wallet that a row's movement was in."""
    transfer.wallet.wallet_type = batch.wallet_type
    return transfer.wallet


class _Undoing:
    """The movements that take a batch back."""

    def __init__(self, batch: BulkAdjustment) -> None:
        self.batch = batch
        self.actor, self.source = _on_behalf_of(batch.undone_by, batch.undone_key)

    def movements(self, rows: Sequence[BulkRow], now: dt.datetime) -> list[Movement]:
        entries = []
        for row in rows:
            assert row.wallet is not None
            assert row.transfer is not None
            entries.append(
                reversal_entry(
                    transfer=row.transfer,
                    wallet=_wallet(row.transfer, self.batch),
                    actor=self.actor,
                    source=self.source,
                    now=now,
                    note="",
                    explanation={"bulk": self.batch.pk},
                )
            )
        return entries


def _conclude_posting(row: BulkRow, outcome: Outcome) -> None:
    if isinstance(outcome, int):
        row.state, row.transfer_id, row.problems = BulkRow.State.POSTED, outcome, []
    else:
        row.state, row.transfer_id = BulkRow.State.REFUSED, None
        row.problems = [["units", "", _why_not(row, outcome)]]


def _conclude_undoing(row: BulkRow, outcome: Outcome) -> None:
    # Somebody else had undone this one alone, in other words, or before they were erased.
    if isinstance(outcome, int) or _is_undone(row):
        row.state, row.problems = BulkRow.State.UNDONE, []
    else:
        row.state, row.problems = BulkRow.State.KEPT, [["units", "", _why_kept(row, outcome)]]


def _is_undone(row: BulkRow) -> bool:
    assert row.transfer_id is not None
    return Transfer.objects.filter(key=undo_key(row.transfer_id)).exists()


def _why_not(row: BulkRow, error: LedgerError) -> str:
    if isinstance(error, InsufficientBalanceError):
        return _("Only %s can be taken away.") % _words(row, error.spendable)
    return str(error.message)[:300]


def _why_kept(row: BulkRow, error: LedgerError) -> str:
    if isinstance(error, InsufficientBalanceError):
        return _("Spent meanwhile: only %s are left.") % _words(row, error.spendable)
    return str(error.message)[:300]


def _words(row: BulkRow, units: int) -> str:
    assert row.wallet is not None
    return format_units(units, row.wallet.wallet_type)


def _on_behalf_of(user: User | None, key: ApiKey | None) -> tuple[Actor, str]:
    """Who moves the units, and where they said so."""
    if key is not None:
        return Actor.of_api_key(key), Transfer.Source.API.value
    assert user is not None
    return Actor.of_user(user), Transfer.Source.BACKOFFICE.value


def _explanation(batch: BulkAdjustment) -> dict[str, Any]:
    said: dict[str, Any] = {"bulk": batch.pk}
    if batch.kind == BulkAdjustment.Kind.GRANT:
        said["grant"] = True
    if batch.message:
        said["message"] = batch.message
    if batch.decided_by is not None:
        said["approved_by"] = str(batch.decided_by)
    return said


def _batch(job: Job) -> BulkAdjustment:
    return BulkAdjustment.objects.select_related(
        "wallet_type__program", "created_by", "api_key", "decided_by", "undone_by", "undone_key"
    ).get(pk=job.params["bulk"])
