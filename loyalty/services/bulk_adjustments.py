"""The life of a bulk adjustment: made, checked, posted or asked for, decided, undone as a whole.

Whoever makes one is a person, within the limits of their role, or a shop's system with its API key,
which has none.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.errors import LedgerError
from loyalty.models import BulkAdjustment, BulkRow, Program, WalletType
from loyalty.selectors.adjustment_limits import BOUNDLESS, Limits, limits_of, whole_units
from loyalty.selectors.adjustment_reasons import find_reason, reason_label
from loyalty.services.adjustment_limits import lock_staff, require_at_once, require_in_a_day
from loyalty.services.adjustment_reasons import require_reason
from loyalty.services.adjustment_requests import WAITS, require_decider, require_why
from loyalty.services.adjustments import MOST_UNITS, whole_number
from loyalty.services.bulk_checking import CHECK
from loyalty.services.bulk_posting import POST, UNDO
from loyalty.services.bulk_sources import Source, fill_rows
from members.errors import ConflictError, DomainError, FieldError
from members.formatting import format_number
from members.models import Job, User
from members.policy import is_allowed
from members.services.audit import Actor, record_audit
from members.services.jobs import start_or_resume_job

Kind = BulkAdjustment.Kind
State = BulkAdjustment.State
# Which work a state waits for.
WORK: dict[str, str] = {State.CHECKING: CHECK, State.POSTING: POST, State.UNDOING: UNDO}
LONGEST_MESSAGE = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """What everybody in a batch has in common; units at the wallet type's scale."""

    kind: str
    wallet_type: WalletType
    reason: str
    note: str = ""
    message: str = ""
    units_each: int | None = None
    budget: int | None = None


@dataclass(frozen=True, slots=True)
class Maker:
    """A person with their role, or nobody: a system with its key."""

    user: User | None = None
    role: str = ""

    def limits(self, program: Program) -> Limits:
        return limits_of(self.role, program) if self.user is not None else BOUNDLESS


def create_bulk(*, plan: Plan, source: Source, actor: Actor, now: dt.datetime) -> BulkAdjustment:
    """Keep the rows and start checking them; `batch.job` is to be handed to a worker."""
    with transaction.atomic():
        maker = _lock_maker(actor)
        _check_plan(plan, maker)
        batch = BulkAdjustment.objects.create(
            kind=plan.kind,
            wallet_type=plan.wallet_type,
            reason=plan.reason,
            note=plan.note,
            message=plan.message,
            units_each=plan.units_each,
            budget=plan.budget,
            source=source.kind,
            source_name=source.name,
            source_hash=source.digest,
            created_by=maker.user,
            api_key=actor.api_key,
            created_at=now,
        )
        batch.row_count = fill_rows(batch, source)
        batch.save(update_fields=["row_count"])
        _audit(actor, "created", batch)
        _start(batch, actor, batch.row_count)
    return batch


def post_bulk(
    *, batch: BulkAdjustment, actor: Actor, now: dt.datetime, again: bool = False
) -> BulkAdjustment:
    """Begin to post what was checked, or ask a second person where it is more than the role may
    move alone. `again`: even if the same rows were posted already."""
    with transaction.atomic():
        maker = _lock_maker(actor)
        row = _lock(batch, State.CHECKED)
        _require_own(row, actor)
        _check_sums(row)
        if not again and same_source(row) is not None:
            raise ConflictError(_("The same rows were posted already."), code="same_rows")
        program = row.wallet_type.program
        limits, whole = maker.limits(program), total_of(row)
        if limits.needs_approval(whole):
            row.state, row.asked_at = State.WAITING, now
            row.save()
            _audit(actor, "asked", row)
            return row
        if maker.user is not None:
            require_in_a_day(
                limits, whole, user=maker.user, role=maker.role, program=program, now=now
            )
        _begin_posting(row, actor, now)
    return row


def approve_bulk(
    *, batch: BulkAdjustment, actor: Actor, now: dt.datetime, note: str = ""
) -> BulkAdjustment:
    """Let what somebody else has asked for be posted, as a whole."""
    with transaction.atomic():
        row = _lock_waiting(batch, now)
        decider = _require_decider(actor, row)
        row.decided_by, row.decided_at, row.decision_note = decider, now, note.strip()
        _audit(actor, "approved", row, note)
        _begin_posting(row, actor, now)
    return row


def reject_bulk(
    *, batch: BulkAdjustment, actor: Actor, now: dt.datetime, note: str
) -> BulkAdjustment:
    """Say no, and why."""
    with transaction.atomic():
        row = _lock_waiting(batch, now)
        decider = _require_decider(actor, row)
        require_why(note)
        row.state = State.REJECTED
        row.decided_by, row.decided_at, row.decision_note = decider, now, note.strip()
        row.save()
        _audit(actor, "rejected", row, note)
    return row


def withdraw_bulk(*, batch: BulkAdjustment, actor: Actor) -> BulkAdjustment:
    """Leave it: what is checked, or asked for, is not posted."""
    with transaction.atomic():
        row = _lock(batch, State.CHECKING, State.CHECKED, State.WAITING)
        _require_own(row, actor)
        _require_idle(row)
        row.state = State.WITHDRAWN
        row.save(update_fields=["state"])
        _audit(actor, "withdrawn", row)
    return row


def undo_bulk(*, batch: BulkAdjustment, actor: Actor, now: dt.datetime) -> BulkAdjustment:
    """Begin to undo everything that was posted. What was spent meanwhile will stay."""
    with transaction.atomic():
        maker = _lock_maker(actor)
        if maker.user is not None and not is_allowed(maker.user, "adjustments.bulk"):
            raise LedgerError(_("Your role may not do this."), code="not_allowed", status=403)
        row = _lock(batch, State.POSTED, State.POSTING)
        _require_idle(row)
        require_at_once(maker.limits(row.wallet_type.program), total_of(row))
        row.state, row.undone_at = State.UNDOING, now
        row.undone_by, row.undone_key = maker.user, actor.api_key
        row.save()
        _audit(actor, "undone", row)
        _start(row, actor, row.rows.filter(state=BulkRow.State.POSTED).count())
    return row


def resume_bulk(*, batch: BulkAdjustment, actor: Actor) -> BulkAdjustment:
    """Go on with work that failed or was stopped; nothing is done twice."""
    with transaction.atomic():
        row = _lock(batch, *(State(state) for state in WORK))
        due = {
            State.CHECKING: BulkRow.State.NEW,
            State.POSTING: BulkRow.State.GOOD,
            State.UNDOING: BulkRow.State.POSTED,
        }[State(row.state)]
        _start(row, actor, row.rows.filter(state=due).count())
    return row


def bulk_words(job: Job) -> str:
    """What came of the work, in words."""
    words = {state: str(label) for state, label in BulkRow.State.choices}
    counts = [(words[state], job.result.get(state, 0)) for state in words]
    return ", ".join(f"{word}: {format_number(count)}" for word, count in counts if count)


def total_of(batch: BulkAdjustment) -> Decimal:
    """Whole units that move, whichever way."""
    return whole_units(batch.given + batch.taken, batch.wallet_type.scale)


def same_source(batch: BulkAdjustment) -> BulkAdjustment | None:
    """Another batch with the very same rows that was posted, or is about to be."""
    return (
        BulkAdjustment.objects.filter(
            source_hash=batch.source_hash,
            wallet_type=batch.wallet_type_id,
            state__in=[State.WAITING, State.POSTING, State.POSTED],
        )
        .exclude(pk=batch.pk)
        .select_related("created_by", "api_key")
        .first()
    )


def _lock_maker(actor: Actor) -> Maker:
    if actor.api_key is not None:
        return Maker()
    return Maker(*lock_staff(actor))


def _check_plan(plan: Plan, maker: Maker) -> None:
    require_reason(plan.reason, note="-", role=maker.role or None)
    if plan.wallet_type.program.status != Program.Status.LIVE:
        message = _("%s is not live.") % plan.wallet_type.program.name
        raise DomainError(message, errors=[FieldError("wallet_type", message)])
    if plan.kind != Kind.GRANT:
        return
    each = plan.units_each or 0
    if not 0 < each <= MOST_UNITS:
        message = _("Give a number above zero.")
        raise DomainError(message, errors=[FieldError("units", message)])
    limits = maker.limits(plan.wallet_type.program)
    require_at_once(limits, whole_units(each, plan.wallet_type.scale))
    if plan.budget is not None and plan.budget < each:
        message = _("This is less than one member gets.")
        raise DomainError(message, errors=[FieldError("budget", message)])
    if len(plan.message) > LONGEST_MESSAGE:
        message = _("At most 200 characters.")
        raise DomainError(message, errors=[FieldError("message", message)])


def _check_sums(batch: BulkAdjustment) -> None:
    if not batch.member_count:
        raise ConflictError(_("No row of it can be posted."), code="nothing_to_post")
    if batch.budget is not None and batch.given > batch.budget:
        raise ConflictError(_("It comes to more than the budget."), code="over_budget")


def _begin_posting(row: BulkAdjustment, actor: Actor, now: dt.datetime) -> None:
    row.state, row.posted_at = State.POSTING, now
    row.save()
    _audit(actor, "posted", row)
    _start(row, actor, row.rows.filter(state=BulkRow.State.GOOD).count())


def _start(row: BulkAdjustment, actor: Actor, total: int) -> None:
    kind = WORK[row.state]
    row.job = start_or_resume_job(
        kind=kind,
        label=row.source_name,
        fingerprint=str(row.pk),
        params={"bulk": row.pk},
        actor=actor,
        total=total,
    )
    row.save(update_fields=["job"])


def _lock(batch: BulkAdjustment, *states: BulkAdjustment.State) -> BulkAdjustment:
    row = (
        BulkAdjustment.objects.select_for_update(of=("self",), no_key=True)
        .select_related("wallet_type__program", "created_by", "decided_by", "job")
        .get(pk=batch.pk)
    )
    if row.state not in states:
        raise ConflictError(
            _("This is not possible any more. It is now: %s.") % row.get_state_display(),
            code="past_this_step",
        )
    return row


def _lock_waiting(batch: BulkAdjustment, now: dt.datetime) -> BulkAdjustment:
    row = _lock(batch, State.WAITING)
    if row.asked_at is not None and row.asked_at + WAITS <= now:
        raise ConflictError(
            _("It has waited too long and has to be asked for again."), code="past_this_step"
        )
    return row


def _require_decider(actor: Actor, row: BulkAdjustment) -> User:
    assert row.created_by is not None  # nobody is asked about what a key may do alone
    return require_decider(actor, row.created_by, row.wallet_type.program, total_of(row))


def _require_own(row: BulkAdjustment, actor: Actor) -> None:
    own = (
        row.api_key_id == actor.api_key.pk
        if actor.api_key is not None
        else actor.user is not None and row.created_by_id == actor.user.pk
    )
    if not own:
        raise LedgerError(_("Only who made it can do this."), code="not_yours", status=403)


def _require_idle(row: BulkAdjustment) -> None:
    if row.job is not None and row.job.state in {Job.State.QUEUED, Job.State.RUNNING}:
        raise ConflictError(_("Stop the work on it first."), code="job_running")


def _audit(actor: Actor, verb: str, row: BulkAdjustment, note: str = "") -> None:
    wallet_type = row.wallet_type
    after: dict[str, Any] = {"source_name": row.source_name, "row_count": row.row_count}
    if row.state != State.CHECKING:
        after = {
            "member_count": row.member_count,
            "given": whole_number(row.given, wallet_type),
            "taken": whole_number(row.taken, wallet_type),
            "wallet_type": wallet_type.plural,
        }
    reason = find_reason(row.reason)
    label = reason_label(reason.label) if reason else row.reason
    record_audit(
        actor=actor,
        action=f"bulk_adjustment.{verb}",
        target=row,
        after=after,
        reason=" · ".join(part for part in (label, note or row.note) if part),
    )
