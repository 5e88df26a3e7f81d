"""Merging two customers who are one person, and undoing it. What becomes of the data is the
handlers' (`members/merging.py`); who may be merged, and in which order, is decided here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from members.errors import ConflictError, DomainError, FieldError
from members.merging import MergeSection, Merging, merge_handlers
from members.models import Customer, CustomerMerge
from members.selectors.erased import refuse_erased
from members.selectors.merges import merge_of
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically

LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What there will be, or why it cannot be."""

    kept: Customer
    merged: Customer
    sections: Sequence[MergeSection] = ()
    problem: str = ""


def preview_merge(*, kept: Customer, merged: Customer, now: datetime) -> MergePreview:
    """The effect of a merge, without doing it."""
    try:
        _refuse(kept, merged)
        sections = [
            section
            for handler in merge_handlers().values()
            for section in handler.preview(kept, merged, now)
        ]
    except DomainError as error:
        return MergePreview(kept, merged, problem=str(error.message))
    return MergePreview(kept, merged, sections)


def preview_undo(*, merge: CustomerMerge, now: datetime) -> MergePreview:
    """What would go back to whom."""
    try:
        _refuse_undo(merge.kept)
        sections = [
            section
            for key, handler in merge_handlers().items()
            for section in handler.preview_undo(merge, merge.record.get(key, {}), now)
        ]
    except DomainError as error:
        return MergePreview(merge.kept, merge.merged, problem=str(error.message))
    return MergePreview(merge.kept, merge.merged, sections)


def merge_customers(
    *,
    kept: Customer,
    merged: Customer,
    actor: Actor,
    source: str,
    now: datetime,
    reason: str = "",
) -> tuple[CustomerMerge, bool]:
    """Make two customers one. Returns the merge, and whether it had been done before.

    Merging the same two again changes nothing. Raises ConflictError for somebody who was merged
    away before.
    """
    reason = _checked_reason(reason)
    return run_atomically(lambda: _merge(kept.pk, merged.pk, actor, source, now, reason))


def undo_merge(
    *, merge: CustomerMerge, actor: Actor, source: str, now: datetime
) -> tuple[CustomerMerge, bool]:
    """Part them again. Returns the merge, and whether it had been undone before.

    What came with the merged customer goes back as far as it is there; what happened since stays
    with the other. Raises ConflictError while the other is merged away in turn.
    """
    return run_atomically(lambda: _undo(merge.pk, actor, source, now))


def _merge(
    kept_id: int, merged_id: int, actor: Actor, source: str, now: datetime, reason: str
) -> tuple[CustomerMerge, bool]:
    kept, merged = _locked(kept_id, merged_id)
    known = merge_of(merged)
    if known is not None and known.kept_id == kept.pk:
        return known, True
    _refuse(kept, merged)
    merge = CustomerMerge.objects.create(
        kept=kept, merged=merged, merged_at=now, merged_by=actor.user, reason=reason
    )
    merging = Merging(merge, kept, merged, actor, source, now)
    merge.record = {key: handler.merge(merging) for key, handler in merge_handlers().items()}
    merge.save(update_fields=["record"])
    record_audit(
        actor=actor, action="customer.merged", target=kept,
        after={"duplicate": str(merged)}, reason=reason,
    )  # fmt: skip
    record_audit(
        actor=actor, action="customer.merged_away", target=merged,
        after={"merged_into": str(kept)}, reason=reason,
    )  # fmt: skip
    return merge, False


def _undo(merge_id: int, actor: Actor, source: str, now: datetime) -> tuple[CustomerMerge, bool]:
    merge = CustomerMerge.objects.get(pk=merge_id)
    kept, merged = _locked(merge.kept_id, merge.merged_id)
    merge = CustomerMerge.objects.select_for_update().get(pk=merge_id)
    if merge.undone_at is not None:
        return merge, True
    _refuse_undo(kept)
    merging = Merging(merge, kept, merged, actor, source, now)
    for key, handler in reversed(merge_handlers().items()):
        if key in merge.record:
            handler.undo(merging, merge.record[key])
    merge.undone_at, merge.undone_by = now, actor.user
    merge.save(update_fields=["undone_at", "undone_by"])
    record_audit(
        actor=actor, action="customer.merge_undone", target=kept, before={"duplicate": str(merged)}
    )
    record_audit(
        actor=actor, action="customer.merge_undone", target=merged,
        before={"merged_into": str(kept)},
    )  # fmt: skip
    return merge, False


def _locked(kept_id: int, merged_id: int) -> tuple[Customer, Customer]:
    """Both rows, locked: first what the applications lock (wallets come before customers), then
    the customers in id order. Whoever writes for one of them waits, and looks again."""
    if kept_id == merged_id:
        raise _refused(_("Choose two different customers."), "same_customer")
    both = sorted([kept_id, merged_id])
    for handler in merge_handlers().values():
        handler.lock(both)
    rows = Customer.objects.select_for_update(of=("self",)).filter(pk__in=both).order_by("pk")
    found = {row.pk: row for row in rows}
    return found[kept_id], found[merged_id]


def _refuse(kept: Customer, merged: Customer) -> None:
    if kept.pk == merged.pk:
        raise _refused(_("Choose two different customers."), "same_customer")
    for customer in (kept, merged):
        if customer.merged_into is not None:
            raise ConflictError(
                _("%(customer)s was merged into %(kept)s already.")
                % {"customer": customer, "kept": customer.merged_into},
                code="customer_merged",
            )
        refuse_erased(customer)


def _refuse_undo(kept: Customer) -> None:
    if kept.merged_into is not None:
        raise ConflictError(
            _("%(customer)s was merged into %(kept)s since. Undo that first.")
            % {"customer": kept, "kept": kept.merged_into},
            code="merged_since",
        )


def _checked_reason(reason: str) -> str:
    reason = reason.replace("\x00", "").strip()
    if len(reason) > LONGEST_REASON:
        message = _("A reason has at most %(limit)s characters.") % {"limit": LONGEST_REASON}
        raise DomainError(message, errors=[FieldError("reason", message, "too_long")])
    return reason


def _refused(message: str, code: str) -> DomainError:
    return DomainError(message, code=code, errors=[FieldError("duplicate", message, code)])
