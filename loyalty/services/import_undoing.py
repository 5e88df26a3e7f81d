"""Undoing an import of orders: each order that it brought is canceled, as if its shop had said so.

So there is no second way to take back what an order earned: what is missing is treated by the debt
policy, units that paid come back, codes may be used again. Nothing is deleted. An order that came
to nothing already is passed over, so a second run changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.models import ImportBatch, Order, Refund, Transfer, UndoneOrder
from loyalty.selectors.import_undos import UndoPreview, count_undo
from loyalty.services.import_records import NO_MARK, mark_of
from loyalty.services.imported_people import erase_imported
from loyalty.services.imports import KIND, UNDO, program_of
from loyalty.services.order_batches import Enrolling, Wanted, open_batch
from loyalty.services.order_inputs import CustomerRef
from loyalty.services.orders import record_orders
from loyalty.services.said_again import as_canceled
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
from members.errors import DomainError
from members.models import Job, JobError
from members.services.audit import Actor
from members.services.job_runs import Step, run_in_chunks
from members.services.jobs import record_job_errors

AT_ONCE = 100


@transaction.atomic
def start_undo(*, job: Job, reason: str, actor: Actor, erase: bool = False) -> Job:
    """A waiting job that undoes this import, to be queued; the unfinished one if there is one, as
    it was asked for then.

    `erase`: the details of people whom it brought, and of whom nothing else is known, are emptied
    afterwards. Raises DomainError where there is nothing to undo.
    """
    row = Job.objects.select_for_update(no_key=True).get(pk=job.pk, kind=KIND)
    reason = check_asked(reason, actor, erase=erase)
    begun = open_undo(UNDO, row)
    if begun is not None:
        return go_on(begun, actor)
    counted = count_undo(row)
    refuse_undo(row, counted, erase=erase)
    return begin_undo(
        UNDO, row, reason=reason, actor=actor, erase=erase, about=program_of(row),
        due={"orders": counted.due}, total=counted.due,
    )  # fmt: skip


def refuse_undo(job: Job, preview: UndoPreview, *, erase: bool = False) -> None:
    """Raise ConflictError, saying why it cannot be undone."""
    unknown = _(
        "Setia did not keep what this import brought in: it brought in nothing new, or is"
        " older than that. Record refunds, or an adjustment, for what it gave."
    )
    left = bool(preview.due or (erase and preview.customers))
    check_left(job, known=preview.known, left=left, unknown=unknown)


def run_undo(job_id: int) -> Job | None:
    """Undo what is left; None when another run has it."""
    return run_in_chunks(job_id, _piece)


def undo_words(job: Job) -> str:
    """What came of it, for people."""
    words = {
        "canceled": _("%s orders canceled"),
        "void": _("%s had come to nothing already"),
        "kept": _("%s could not be undone"),
        "erased": _("%s customers erased"),
    }
    return counts_in_words(job, words)


def _piece(job: Job) -> Step | None:
    # What stays is known once all orders are looked at, and of whom nothing else is known as well.
    work: Work[ImportBatch] = {"orders": _undo_orders, "rest": _name_rest}
    counted: tuple[str, ...] = ("canceled", "void", "kept")
    if job.params["erase"]:
        work, counted = {**work, "people": erase_imported}, (*counted, "erased")
    batches = ImportBatch.objects.filter(job=job.params["import"])
    return next_piece(job, batches, work, counted)


def _undo_orders(batch: ImportBatch, place: int, job: Job) -> Piece:
    keys = [*batch.orders, *batch.judged]
    ahead = place + AT_ONCE
    some = dict(zip(keys[place:ahead], batch.marks[place:ahead], strict=True))
    counts, canceled, kept = _cancel(some, job, timezone.now())
    # Whichever import brings them back, they are not this batch's any more.
    batch.marks = [
        NO_MARK if key in canceled else mark for key, mark in zip(keys, batch.marks, strict=True)
    ]
    batch.save(update_fields=["marks"])
    record_job_errors(job, kept)
    counts["kept"] += len(kept)
    return Piece(counts, counts["canceled"], ahead if ahead < len(batch.marks) else None)


def _name_rest(batch: ImportBatch, _place: int, job: Job) -> Piece:
    """What of a batch no undo can take back, and why."""
    changed = _("It was here before. What it said before the import is not kept.")
    returned = _("A return is never deleted, and the order it belongs to was not undone.")
    stays = Refund.objects.filter(pk__in=batch.returns).exclude(order__status__in=Order.VOID)
    errors = [
        _order_error(order, changed)
        for order in Order.objects.filter(pk__in=batch.changed).order_by("pk")
    ]
    errors += [
        JobError(file="returns", row=refund.pk, column="return_id",
                 value=refund.external_id[:200], reason=returned)
        for refund in stays.order_by("pk")
    ]  # fmt: skip
    record_job_errors(job, errors)
    return Piece(Counter(kept=len(errors)))


def _cancel(
    marks: Mapping[int, int], job: Job, now: dt.datetime
) -> tuple[Counter[str], set[int], list[JobError]]:
    """Cancel these orders as far as they still say what the import wrote: counts, the keys of those
    that were canceled, and why others were not."""
    orders = _locked(list(marks))
    void = [order for order in orders if order.status in Order.VOID]
    otherwise = [
        order for order in orders
        if order.status not in Order.VOID and mark_of(order.body_hash) != marks[order.pk]
    ]  # fmt: skip
    passed = {order.pk for order in [*void, *otherwise]}
    due = [order for order in orders if order.pk not in passed]
    reason = _("It was told otherwise since it was imported, so it stays as it is now.")
    errors = [_order_error(order, reason) for order in otherwise]
    canceled = due
    try:
        with transaction.atomic():
            _record(due, now)
    except DomainError:
        canceled = []
        for order in due:
            try:
                with transaction.atomic():
                    _record([order], now)
                canceled.append(order)
            except DomainError as error:
                errors.append(_order_error(order, str(error.message)))
    UndoneOrder.objects.bulk_create(
        [UndoneOrder(order=order, job=job) for order in canceled], ignore_conflicts=True
    )
    counts = Counter(canceled=len(canceled), void=len(void))
    return counts, {order.pk for order in canceled}, errors


def _locked(keys: Sequence[int]) -> list[Order]:
    """The orders, once nobody else can change them: first the buyers' wallets, as everywhere."""
    known = list(Order.objects.filter(pk__in=keys))
    if known:
        open_batch(
            [Wanted(order.external_id, _buyer(order), order.placed_at) for order in known],
            source=known[0].source, program_ids=[], enrolling=Enrolling(never=True),
        )  # fmt: skip
    rows = Order.objects.select_for_update().filter(pk__in=keys).order_by("pk")
    return list(rows.prefetch_related("lines", "tenders"))


def _record(orders: Sequence[Order], now: dt.datetime) -> None:
    """By the programs that have judged them, and no other."""
    record_orders(
        [as_canceled(order) for order in orders], now=now, program_ids=[], checked=True,
        transfer_source=Transfer.Source.IMPORT, enrolling=Enrolling(never=True),
    )  # fmt: skip


def _buyer(order: Order) -> CustomerRef | None:
    return CustomerRef(key=order.customer_id) if order.customer_id else None


def _order_error(order: Order, reason: str) -> JobError:
    return JobError(
        file="orders", row=order.pk, column="order_id", value=order.external_id[:200],
        reason=reason[:300],
    )  # fmt: skip
