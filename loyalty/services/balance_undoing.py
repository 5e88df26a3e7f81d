"""Undoing an import of balances: each movement is reversed, as adjustments are. What was spent
since stays, and is named. A second run finds nothing left to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.errors import InsufficientBalanceError
from loyalty.models import ImportBatch, Program, Transfer, WalletType
from loyalty.services.adjustments import reversal_entry, undo_key
from loyalty.services.balance_imports import KIND, UNDO, open_balance_undo
from loyalty.services.bulk_posting import Outcome, post_by_halves
from loyalty.services.import_jobs import actor_of, is_dry
from loyalty.services.undo_jobs import (
    Piece,
    Work,
    begin_undo,
    check_asked,
    check_left,
    counts_in_words,
    go_on,
    next_piece,
)
from members.formatting import format_units
from members.models import Job, JobError
from members.services.audit import Actor
from members.services.job_runs import Step, run_in_chunks
from members.services.jobs import record_job_errors

AT_ONCE = 200
# What was booked, by kind: how much is there still, and how much was taken back (`undo_key`).
_PREVIEW = """
SELECT t.wallet_type_id, count(*) FILTER (WHERE u.id IS NULL), count(u.id),
       coalesce(sum(t.amount) FILTER (WHERE u.id IS NULL), 0)::bigint
  FROM (SELECT unnest(transfers) AS id FROM loyalty_importbatch WHERE job_id = %s) b
  JOIN loyalty_transfer t ON t.id = b.id
  LEFT JOIN loyalty_transfer u ON u.key = 'undo:' || t.id
 GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class BalanceUndoPreview:
    """`due`: movements that would be reversed, with their units by kind; `undone`: those that were
    already. `known`: it is kept what the import brought."""

    known: bool
    due: int
    undone: int
    units: Sequence[tuple[WalletType, int]] = ()


def preview_balance_undo(job: Job) -> BalanceUndoPreview:
    """What undoing this import would take back, as things stand now."""
    with connection.cursor() as cursor:
        cursor.execute(_PREVIEW, [job.pk])
        found = {kind: (due, undone, units) for kind, due, undone, units in cursor.fetchall()}
    kinds = WalletType.objects.filter(pk__in=found).select_related("program").order_by("pk")
    return BalanceUndoPreview(
        known=bool(found),
        due=sum(due for due, _undone, _units in found.values()),
        undone=sum(undone for _due, undone, _units in found.values()),
        units=[(kind, found[kind.pk][2]) for kind in kinds if found[kind.pk][0]],
    )


@transaction.atomic
def start_balance_undo(*, job: Job, reason: str, actor: Actor, erase: bool = False) -> Job:
    """A waiting job that undoes this import, to be queued; the unfinished one if there is one.
    Nobody is erased with it (`erase`): people stay, with all else that is known of them."""
    row = Job.objects.select_for_update(no_key=True).get(pk=job.pk, kind=KIND)
    reason = check_asked(reason, actor, erase=False)
    begun = open_balance_undo(row)
    if begun is not None:
        return go_on(begun, actor)
    preview = preview_balance_undo(row)
    refuse_balance_undo(row, preview)
    return begin_undo(
        UNDO, row, reason=reason, actor=actor, erase=False, total=preview.due + preview.undone,
        about=Program.objects.get(pk=row.params["program"]), due={"movements": preview.due},
    )  # fmt: skip


def refuse_balance_undo(job: Job, preview: BalanceUndoPreview, *, erase: bool = False) -> None:
    """Raise ConflictError, saying why it cannot be undone."""
    unknown = _("This import has booked nothing.")
    check_left(job, known=preview.known and not is_dry(job), left=bool(preview.due),
               unknown=unknown)  # fmt: skip


def run_balance_undo(job_id: int) -> Job | None:
    """Undo what is left; None when another run has it."""
    return run_in_chunks(job_id, _piece)


def balance_undo_words(job: Job) -> str:
    """What came of it, for people."""
    words = {
        "canceled": _("%s balances taken back"),
        "void": _("%s had been taken back already"),
        "kept": _("%s could not be undone"),
    }
    return counts_in_words(job, words)


def _piece(job: Job) -> Step | None:
    work: Work[ImportBatch] = {"balances": _take_back}
    batches = ImportBatch.objects.filter(job=job.params["import"])
    return next_piece(job, batches, work, ("canceled", "void", "kept"))


def _take_back(batch: ImportBatch, place: int, job: Job) -> Piece:
    ahead = place + AT_ONCE
    keys = batch.transfers[place:ahead]
    gone, now, actor = _undone(keys), timezone.now(), actor_of(job)
    transfers = list(
        Transfer.objects.filter(pk__in=set(keys) - gone)
        .select_related("wallet__merged_into", "wallet__wallet_type__program")
        .order_by("pk")
    )
    source = Transfer.Source.IMPORT.value
    entries = [
        reversal_entry(
            transfer=item, wallet=item.wallet, actor=actor, source=source, now=now, note="",
            explanation={"opening": item.explanation.get("opening", "")},
        )
        for item in transfers
    ]  # fmt: skip
    outcomes = post_by_halves(entries, now) if entries else {}
    kept = [
        _kept(item, outcomes[entry["key"]])
        for item, entry in zip(transfers, entries, strict=True)
        if not isinstance(outcomes[entry["key"]], int)
    ]
    record_job_errors(job, kept)
    counts = Counter(canceled=len(entries) - len(kept), void=len(gone), kept=len(kept))
    return Piece(counts, len(keys), ahead if ahead < len(batch.transfers) else None)


def _undone(keys: Sequence[int]) -> set[int]:
    by_key = {undo_key(pk): pk for pk in keys}
    found = Transfer.objects.filter(key__in=by_key).values_list("key", flat=True)
    return {by_key[key] for key in found}


def _kept(transfer: Transfer, outcome: Outcome) -> JobError:
    if isinstance(outcome, InsufficientBalanceError):
        left = format_units(outcome.spendable, transfer.wallet.wallet_type)
        reason = _("Spent meanwhile: only %s are left.") % left
    else:
        reason = str(getattr(outcome, "message", ""))
    return JobError(
        file="balances", row=transfer.pk, column="reference", reason=reason[:300],
        value=str(transfer.explanation.get("opening", ""))[:200], code="spent",
    )  # fmt: skip
