"""Money that the merchant owes to whoever holds it: paid in, moved to a member's credit, taken
back.

Spending it is spending units (`loyalty.services.redemptions`); one unit of it, at its scale, is one
of the smallest coin of the program's currency.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from loyalty.errors import InsufficientBalanceError, LedgerError, StoredValueError
from loyalty.ledger.posting import Movement, WalletRef, lock_wallets, movement, post
from loyalty.models import Account, Lot, Program, Transfer, Wallet, WalletType
from loyalty.services.adjustments import MOST_UNITS, terms_of
from members.errors import FieldError
from members.formatting import format_units
from members.services.audit import Actor


def stored_value_type(program: Program) -> WalletType:
    """The program's kind of stored value. Raises StoredValueError where it has none."""
    found = WalletType.objects.select_related("program").filter(program=program, stored_value=True)
    wallet_type = found.first()
    if wallet_type is None:
        raise StoredValueError(
            _("%s has no gift cards and no store credit.") % program.name, code="no_stored_value"
        )
    return wallet_type


def coins(amount: Decimal, wallet_type: WalletType, *, field: str = "amount") -> int:
    """An amount of money as the ledger counts it. Raises LedgerError at the field."""
    scaled = amount.scaleb(wallet_type.scale)
    problem = ""
    if scaled <= 0:
        problem = _("Give an amount above zero.")
    elif scaled != scaled.to_integral_value():
        problem = _("Give an amount with at most %s decimals.") % wallet_type.scale
    elif scaled > MOST_UNITS:
        problem = _("Give a smaller amount.")
    if problem:
        raise LedgerError(problem, code="invalid_request", errors=[FieldError(field, problem)])
    return int(scaled)


def money_of(units: int, wallet_type: WalletType) -> Decimal:
    """What the ledger counts, as an amount of money."""
    return Decimal(units).scaleb(-wallet_type.scale)


def open_bearer_wallet(wallet_type: WalletType) -> Wallet:
    """A new wallet that belongs to whoever has its card."""
    account = Account.objects.create(program=wallet_type.program, kind=Account.Kind.BEARER)
    return Wallet.objects.create(account=account, wallet_type=wallet_type)


def credit_wallet(account_id: int, wallet_type: WalletType) -> Wallet:
    """Where a holder has their stored value."""
    wallets = Wallet.objects.select_related("wallet_type__program")
    return wallets.get(account=account_id, wallet_type=wallet_type)


def deposit_entry(
    *, wallet: Wallet, units: int, paid_from: str, key: str, source: str, actor: Actor,
    now: dt.datetime, explanation: dict[str, Any], note: str = "",
) -> Movement:  # fmt: skip
    """The movement that pays in. `paid_from`: which of the program's accounts it comes from."""
    wallet_type = wallet.wallet_type
    program = wallet_type.program
    counter = Account.objects.get(program=program, kind=paid_from).pk
    return movement(
        direction="in",
        kind=Transfer.Kind.DEPOSIT.value,
        ref=WalletRef(wallet.pk, wallet.account_id, wallet_type.pk, program.zone),
        counter_account_id=counter,
        amount=units,
        occurred_at=now,
        key=key,
        source=source,
        explanation=explanation,
        note=note,
        actor=actor.user.pk if actor.user else None,
        **terms_of(wallet_type, now, Transfer.Kind.DEPOSIT.value).lot,
    )


def deposit(
    *, wallet: Wallet, units: int, paid_from: str, key: str, source: str, actor: Actor,
    now: dt.datetime, explanation: dict[str, Any], note: str = "",
) -> tuple[Transfer, bool]:  # fmt: skip
    """Pay in. Returns the movement, and whether it had been made before by this key."""
    entry = deposit_entry(
        wallet=wallet, units=units, paid_from=paid_from, key=key, source=source, actor=actor,
        now=now, explanation=explanation, note=note,
    )  # fmt: skip
    return _post(entry, wallet, now)


def take_deposit_back(
    *, transfer: Transfer, source: str, actor: Actor, now: dt.datetime, note: str = ""
) -> Transfer:
    """Undo what was paid in, while nothing of it was spent or moved. Doing it again changes
    nothing. Raises StoredValueError (`value_spent`)."""
    wallet = Wallet.objects.select_related("wallet_type__program").get(pk=transfer.wallet_id)
    lock_wallets([wallet.pk])
    known: Transfer | None = Transfer.objects.filter(reverses=transfer).first()
    if known is not None:
        return known
    lot = Lot.objects.get(transfer=transfer, parent=None)
    if lot.remaining != lot.granted:
        raise StoredValueError(
            _("Some of it was spent, or is elsewhere by now: it stays."), code="value_spent"
        )
    entry = movement(
        direction="out",
        kind=Transfer.Kind.REVERSAL.value,
        ref=WalletRef(
            wallet.pk, wallet.account_id, wallet.wallet_type_id, wallet.wallet_type.program.zone
        ),
        counter_account_id=transfer.from_account_id,
        amount=transfer.amount,
        occurred_at=now,
        key=f"undo:{transfer.pk}",
        source=source,
        explanation={**transfer.explanation, "undone": Transfer.Kind.DEPOSIT.value},
        rev=transfer.pk,
        own=transfer.pk,
        note=note,
        actor=actor.user.pk if actor.user else None,
    )
    return _post(entry, wallet, now)[0]


def move_stored_value(
    *, wallet: Wallet, to: Wallet, units: int, key: str, source: str, actor: Actor,
    now: dt.datetime, explanation: dict[str, Any],
) -> tuple[Transfer, bool]:  # fmt: skip
    """From one holder to another: it keeps when it was paid in, and when it expires if it does.
    Where it expires by inactivity, bringing it is an activity of whom it comes to."""
    program = wallet.wallet_type.program
    lot = terms_of(wallet.wallet_type, now).lot
    renewal = {"until": lot["until"], "act2": True} if "until" in lot else {}
    transit = Account.objects.get(program=program, kind=Account.Kind.TRANSIT).pk
    entry = movement(
        direction="move",
        kind=Transfer.Kind.GIFT.value,
        ref=WalletRef(wallet.pk, wallet.account_id, wallet.wallet_type_id, program.zone),
        counter_account_id=transit,
        amount=units,
        occurred_at=now,
        key=key,
        source=source,
        explanation=explanation,
        actor=actor.user.pk if actor.user else None,
        w2=to.pk,
        a2=to.account_id,
        **renewal,
    )
    return _post(entry, wallet, now)


def _post(entry: Movement, wallet: Wallet, now: dt.datetime) -> tuple[Transfer, bool]:
    try:
        posted = next(found for found in post([entry], now=now) if found.key == entry["key"])
    except InsufficientBalanceError as error:
        words = format_units(error.spendable, wallet.wallet_type)
        raise InsufficientBalanceError(error.spendable, words) from error
    transfer = Transfer.objects.select_related("wallet", "wallet_type").get(pk=posted.transfer_id)
    return transfer, posted.replayed
