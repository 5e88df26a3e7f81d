"""Movements that join or part what two wallets of one type hold, over the program's transit
account: lots keep their times, debts are not repaid by it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from loyalty.ledger.balances import Holding
from loyalty.ledger.posting import Movement, WalletRef, movement
from loyalty.models import Account, Program, Transfer, Wallet
from members.services.audit import Actor


@dataclass(frozen=True, slots=True)
class Transit:
    """From where, when and by whom. `code` says why: "joined", "parted"."""

    program: Program
    code: str
    now: dt.datetime
    source: str
    actor: Actor

    def join(self, wallet: Wallet, into: Wallet, held: Holding, *, key: str) -> list[Movement]:
        """All that a wallet holds and owes."""
        movements = []
        units = held.balance + held.pending
        if units:
            movements.append(self.move(wallet, into, units, key=key))
        if held.owed:
            movements.append(self.owe(wallet, into, held.owed, key=f"{key}:debt"))
        return movements

    def move(self, wallet: Wallet, into: Wallet, units: int, *, key: str, **more: Any) -> Movement:
        """Units with their lots, pending ones too."""
        return self._between("move", wallet, into, units, key, pend=True, keep=True, **more)

    def owe(self, wallet: Wallet, into: Wallet, units: int, *, key: str) -> Movement:
        """A debt. Where one of the two blocks spending, what comes of them does."""
        blocks = wallet.debt_blocks or (into.debt_blocks and into.owed > 0)
        return self._between("owe", wallet, into, units, key, blk=blocks)

    def _between(
        self, direction: str, wallet: Wallet, into: Wallet, units: int, key: str, **more: Any
    ) -> Movement:
        transit = Account.objects.get(program=self.program, kind=Account.Kind.TRANSIT)
        return movement(
            direction=direction,
            kind=Transfer.Kind.MERGE.value,
            ref=WalletRef(wallet.pk, wallet.account_id, wallet.wallet_type_id, self.program.zone),
            counter_account_id=transit.pk,
            amount=units,
            occurred_at=self.now,
            key=key,
            source=self.source,
            explanation={"code": self.code},
            w2=into.pk,
            a2=into.account_id,
            actor=self.actor.user.pk if self.actor.user else None,
            **more,
        )
