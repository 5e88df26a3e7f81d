"""What staff may do with lots: give more time, bring back what expired, settle a debt."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from loyalty.errors import KeyReusedError, LedgerError, OverCorrectedError
from loyalty.ledger.balances import holdings
from loyalty.ledger.posting import (
    Movement,
    Retiming,
    WalletRef,
    lock_wallets,
    movement,
    post,
    renew,
    retime,
)
from loyalty.lot_words import ends_at, last_day
from loyalty.models import Account, Lot, LotChange, Membership, Transfer, Wallet
from loyalty.rules.lots import warned_expiry
from loyalty.selectors.erased_holders import refuse_erased_holder
from loyalty.selectors.memberships import current_wallet
from loyalty.services.adjustments import whole_number
from loyalty.services.maturities import terms_of_lots
from loyalty.services.redemptions import terms_of
from members.errors import FieldError
from members.formatting import format_units
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically

# How a debt is settled, and what movement that makes.
WAYS = {
    "write_off": Transfer.Kind.WRITE_OFF.value,
    "repay": Transfer.Kind.SETTLEMENT.value,
}


def extend_lot(*, lot: Lot, until: dt.datetime, actor: Actor, note: str, now: dt.datetime) -> Lot:
    """Let what is left of a lot expire at `until` (exclusive) instead, which is later than now and
    than before. Doing it twice changes nothing."""
    return run_atomically(lambda: _extend(lot.pk, until, actor, note, now))


def reinstate_units(
    *,
    transfer: Transfer,
    units: int,
    until: dt.datetime,
    actor: Actor,
    note: str,
    key: str,
    source: str,
    now: dt.datetime,
) -> tuple[Transfer, bool]:
    """Bring back units that an expiry took, usable until `until` (exclusive).

    Raises OverCorrectedError where more would come back than had expired.
    """
    if transfer.kind != Transfer.Kind.EXPIRY:
        raise LedgerError(_("Only what has expired can be brought back."), code="invalid_request")
    _check_until(until, now)
    return run_atomically(lambda: _reinstate(transfer, units, until, actor, note, key, source, now))


def settle_debt(
    *,
    wallet: Wallet,
    way: str,
    actor: Actor,
    note: str,
    key: str,
    source: str,
    now: dt.datetime,
) -> Transfer:
    """Settle all that a wallet owes: `write_off` forgives it, `repay` takes it from the balance.

    Raises LedgerError where nothing is owed, or more than the balance is to be repaid.
    """
    return run_atomically(lambda: _settle(wallet, way, actor, note, key, source, now))


def warn_lots(lots: list[Lot], *, now: dt.datetime) -> int:
    """Note that the owners of these lots were told that they expire; from now on they do.

    For lots whose terms want a warning first; whoever sends it calls this. Returns how many.
    """
    return run_atomically(lambda: _warn([lot.pk for lot in lots], now))


def _warn(lot_ids: Sequence[int], now: dt.datetime) -> int:
    rows = Lot.objects.filter(pk__in=lot_ids)
    lock_wallets(list(rows.values_list("wallet_id", flat=True)))
    lots = list(rows.select_related("wallet__wallet_type", "policy"))
    programs = {lot.wallet.wallet_type_id: terms_of(lot.wallet) for lot in lots}
    terms = terms_of_lots(lots, programs)
    return retime(
        [
            Retiming(
                lot_id=lot.pk,
                spendable_at=lot.spendable_at,
                expires_at=warned_expiry(
                    lot.planned_expires_at, now, terms[lot.pk].warned_days or 0,
                    programs[lot.wallet.wallet_type_id].zone,
                ),
                planned_expires_at=lot.planned_expires_at,
                reason=LotChange.Reason.WARNED,
                occurred_at=now,
            )
            for lot in lots
            if lot.planned_expires_at is not None and lot.expires_at is None
        ],
        now=now,
    )  # fmt: skip


def _check_until(until: dt.datetime, now: dt.datetime) -> None:
    if until <= now:
        raise LedgerError(
            _("This day has passed."),
            code="invalid_request",
            errors=[FieldError("until", _("Give a later day."))],
        )


def _extend(pk: int, until: dt.datetime, actor: Actor, note: str, now: dt.datetime) -> Lot:
    wallet_id = Lot.objects.values_list("wallet_id", flat=True).get(pk=pk)
    lock_wallets([wallet_id])
    lot: Lot = Lot.objects.select_related("wallet__wallet_type__program").get(pk=pk)
    refuse_erased_holder(lot.wallet)
    _check_until(until, now)
    ends = ends_at(lot, lot.wallet)
    if not lot.remaining or (ends is not None and ends <= now):
        raise LedgerError(
            _("They have expired: bring them back instead.")
            if lot.remaining
            else _("Nothing is left of these units."),
            code="invalid_request",
        )
    known = ends or lot.planned_expires_at
    if known == until:
        return lot
    if known is None or until < known:
        raise LedgerError(
            _("They can be used until then already."),
            code="invalid_request",
            errors=[FieldError("until", _("Give a day after the one on which they expire."))],
        )
    if lot.renewable and lot.expires_at is None:
        # They expire together, so they get more time together.
        renew(lot.wallet_id, at=now, until=until)
    else:
        retime([_longer(lot, until, actor, note, now)], now=now)
    _audit(actor, "lot.extended", lot.wallet, note, lot.remaining, until)
    return Lot.objects.select_related("wallet__wallet_type__program").get(pk=pk)


def _longer(lot: Lot, until: dt.datetime, actor: Actor, note: str, now: dt.datetime) -> Retiming:
    """What waits for a warning goes on waiting for it; only its plan is later."""
    waits = lot.expires_at is None
    return Retiming(
        lot_id=lot.pk,
        spendable_at=lot.spendable_at,
        expires_at=None if waits else until,
        planned_expires_at=until if waits else lot.planned_expires_at,
        reason=LotChange.Reason.EXTENDED,
        occurred_at=now,
        actor_id=actor.user.pk if actor.user else None,
        note=note,
    )


def _reinstate(
    transfer: Transfer, units: int, until: dt.datetime, actor: Actor, note: str, key: str,
    source: str, now: dt.datetime,
) -> tuple[Transfer, bool]:  # fmt: skip
    wallet = Wallet.objects.select_related("wallet_type__program").get(pk=transfer.wallet_id)
    lock_wallets([wallet.pk])
    refuse_erased_holder(wallet, key)
    program = terms_of(wallet)
    entry = movement(
        direction="unexpire",
        kind=Transfer.Kind.REINSTATEMENT.value,
        ref=WalletRef(wallet.pk, wallet.account_id, wallet.wallet_type_id, program.zone),
        counter_account_id=transfer.to_account_id,
        amount=units,
        occurred_at=now,
        key=key,
        source=source,
        explanation={"until": last_day(until, program.zone).isoformat()},
        cor=transfer.pk,
        ex=until,
        note=note,
        actor=actor.user.pk if actor.user else None,
    )
    left = transfer.amount - sum(
        Transfer.objects.filter(corrects=transfer).exclude(key=key).values_list("amount", flat=True)
    )
    if not 0 < units <= left:
        raise OverCorrectedError(
            _("Only %s of it can be brought back.") % format_units(left, wallet.wallet_type)
        )
    posted = post([entry], now=now)[0]
    if not posted.replayed:
        _audit(actor, "lot.reinstated", wallet, note, units, until)
    found: Transfer = Transfer.objects.select_related("wallet", "wallet_type").get(
        pk=posted.transfer_id
    )
    return found, posted.replayed


def _settle(
    wallet: Wallet, way: str, actor: Actor, note: str, key: str, source: str, now: dt.datetime
) -> Transfer:
    wallet = current_wallet(wallet, key)
    lock_wallets([wallet.pk])
    wallet = Wallet.objects.select_related("wallet_type__program").get(pk=wallet.pk)
    known: Transfer | None = Transfer.objects.filter(key=key).first()
    if known is not None:
        if (known.wallet_id, known.kind) != (wallet.pk, WAYS[way]):
            raise KeyReusedError(_("This key was used for another movement."))
        return known
    refuse_erased_holder(wallet)
    held = holdings([wallet], now)[wallet.pk]
    if not held.owed:
        raise LedgerError(_("Nothing is owed."), code="nothing_owed", status=409)
    if way == "repay" and held.balance < held.owed:
        raise LedgerError(
            _("The balance is too small: only %s.")
            % format_units(held.balance, wallet.wallet_type),
            code="insufficient_balance",
            status=409,
        )
    entries = _settlement(wallet, way, held.owed, actor, note, key, source, now)
    posted = {item.key: item.transfer_id for item in post(entries, now=now)}
    _audit(actor, f"debt.{way}", wallet, note, held.owed, None)
    settled: Transfer = Transfer.objects.get(pk=posted[key])
    return settled


def _settlement(
    wallet: Wallet, way: str, owed: int, actor: Actor, note: str, key: str, source: str,
    now: dt.datetime,
) -> list[Movement]:  # fmt: skip
    program = terms_of(wallet)
    common: dict[str, Any] = {
        "ref": WalletRef(wallet.pk, wallet.account_id, wallet.wallet_type_id, program.zone),
        "amount": owed,
        "occurred_at": now,
        "source": source,
        "note": note,
        "actor": actor.user.pk if actor.user else None,
    }
    if way == "write_off":
        return [
            movement(
                direction="settle", kind=Transfer.Kind.WRITE_OFF.value, key=key,
                counter_account_id=program.accounts[Account.Kind.WRITTEN_OFF], **common,
            )
        ]  # fmt: skip
    return [
        movement(
            direction="repay", kind=Transfer.Kind.SETTLEMENT.value, key=key,
            counter_account_id=program.accounts[Account.Kind.TRANSIT], **common,
        )
    ]  # fmt: skip


def _audit(
    actor: Actor,
    action: str,
    wallet: Wallet,
    note: str,
    units: int,
    until: dt.datetime | None,
) -> None:
    membership = Membership.objects.select_related("customer").filter(account=wallet.account_id)
    owner = membership.first()
    if owner is None:
        return
    wallet_type = wallet.wallet_type
    after = {"amount": whole_number(units, wallet_type), "wallet_type": wallet_type.plural}
    if until is not None:
        after["until"] = last_day(until, wallet_type.program.zone).isoformat()
    record_audit(
        actor=actor, action=action, target=owner.customer, about=owner, after=after, reason=note
    )
