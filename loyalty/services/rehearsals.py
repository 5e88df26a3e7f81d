"""The effect of a write before it is made: it is made, looked at, and undone again.

So what is shown is what will happen, and not a second calculation of it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from django.db import transaction

from loyalty.ledger.balances import Holding, holdings
from loyalty.models import Wallet
from members.services.transactions import run_atomically

Seen = TypeVar("Seen")


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One wallet before and after."""

    wallet: Wallet
    before: Holding
    after: Holding


def rehearse(
    write: Callable[[], Seen], *, wallets: Iterable[int], now: dt.datetime
) -> tuple[Seen, list[Rehearsal]]:
    """What `write` returns, and what it does to these wallets (by key). Raises what it raises."""
    before = _held(wallets, now)

    def attempt() -> tuple[Seen, dict[int, tuple[Wallet, Holding]]]:
        with transaction.atomic():
            seen = write()
            after = _held(wallets, now)
            transaction.set_rollback(True)
        return seen, after

    seen, after = run_atomically(attempt)
    return seen, [
        Rehearsal(wallet, held, after[pk][1]) for pk, (wallet, held) in sorted(before.items())
    ]


def _held(wallets: Iterable[int], now: dt.datetime) -> dict[int, tuple[Wallet, Holding]]:
    found = list(Wallet.objects.filter(pk__in=wallets).select_related("wallet_type__program"))
    held = holdings(found, now)
    return {wallet.pk: (wallet, held[wallet.pk]) for wallet in found}
