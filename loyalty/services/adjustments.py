"""Adding or taking units by hand, with a reason, and undoing it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from loyalty.errors import (
    InsufficientBalanceError,
    KeyReusedError,
    LedgerError,
    NotReversibleError,
    OverCorrectedError,
)
from loyalty.ledger.balances import holdings, spendable_of
from loyalty.ledger.posting import Movement, WalletRef, movement, post
from loyalty.models import (
    Account,
    AdjustmentReason,
    LotPolicy,
    Membership,
    Transfer,
    Wallet,
    WalletType,
)
from loyalty.rules.lots import expires_at, lot_times
from loyalty.selectors.adjustment_reasons import reason_of
from loyalty.selectors.erased_holders import refuse_erased_holder
from loyalty.selectors.memberships import current_wallet
from loyalty.selectors.order_takings import PREFIX
from loyalty.selectors.rulebooks import lot_terms
from loyalty.services.adjustment_reasons import require_reason
from loyalty.services.order_takings import (
    beyond_spendable,
    follow_undone,
    hold_orders_of,
    reach,
)
from members.errors import FieldError
from members.formatting import format_units
from members.prepared import KeptQuery
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically

# What a movement keeps of its reason.
WORDS = ("reason", "told")
# Far above what anybody holds, and far below where the sums of many wallets overflow.
MOST_UNITS = 10**15
_HELD = ("balance", "pending", "owed", "next_change_at")
_ACCOUNT: KeptQuery[Account] = KeptQuery(
    lambda kind, program: Account.objects.filter(kind=kind, program=program)
)
_POLICY: KeptQuery[LotPolicy] = KeptQuery(
    lambda unit: LotPolicy.objects.filter(rule=None, wallet_type=unit).order_by("-pk")[:1]
)
_TRANSFER: KeptQuery[Transfer] = KeptQuery(
    lambda pk: Transfer.objects.select_related("wallet", "wallet_type").filter(pk=pk)
)
_HOLDER: KeptQuery[Membership] = KeptQuery(
    lambda account: Membership.objects.select_related("customer", "program").filter(account=account)
)


@dataclass(frozen=True, slots=True)
class Preview:
    """What can be spent before and after, in units at the wallet type's scale."""

    before: int
    after: int


def preview_adjustment(
    *, wallet: Wallet, units: int, now: dt.datetime, key: str = ""
) -> Preview:  # fmt: skip
    """The effect of an adjustment before it is made. Raises InsufficientBalanceError. `key`: one
    that takes what orders earned takes more than what can be spent."""
    held = holdings([wallet], now)[wallet.pk]
    units += beyond_spendable(key, wallet, -units, now=now) if key.startswith(PREFIX) else 0
    if -units > held.spendable:
        raise InsufficientBalanceError(held.spendable)
    after = spendable_of(held.balance + units, held.owed, blocks=held.blocked)
    return Preview(held.spendable, after)


@dataclass(frozen=True, slots=True)
class Terms:
    """What adjustments of one wallet type at one instant have in common."""

    adjusted: int  # the program's account on the other side
    lot: dict[str, Any]


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
) -> tuple[Transfer, bool]:
    """Add (units > 0) or take (units < 0). Returns the transfer and whether it had been made
    before.

    The wallet of somebody who was merged into another customer stands for that one's. `key` makes
    it happen once: the same key again returns the first transfer, with other content
    KeyReusedError. Nobody's limits are looked at: people go through `staff_adjustments`.
    """
    check_units(units)
    return post_adjustment(
        wallet=wallet,
        units=units,
        reason=require_reason(reason, note=note),
        note=note,
        actor=actor,
        key=key,
        source=source,
        now=now,
    )


def post_adjustment(
    *,
    wallet: Wallet,
    units: int,
    reason: AdjustmentReason,
    note: str,
    actor: Actor,
    key: str,
    source: str,
    now: dt.datetime,
    explanation: dict[str, Any] | None = None,
) -> tuple[Transfer, bool]:
    """Move units with a reason that was looked at already."""

    def adjust() -> tuple[Transfer, bool]:
        current = current_wallet(wallet, key)
        refuse_erased_holder(current, key)
        entry = adjustment_entry(
            wallet=current,
            units=units,
            terms=terms_of(wallet.wallet_type, now),
            reason=reason,
            note=note,
            actor=actor,
            key=key,
            source=source,
            now=now,
            explanation=explanation,
        )
        before = reach(entry, current, now=now) if key.startswith(PREFIX) else []
        return _post_and_audit(entry, current, actor, now, "points.adjusted", before)

    return run_atomically(adjust)


def undo_transfer(
    *, transfer: Transfer, actor: Actor, source: str, now: dt.datetime, note: str = ""
) -> tuple[Transfer, bool]:
    """Reverse an adjustment as a whole; units taken return to the same lots.

    Raises NotReversibleError for other kinds, OverCorrectedError when it was undone already,
    InsufficientBalanceError when what was given has been spent, ConflictError where the member was
    erased.
    """
    if transfer.kind != Transfer.Kind.ADJUSTMENT:
        raise NotReversibleError(_("Only adjustments can be undone by hand."))
    return run_atomically(lambda: _undo(transfer, actor, source, now, note))


def check_units(units: int) -> None:
    """Refuse what moves nothing, and what nobody can mean."""
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


def terms_of(wallet_type: WalletType, now: dt.datetime, kind: str = "") -> Terms:
    """Units given by hand can be spent at once, and expire by the policy of that day. `kind`: that
    of the movement, where it may be an activity; paying in always is one."""
    program = wallet_type.program
    adjusted = _ACCOUNT.one(Account.Kind.ADJUSTED.value, program.pk).pk
    policy = _POLICY.one(wallet_type.pk)
    times = lot_times(lot_terms(policy), now, now, program.zone)
    lot: dict[str, Any] = {
        "sp": now, "ex": times.expires_at, "plan": times.planned_expires_at,
        "ren": times.renewable, "pol": policy.pk,
    }  # fmt: skip
    if times.renewable:
        lot["until"] = expires_at(lot_terms(policy), now, program.zone)
        lot["act"] = kind == Transfer.Kind.DEPOSIT or kind in policy.renewed_by
    return Terms(adjusted, lot)


def adjustment_entry(
    *,
    wallet: Wallet,
    units: int,
    terms: Terms,
    reason: AdjustmentReason,
    note: str,
    actor: Actor,
    key: str,
    source: str,
    now: dt.datetime,
    explanation: dict[str, Any] | None = None,
) -> Movement:
    """The movement of an adjustment. What its reason was called, and whether members read it, is
    kept with it."""
    rest: dict[str, Any] = {"actor": actor.user.pk if actor.user else None}
    if units > 0:
        rest |= terms.lot
    words = {"reason": reason.label, "told": reason.told_to_members}
    return movement(
        direction="in" if units > 0 else "out",
        kind=Transfer.Kind.ADJUSTMENT.value,
        ref=_ref(wallet),
        counter_account_id=terms.adjusted,
        amount=abs(units),
        occurred_at=now,
        key=key,
        source=source,
        reason=reason.code,
        note=note,
        explanation=words | (explanation or {}),
        **rest,
    )


def reversal_entry(
    *,
    transfer: Transfer,
    wallet: Wallet,
    actor: Actor,
    source: str,
    now: dt.datetime,
    note: str,
    explanation: dict[str, Any] | None = None,
) -> Movement:
    """The movement that undoes an adjustment as a whole. What was given to somebody who has been
    merged since is taken where their units are now."""
    given = transfer.to_account_id == wallet.account_id
    merged = given and wallet.merged_into_id is not None
    holder = current_wallet(wallet, undo_key(transfer.pk)) if merged else wallet
    here = holder == wallet
    words = {name: transfer.explanation[name] for name in WORDS if name in transfer.explanation}
    return movement(
        direction="out" if given else "back",
        kind=Transfer.Kind.REVERSAL.value,
        ref=_ref(holder),
        counter_account_id=transfer.from_account_id if given else transfer.to_account_id,
        amount=transfer.amount,
        occurred_at=now,
        key=undo_key(transfer.pk),
        source=source,
        reason=transfer.reason,
        note=note,
        rev=transfer.pk if here else None,
        cor=None if here else transfer.pk,
        own=transfer.pk,
        actor=actor.user.pk if actor.user else None,
        explanation=words | (explanation or {}),
    )


def undo_key(transfer_id: int) -> str:
    """Whoever undoes a movement, alone or with many others, undoes it once."""
    return f"undo:{transfer_id}"


def _ref(wallet: Wallet) -> WalletRef:
    return WalletRef(
        wallet.pk, wallet.account_id, wallet.wallet_type_id, wallet.wallet_type.program.zone
    )


def _undo(
    transfer: Transfer, actor: Actor, source: str, now: dt.datetime, note: str
) -> tuple[Transfer, bool]:
    wallet = Wallet.objects.select_related("wallet_type__program").get(pk=transfer.wallet_id)
    refuse_erased_holder(current_wallet(wallet), undo_key(transfer.pk))
    held = hold_orders_of(transfer)
    entry = reversal_entry(
        transfer=transfer, wallet=wallet, actor=actor, source=source, now=now, note=note
    )
    try:
        undone = _post_and_audit(entry, wallet, actor, now, "points.adjustment_undone")
        follow_undone(held, source=source, now=now)
        return undone
    except KeyReusedError as error:
        # Somebody else undid it, in other words: that is what the second one wants to hear.
        raise OverCorrectedError(_("This adjustment was undone already.")) from error


def _post_and_audit(
    entry: Movement,
    wallet: Wallet,
    actor: Actor,
    now: dt.datetime,
    action: str,
    first: Sequence[Movement] = (),
) -> tuple[Transfer, bool]:
    wallet_type = wallet.wallet_type
    wallet = current_wallet(wallet)
    before = holdings([wallet], now)[wallet.pk].spendable
    try:
        found = post([*first, entry], now=now)
        [posted] = [one for one in found if one.key == entry["key"]]
    except InsufficientBalanceError as error:
        words = format_units(error.spendable, wallet_type)
        raise InsufficientBalanceError(error.spendable, words) from error
    transfer = _TRANSFER.one(posted.transfer_id)
    if not posted.replayed:
        # The caller's has what it holds now, too: that which counts, where units came back to the
        # wallet of somebody merged.
        if transfer.wallet_id == wallet.pk:
            for name in _HELD:
                setattr(wallet, name, getattr(transfer.wallet, name))
        else:
            wallet.refresh_from_db(fields=_HELD)
        after = holdings([wallet], now)[wallet.pk].spendable
        membership = _HOLDER.one(wallet.account_id)
        record_audit(
            actor=actor,
            action=action,
            target=membership.customer,
            about=membership,
            before={"spendable": whole_number(before, wallet_type)},
            after={
                "spendable": whole_number(after, wallet_type),
                "units": whole_number(transfer.signed_amount, wallet_type),
                "wallet_type": wallet_type.plural,
                "transfer": transfer.pk,
            },
            reason=" · ".join(part for part in (reason_of(transfer), transfer.note) if part),
        )
    return transfer, posted.replayed


def whole_number(units: int, wallet_type: WalletType) -> int | str:
    """The number that people know: 1.25 for 125 of a unit with two decimals."""
    return units if not wallet_type.scale else str(Decimal(units).scaleb(-wallet_type.scale))
