"""What a second person decides: asking, approving, rejecting, withdrawing."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.errors import KeyReusedError, LedgerError
from loyalty.models import (
    AdjustmentReason,
    AdjustmentRequest,
    BulkAdjustment,
    Membership,
    Program,
    Transfer,
    Wallet,
)
from loyalty.selectors.adjustment_limits import Limits, limits_of, whole_units
from loyalty.selectors.adjustment_reasons import find_reason, reason_label
from loyalty.services.adjustments import post_adjustment, preview_adjustment, whole_number
from members.errors import ConflictError, DomainError, FieldError
from members.models import Customer, User
from members.policy import is_allowed, role_of
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically

State = AdjustmentRequest.State
# Who has not been answered in this time has to ask again, with the balance before their eyes.
WAITS = dt.timedelta(days=14)


def ask_for_adjustment(
    *,
    wallet: Wallet,
    units: int,
    reason: AdjustmentReason,
    note: str,
    key: str,
    user: User,
    now: dt.datetime,
) -> AdjustmentRequest:
    """Write down what somebody wants to move. The same key again is the same request.

    Raises InsufficientBalanceError when it could not be done now either.
    """
    known = AdjustmentRequest.objects.filter(key=key).first()
    if known is not None:
        if (known.wallet_id, known.units, known.reason, known.note) != (
            wallet.pk, units, reason.code, note,
        ):  # fmt: skip
            raise KeyReusedError(_("This was asked already, with other content."))
        return known
    preview_adjustment(wallet=wallet, units=units, now=now, key=key)
    request = AdjustmentRequest.objects.create(
        wallet=wallet,
        units=units,
        reason=reason.code,
        note=note,
        key=key,
        asked_by=user,
        asked_at=now,
        expires_at=now + WAITS,
    )
    _audit(Actor.of_user(user), "points.adjustment_asked", request, note)
    return request


def approve_request(
    *, request: AdjustmentRequest, actor: Actor, now: dt.datetime, note: str = ""
) -> Transfer:
    """Post what was asked for, as far as the balance allows it now: as a whole or not at all.

    Two people at once: the second is told that it was decided. Raises InsufficientBalanceError.
    """

    def approve() -> Transfer:
        row = _lock(request, now)
        decider = require_decider(actor, row.asked_by, row.wallet.wallet_type.program,
                                  whole_units(row.units, row.wallet.wallet_type.scale))  # fmt: skip
        transfer, _replayed = post_adjustment(
            wallet=row.wallet,
            units=row.units,
            reason=_reason_of(row),
            note=row.note,
            actor=Actor.of_user(row.asked_by),
            key=row.key,
            source=Transfer.Source.BACKOFFICE.value,
            now=now,
            explanation={"approved_by": str(decider)},
        )
        row.state, row.transfer = State.APPROVED, transfer
        _decide(row, decider, now, note)
        _audit(actor, "points.adjustment_approved", row, note)
        return transfer

    return run_atomically(approve)


@transaction.atomic
def reject_request(
    *, request: AdjustmentRequest, actor: Actor, now: dt.datetime, note: str
) -> AdjustmentRequest:
    """Say no, and why."""
    row = _lock(request, now)
    decider = require_decider(actor, row.asked_by, row.wallet.wallet_type.program,
                              whole_units(row.units, row.wallet.wallet_type.scale))  # fmt: skip
    require_why(note)
    row.state = State.REJECTED
    _decide(row, decider, now, note)
    _audit(actor, "points.adjustment_rejected", row, note)
    return row


@transaction.atomic
def withdraw_request(
    *, request: AdjustmentRequest, actor: Actor, now: dt.datetime
) -> AdjustmentRequest:
    """Take back what one has asked for oneself."""
    row = _lock(request, now)
    if actor.user is None or actor.user.pk != row.asked_by_id:
        raise LedgerError(_("Only who asked can withdraw it."), code="not_yours", status=403)
    row.state, row.decided_at = State.WITHDRAWN, now
    row.save()
    _audit(actor, "points.adjustment_withdrawn", row, "")
    return row


def expire_requests(*, now: dt.datetime) -> int:
    """Write down which requests nobody has answered in time; how many there were."""
    single = AdjustmentRequest.objects.filter(state=State.WAITING, expires_at__lte=now).update(
        state=State.EXPIRED, decided_at=now
    )
    bulk = BulkAdjustment.objects.filter(
        state=BulkAdjustment.State.WAITING, asked_at__lte=now - WAITS
    ).update(state=BulkAdjustment.State.EXPIRED)
    return single + bulk


def why_not_to_decide(user: User, asked_by: User, limits: Limits, whole: Decimal) -> str:
    """Why somebody with these limits may not decide what another person has asked for; nothing if
    they may."""
    if not is_allowed(user, "points.approve"):
        return _("Your role approves nothing.")
    if user.pk == asked_by.pk:
        return _("Somebody else has to decide what you have asked for.")
    if not limits.allows(whole):
        return _("This is more than your role may approve.")
    return ""


def require_decider(actor: Actor, asked_by: User, program: Program, whole: Decimal) -> User:
    """The person who may decide this, or an error that says why not."""
    if actor.user is None:
        raise LedgerError(_("Only staff may do this."), code="not_staff", status=403)
    limits = limits_of(role_of(actor.user), program)
    why_not = why_not_to_decide(actor.user, asked_by, limits, whole)
    if why_not:
        raise LedgerError(why_not, code="may_not_decide", status=403)
    return actor.user


def require_why(note: str) -> None:
    if not note.strip():
        message = _("Say why, so that whoever asked knows what to do.")
        raise DomainError(message, errors=[FieldError("note", message, "required")])


def _lock(request: AdjustmentRequest, now: dt.datetime) -> AdjustmentRequest:
    """The request as it is now, held until the transaction ends."""
    row = (
        AdjustmentRequest.objects.select_for_update(of=("self",))
        .select_related("wallet__wallet_type__program", "asked_by", "decided_by")
        .get(pk=request.pk)
    )
    if row.state != State.WAITING:
        decided = {
            State.APPROVED: _("%(who)s has approved it already."),
            State.REJECTED: _("%(who)s has rejected it already."),
            State.WITHDRAWN: _("It was withdrawn."),
        }.get(State(row.state), _("It has waited too long and has to be asked for again."))
        who = {"who": str(row.decided_by or row.asked_by)}
        raise ConflictError(decided % who, code="already_decided")
    if row.expires_at <= now:
        raise ConflictError(
            _("It has waited too long and has to be asked for again."), code="already_decided"
        )
    return row


def _decide(row: AdjustmentRequest, decider: User, now: dt.datetime, note: str) -> None:
    row.decided_by, row.decided_at, row.decision_note = decider, now, note.strip()
    row.save()


def _reason_of(row: AdjustmentRequest) -> AdjustmentReason:
    # Rows stay, also those that are no longer offered.
    reason = find_reason(row.reason)
    assert reason is not None
    return reason


def _audit(actor: Actor, action: str, row: AdjustmentRequest, note: str) -> None:
    wallet_type = row.wallet.wallet_type
    record_audit(
        actor=actor,
        action=action,
        target=_customer(row.wallet),
        after={
            "units": whole_number(row.units, wallet_type),
            "wallet_type": wallet_type.plural,
        },
        reason=" · ".join(part for part in (reason_label(_reason_of(row).label), note) if part),
    )


def _customer(wallet: Wallet) -> Customer:
    return Membership.objects.select_related("customer").get(account=wallet.account_id).customer
