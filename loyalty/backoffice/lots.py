"""Lots as rows of a screen: what is left of them, from when and until when, by which terms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from loyalty.descriptions import describe_expiry, describe_pending
from loyalty.lot_words import ends_at, expires_words, matures_words
from loyalty.models import Lot, Order, WalletType
from loyalty.selectors.lot_policies import expiry_of, pending_of


@dataclass(frozen=True, slots=True)
class LotRow:
    """A lot in words. `spendable`: it can be spent now; `matures` says when it could or can.
    `ends`: it will expire, so that it could be given more time."""

    lot: Lot
    wallet_type: WalletType
    order: Order | None
    spendable: bool
    held: bool
    matures: str
    expires: str
    terms: str
    ends: bool


def lot_rows(lots: Iterable[Lot], now: dt.datetime) -> list[LotRow]:
    """Rows for lots that come from `loyalty.selectors.lots`."""
    return [_row(lot, now) for lot in lots]


def _row(lot: Lot, now: dt.datetime) -> LotRow:
    wallet_type = lot.policy.wallet_type
    zone = wallet_type.program.zone
    order = lot.origin.order
    held = order is not None and order.held_at is not None
    return LotRow(
        lot=lot,
        wallet_type=wallet_type,
        order=order,
        spendable=lot.spendable_at <= now,
        held=held,
        matures=matures_words(lot, held=held, zone=zone),
        expires=expires_words(lot, lot.wallet, zone),
        terms=f"{describe_pending(pending_of(lot.policy))} "
        f"{describe_expiry(expiry_of(lot.policy))}",
        ends=(ends_at(lot, lot.wallet) or lot.planned_expires_at) is not None,
    )
