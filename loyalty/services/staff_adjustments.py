"""Adjusting as a person: within the limits of the role, and with a second person above one of
them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from loyalty.models import AdjustmentRequest, Transfer, Wallet
from loyalty.selectors.adjustment_limits import limits_of, whole_units
from loyalty.selectors.erased_holders import refuse_erased_holder
from loyalty.services.adjustment_limits import lock_staff, require_at_once, require_in_a_day
from loyalty.services.adjustment_reasons import require_reason
from loyalty.services.adjustment_requests import ask_for_adjustment
from loyalty.services.adjustments import check_units, post_adjustment, undo_transfer
from loyalty.services.redemptions import reverse_redemption
from members.services.audit import Actor
from members.services.transactions import run_atomically


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it: a movement, or a request that waits for a second person."""

    transfer: Transfer | None = None
    request: AdjustmentRequest | None = None


def adjust_as_staff(
    *,
    wallet: Wallet,
    units: int,
    reason: str,
    note: str,
    actor: Actor,
    key: str,
    now: dt.datetime,
) -> Outcome:
    """Add or take units, or ask a second person to, when it is more than the role may move alone.

    Raises LedgerError (limit_exceeded, day_limit_exceeded) with the field; `key` as in
    `adjust_units`.
    """
    check_units(units)
    return run_atomically(lambda: _adjust(wallet, units, reason, note, actor, key, now))


def undo_as_staff(
    *, transfer: Transfer, actor: Actor, now: dt.datetime, note: str = ""
) -> tuple[Transfer, bool]:
    """Reverse an adjustment. Somebody else's counts as if one had moved the units oneself."""

    def undo() -> tuple[Transfer, bool]:
        user, role = lock_staff(actor)
        program = transfer.wallet_type.program
        limits = limits_of(role, program)
        whole = whole_units(transfer.amount, transfer.wallet_type.scale)
        undone = Transfer.objects.filter(reverses=transfer).exists()
        if not undone:
            require_at_once(limits, whole)
            if transfer.actor_id != user.pk:
                require_in_a_day(limits, whole, user=user, role=role, program=program, now=now)
        return undo_transfer(
            transfer=transfer, actor=actor, source=Transfer.Source.BACKOFFICE.value, now=now,
            note=note,
        )  # fmt: skip

    return run_atomically(undo)


def give_back_as_staff(
    *, transfer: Transfer, units: int, actor: Actor, key: str, now: dt.datetime, note: str
) -> tuple[Transfer, bool]:
    """Undo so many units of a redemption: they count as if one had given them oneself."""

    def give_back() -> tuple[Transfer, bool]:
        user, role = lock_staff(actor)
        program = transfer.wallet_type.program
        limits = limits_of(role, program)
        whole = whole_units(units, transfer.wallet_type.scale)
        # A form that was sent twice is not measured twice.
        if not Transfer.objects.filter(key=key).exists():
            require_at_once(limits, whole)
            require_in_a_day(limits, whole, user=user, role=role, program=program, now=now)
        return reverse_redemption(
            transfer=transfer, units=units, key=key, actor=actor, now=now, note=note,
            source=Transfer.Source.BACKOFFICE.value,
        )  # fmt: skip

    return run_atomically(give_back)


def _adjust(
    wallet: Wallet, units: int, reason: str, note: str, actor: Actor, key: str, now: dt.datetime
) -> Outcome:
    # Also what would only be asked for.
    refuse_erased_holder(wallet, key)
    user, role = lock_staff(actor)
    given = require_reason(reason, note=note, role=role)
    program = wallet.wallet_type.program
    limits = limits_of(role, program)
    whole = whole_units(units, wallet.wallet_type.scale)
    asked = AdjustmentRequest.objects.filter(key=key).exists()
    # A form that was sent twice is not measured twice: the ledger knows its key.
    if not asked and not Transfer.objects.filter(key=key).exists():
        require_at_once(limits, whole)
        asked = limits.needs_approval(whole)
        if not asked:
            require_in_a_day(limits, whole, user=user, role=role, program=program, now=now)
    if asked:
        return Outcome(
            request=ask_for_adjustment(
                wallet=wallet, units=units, reason=given, note=note, key=key, user=user, now=now
            )
        )
    transfer, _replayed = post_adjustment(
        wallet=wallet,
        units=units,
        reason=given,
        note=note,
        actor=actor,
        key=key,
        source=Transfer.Source.BACKOFFICE.value,
        now=now,
    )
    return Outcome(transfer=transfer)
