"""Undoing an import of balances: each movement is reversed, as adjustments are, what is owed is
settled; then gift cards that it made are canceled, and pools left, unless they were used. What was
spent since stays, and is named. A second run finds nothing left to do."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.errors import InsufficientBalanceError, LedgerError
from loyalty.ledger.posting import Movement, lock_wallets
from loyalty.models import (
    Account,
    ImportBatch,
    PoolMember,
    Program,
    Transfer,
    Wallet,
    WalletType,
)
from loyalty.services.adjustments import reversal_entry, undo_key
from loyalty.services.balance_imports import KIND, UNDO
from loyalty.services.balance_pools import take_out
from loyalty.services.balance_rows import CARD, POOL
from loyalty.services.bearers import bearers
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
    open_undo,
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
       coalesce(sum(CASE WHEN t.from_account_id = w.account_id THEN -t.amount ELSE t.amount END)
                FILTER (WHERE u.id IS NULL), 0)::bigint
  FROM (SELECT unnest(transfers) AS id FROM loyalty_importbatch WHERE job_id = %s) b
  JOIN loyalty_transfer t ON t.id = b.id
  JOIN loyalty_wallet w ON w.id = t.wallet_id
  LEFT JOIN loyalty_transfer u ON u.key = 'undo:' || t.id
 GROUP BY 1
"""
_HOLDERS = """
SELECT DISTINCT a.kind
  FROM (SELECT unnest(transfers) AS id FROM loyalty_importbatch WHERE job_id = %s) b
  JOIN loyalty_transfer t ON t.id = b.id
  JOIN loyalty_wallet w ON w.id = t.wallet_id
  JOIN loyalty_account a ON a.id = w.account_id
"""


@dataclass(frozen=True, slots=True)
class BalanceUndoPreview:
    """`due`: movements that would be reversed, with their units by kind; `undone`: those that were
    already. `known`: it is kept what the import brought. `cards`, `members`: gift cards that it
    made, and who came into a pool by it."""

    known: bool
    due: int
    undone: int
    units: Sequence[tuple[WalletType, int]] = ()
    cards: int = 0
    members: int = 0


def preview_balance_undo(job: Job) -> BalanceUndoPreview:
    """What undoing this import would take back, as things stand now."""
    with connection.cursor() as cursor:
        cursor.execute(_PREVIEW, [job.pk])
        found = {kind: (due, undone, units) for kind, due, undone, units in cursor.fetchall()}
    kinds = WalletType.objects.filter(pk__in=found).select_related("program").order_by("pk")
    cards, members = _made_by(job)
    return BalanceUndoPreview(
        known=bool(found) or ImportBatch.objects.filter(job=job).exists(),
        cards=cards, members=members,
        due=sum(due for due, _undone, _units in found.values()),
        undone=sum(undone for _due, undone, _units in found.values()),
        units=[(kind, found[kind.pk][2]) for kind in kinds if found[kind.pk][0]],
    )  # fmt: skip


def _made_by(job: Job) -> tuple[int, int]:
    """How many gift cards, and people in pools, are there still."""
    batches = ImportBatch.objects.filter(job=job)
    made = list(batches.values_list("gift_cards", "pool_members"))
    there = PoolMember.objects.filter(
        pk__in=[key for _cards, members in made for key in members], left_at=None
    )
    cards = {key for cards, _members in made for key in cards}
    return bearers().there(cards) if cards else 0, there.count()


def kinds_brought(job: Job) -> set[str]:
    """Of whom it is, apart from members, what an import booked: of pools, of gift cards."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS, [job.pk])
        accounts = {kind for (kind,) in cursor.fetchall()}
    made = list(ImportBatch.objects.filter(job=job).values_list("gift_cards", "pool_members"))
    pools = Account.Kind.POOL in accounts or any(members for _cards, members in made)
    cards = Account.Kind.BEARER in accounts or any(cards for cards, _members in made)
    return {kind for kind, there in ((POOL, pools), (CARD, cards)) if there}


@transaction.atomic
def start_balance_undo(*, job: Job, reason: str, actor: Actor, erase: bool = False) -> Job:
    """A waiting job that undoes this import, to be queued; the unfinished one if there is one.
    Nobody is erased with it (`erase`): people stay, with all else that is known of them."""
    row = Job.objects.select_for_update(no_key=True).get(pk=job.pk, kind=KIND)
    reason = check_asked(reason, actor, erase=False)
    begun = open_undo(UNDO, row)
    if begun is not None:
        return go_on(begun, actor)
    preview = preview_balance_undo(row)
    refuse_balance_undo(row, preview)
    return begin_undo(
        UNDO, row, reason=reason, actor=actor, erase=False,
        total=preview.due + preview.undone + preview.cards + preview.members,
        about=Program.objects.get(pk=row.params["program"]), due={"movements": preview.due},
    )  # fmt: skip


def refuse_balance_undo(job: Job, preview: BalanceUndoPreview, *, erase: bool = False) -> None:
    """Raise ConflictError, saying why it cannot be undone."""
    unknown = _("This import has booked nothing.")
    left = bool(preview.due or preview.cards or preview.members)
    check_left(job, known=preview.known and not is_dry(job), left=left, unknown=unknown)


def run_balance_undo(job_id: int) -> Job | None:
    """Undo what is left; None when another run has it."""
    return run_in_chunks(job_id, _piece)


def balance_undo_words(job: Job) -> str:
    """What came of it, for people."""
    words = {
        "canceled": _("%s balances taken back"),
        "closed": _("%s gift cards canceled"),
        "left": _("%s taken out of pools"),
        "void": _("%s had been taken back already"),
        "kept": _("%s could not be undone"),
    }
    return counts_in_words(job, words)


def _piece(job: Job) -> Step | None:
    work: Work[ImportBatch] = {
        "balances": _take_back, "cards": _cancel_cards, "pools": _leave_pools,
    }  # fmt: skip
    batches = ImportBatch.objects.filter(job=job.params["import"])
    return next_piece(job, batches, work, ("canceled", "closed", "left", "void", "kept"))


def _take_back(batch: ImportBatch, place: int, job: Job) -> Piece:
    # What is owed was booked first: it goes last.
    keys = [*reversed(batch.transfers)][place : place + AT_ONCE]
    ahead = place + AT_ONCE
    gone, now = _undone(keys), timezone.now()
    found = Transfer.objects.select_related("wallet__merged_into", "wallet__wallet_type__program")
    transfers = list(found.filter(pk__in=set(keys) - gone).order_by("pk"))
    debts = [item for item in transfers if item.debt_change > 0]
    taken = _post([item for item in transfers if item.debt_change <= 0], job, now)
    taken |= _settle(debts, job, now)
    kept = [
        _kept(item, outcome) for item in transfers if not isinstance(outcome := taken[item.pk], int)
    ]
    record_job_errors(job, kept)
    counts = Counter(canceled=len(transfers) - len(kept), void=len(gone), kept=len(kept))
    return Piece(counts, len(keys), ahead if ahead < len(batch.transfers) else None)


def _post(transfers: Sequence[Transfer], job: Job, now: dt.datetime) -> dict[int, Outcome]:
    """By movement the one that reversed it, or why not."""
    entries = {item.pk: _entry(item, job, now) for item in transfers}
    outcomes = post_by_halves(list(entries.values()), now) if entries else {}
    return {pk: outcomes[entry["key"]] for pk, entry in entries.items()}


def _settle(debts: Sequence[Transfer], job: Job, now: dt.datetime) -> dict[int, Outcome]:
    """What is owed is less by what the import brought, where as much is owed still; by who was
    merged since, where all of theirs is now."""
    holders = {item.pk: item.wallet.merged_into or item.wallet for item in debts}
    keys = {holder.pk for holder in holders.values()}
    lock_wallets(sorted(keys))
    owed = dict(Wallet.objects.filter(pk__in=keys).values_list("pk", "owed"))
    taken: dict[int, Outcome] = {}
    due = []
    for item in debts:
        holder = holders[item.pk]
        if item.debt_change == item.amount <= owed[holder.pk]:
            owed[holder.pk] -= item.amount
            due.append(_settling(item, holder, job, now))
        else:
            words = _("A part of what was owed has been paid meanwhile.")
            taken[item.pk] = LedgerError(words, code="spent")
    outcomes = post_by_halves(due, now) if due else {}
    keyed = {undo_key(item.pk): item.pk for item in debts}
    return taken | {keyed[entry["key"]]: outcomes[entry["key"]] for entry in due}


def _settling(transfer: Transfer, holder: Wallet, job: Job, now: dt.datetime) -> Movement:
    entry = {**_entry(transfer, job, now), "dir": "settle", "own": None}
    if holder == transfer.wallet:
        return entry
    return {**entry, "w": holder.pk, "a": holder.account_id, "rev": None, "cor": transfer.pk}


def _entry(transfer: Transfer, job: Job, now: dt.datetime) -> Movement:
    told = {"opening": transfer.explanation.get("opening", "")}
    if transfer.kind == Transfer.Kind.DEPOSIT:
        told["undone"] = Transfer.Kind.DEPOSIT.value
    return reversal_entry(
        transfer=transfer, wallet=transfer.wallet, actor=actor_of(job), note="", now=now,
        source=Transfer.Source.IMPORT.value, explanation=told,
    )  # fmt: skip


def _cancel_cards(batch: ImportBatch, _place: int, _job: Job) -> Piece:
    """One on which something is left was named with its balance."""
    now = timezone.now()
    closed = sum(bearers().take_back(card, now) for card in set(batch.gift_cards))
    return Piece(Counter(closed=closed), len(batch.gift_cards))


def _leave_pools(batch: ImportBatch, _place: int, job: Job) -> Piece:
    """Owners, who came first, go last."""
    places = PoolMember.objects.filter(pk__in=batch.pool_members, left_at=None)
    kept, left = [], 0
    for place in places.select_related("pool__program", "membership__customer").order_by("-pk"):
        if take_out(place, actor=actor_of(job), now=timezone.now()):
            left += 1
        else:
            reason = _("%s was used meanwhile: they stay in it.") % place.pool.name
            who = str(place.membership.customer)[:200]
            kept.append(
                JobError(file="balances", row=place.pk, column="pool", value=who,
                         reason=reason[:300], code="used")
            )  # fmt: skip
    record_job_errors(job, kept)
    return Piece(Counter(left=left, kept=len(kept)), len(batch.pool_members))


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
