"""Adding or taking units by hand, with a reason, and undoing it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.errors import (
    InsufficientBalanceError,
    KeyReusedError,
    LedgerError,
    NotReversibleError,
    OverCorrectedError,
)
from loyalty.ledger.balances import holdings
from loyalty.ledger.posting import WalletRef, movement, post
from loyalty.models import Account, LotPolicy, Membership, Transfer, Wallet, WalletType
from loyalty.rules.lots import expires_at, lot_times
from loyalty.selectors.rulebooks import lot_terms
from members.errors import FieldError
from members.formatting import format_units
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically

REASONS: dict[str, Promise] = {
    "goodwill": gettext_lazy("Goodwill"),
    "service_recovery": gettext_lazy("Something went wrong"),
    "missing_units": gettext_lazy("Purchase did not earn"),
    "correction": gettext_lazy("Correction of a mistake"),
    "fraud": gettext_lazy("Misuse"),
    "other": gettext_lazy("Other"),
}


# Far above what anybody holds, and far below where the sums of many wallets overflow.
MOST_UNITS = 10**15


@dataclass(frozen=True, slots=True)
class Preview:
    """What can be spent before and after, in units at the wallet type's scale."""

    before: int
    after: int


def preview_adjustment(*, wallet: Wallet, units: int, now: dt.datetime) -> Preview:
    """The effect of an adjustment before it is made. Raises InsufficientBalanceError."""
    held = holdings([wallet], now)[wallet.pk]
    if -units > held.spendable:
        raise InsufficientBalanceError(held.spendable)
    return Preview(held.spendable, max(held.balance + units - held.owed, 0))


def adjust_units(
    *,
    wallet: Wallet,
    units: int,
    reason: str,
    note: str,
    actor: Actor,
    key: str,
    source: str,
    now: dt.datetime,
    whole_limit: int | None = None,
) -> tuple[Transfer, bool]:
    """Add (units > 0) or take (units < 0). Returns the transfer and whether it had been made
    before.

    `whole_limit`: the most whole units that the actor may move at once; None: no limit. `key`
    makes it
    happen once: the same key again returns the first transfer, with other content KeyReusedError.
    """
    _check(wallet, units, reason, whole_limit)
    return run_atomically(lambda: _adjust(wallet, units, reason, note, actor, key, source, now))


def undo_transfer(
    *, transfer: Transfer, actor: Actor, source: str, now: dt.datetime, note: str = ""
) -> tuple[Transfer, bool]:
    """Reverse an adjustment as a whole; units taken return to the same lots.

    Raises NotReversibleError for other kinds, OverCorrectedError when it was undone already,
    InsufficientBalanceError when what was given has been spent.
    """
    if transfer.kind != Transfer.Kind.ADJUSTMENT:
        raise NotReversibleError(_("Only adjustments can be undone by hand."))
    return run_atomically(lambda: _undo(transfer, actor, source, now, note))


def _check(wallet: Wallet, units: int, reason: str, whole_limit: int | None) -> None:
    if units == 0:
        raise LedgerError(
            _("An adjustment of nothing changes nothing."),
            code="invalid_request",
            errors=[FieldError("units", _("Give a number other than zero."))],
        )
    if abs(units) > MOST_UNITS:
        raise LedgerError(
            _("So many units cannot be counted."),
            code="invalid_request",
            errors=[FieldError("units", _("Give a smaller number."))],
        )
    if reason not in REASONS:
        raise LedgerError(
            _("This reason is not known."),
            code="invalid_request",
            errors=[FieldError("reason", _("One of: %s.") % ", ".join(REASONS))],
        )
    if whole_limit is not None and abs(units) > whole_limit * 10**wallet.wallet_type.scale:
        raise LedgerError(
            _("This is more than your role may move at once."),
            code="limit_exceeded",
            status=403,
            errors=[FieldError("units", _("At most %s.") % whole_limit, "limit_exceeded")],
        )


def _adjust(
    wallet: Wallet, units: int, reason: str, note: str, actor: Actor, key: str, source: str,
    now: dt.datetime,
) -> tuple[Transfer, bool]:  # fmt: skip
    wallet_type = wallet.wallet_type
    program = wallet_type.program
    ref = WalletRef(wallet.pk, wallet.account_id, wallet_type.pk, program.zone)
    adjusted = Account.objects.get(program=program, kind=Account.Kind.ADJUSTED).pk
    rest: dict[str, Any] = {"actor": actor.user.pk if actor.user else None}
    if units > 0:
        policy = LotPolicy.objects.filter(wallet_type=wallet_type, rule=None).latest("pk")
        lot = lot_times(lot_terms(policy), now, now, program.zone)
        rest |= {
            "sp": now, "ex": lot.expires_at, "plan": lot.planned_expires_at, "ren": lot.renewable,
            "pol": policy.pk,
        }  # fmt: skip
        if lot.renewable:
            rest["until"] = expires_at(lot_terms(policy), now, program.zone)
    entry = movement(
        direction="in" if units > 0 else "out",
        kind=Transfer.Kind.ADJUSTMENT.value,
        ref=ref,
        counter_account_id=adjusted,
        amount=abs(units),
        occurred_at=now,
        key=key,
        source=source,
        reason=reason,
        note=note,
        **rest,
    )
    return _post_and_audit(entry, wallet, actor, now, "points.adjusted", reason)


def _undo(
    transfer: Transfer, actor: Actor, source: str, now: dt.datetime, note: str
) -> tuple[Transfer, bool]:
    wallet = Wallet.objects.select_related("wallet_type__program").get(pk=transfer.wallet_id)
    ref = WalletRef(
        wallet.pk, wallet.account_id, wallet.wallet_type_id, wallet.wallet_type.program.zone
    )
    given = transfer.to_account_id == wallet.account_id
    entry = movement(
        direction="out" if given else "back",
        kind=Transfer.Kind.REVERSAL.value,
        ref=ref,
        counter_account_id=transfer.from_account_id if given else transfer.to_account_id,
        amount=transfer.amount,
        occurred_at=now,
        key=f"undo:{transfer.pk}",
        source=source,
        reason=transfer.reason,
        note=note,
        rev=transfer.pk,
        own=transfer.pk,
        actor=actor.user.pk if actor.user else None,
    )
    action = "points.adjustment_undone"
    try:
        return _post_and_audit(entry, wallet, actor, now, action, transfer.reason)
    except KeyReusedError as error:
        # Somebody else undid it, in other words: that is what the second one wants to hear.
        raise OverCorrectedError(_("This adjustment was undone already.")) from error


def _post_and_audit(
    entry: dict[str, object],
    wallet: Wallet,
    actor: Actor,
    now: dt.datetime,
    action: str,
    reason: str,
) -> tuple[Transfer, bool]:
    wallet_type = wallet.wallet_type
    before = holdings([wallet], now)[wallet.pk].spendable
    try:
        posted = post([entry], now=now)[0]
    except InsufficientBalanceError as error:
        words = format_units(error.spendable, wallet_type)
        raise InsufficientBalanceError(error.spendable, words) from error
    transfer = Transfer.objects.select_related("wallet", "wallet_type").get(pk=posted.transfer_id)
    if not posted.replayed:
        wallet.refresh_from_db(fields=["balance", "pending", "owed", "next_change_at"])
        after = holdings([wallet], now)[wallet.pk].spendable
        membership = Membership.objects.select_related("customer").get(account=wallet.account_id)
        record_audit(
            actor=actor,
            action=action,
            target=membership.customer,
            before={"spendable": whole_number(before, wallet_type)},
            after={
                "spendable": whole_number(after, wallet_type),
                "units": whole_number(transfer.signed_amount, wallet_type),
                "wallet_type": wallet_type.plural,
                "transfer": transfer.pk,
            },
            reason=" · ".join(
                part for part in (str(REASONS.get(reason, reason)), transfer.note) if part
            ),
        )
    return transfer, posted.replayed


def whole_number(units: int, wallet_type: WalletType) -> int | str:
    """The number that people know: 1.25 for 125 of a unit with two decimals."""
    return units if not wallet_type.scale else str(Decimal(units).scaleb(-wallet_type.scale))
