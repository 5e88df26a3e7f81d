"""What wallets hold at an instant: the stored row while it is exact, the lots once it is not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from loyalty.models import Wallet


@dataclass(frozen=True, slots=True)
class Holding:
    """Units at the wallet type's scale. `balance` is matured and not lapsed; `spendable` is after
    debt."""

    wallet_id: int
    balance: int
    pending: int
    owed: int

    @property
    def spendable(self) -> int:
        return max(self.balance - self.owed, 0)


@dataclass(frozen=True, slots=True)
class Lapse:
    """Units that lapse next, and the (exclusive) instant at which they do."""

    units: int
    at: dt.datetime


def holdings(wallets: Iterable[Wallet], at: dt.datetime) -> dict[int, Holding]:
    """By wallet id. One query more when a lot matured or lapsed since the last posting."""
    fresh: dict[int, Holding] = {}
    stale: dict[int, Wallet] = {}
    for wallet in wallets:
        if wallet.next_change_at > at:
            fresh[wallet.pk] = Holding(wallet.pk, wallet.balance, wallet.pending, wallet.owed)
        else:
            stale[wallet.pk] = wallet
    if stale:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT wallet_id,
                       coalesce(sum(remaining) FILTER (WHERE spendable_at <= %(at)s), 0),
                       coalesce(sum(remaining) FILTER (WHERE spendable_at > %(at)s), 0)
                  FROM loyalty_lot
                 WHERE wallet_id = ANY(%(ids)s) AND due_at IS NOT NULL AND due_at > %(at)s
                 GROUP BY wallet_id
                """,
                {"at": at, "ids": list(stale)},
            )
            sums = {row[0]: (int(row[1]), int(row[2])) for row in cursor.fetchall()}
        for pk, wallet in stale.items():
            balance, pending = sums.get(pk, (0, 0))
            fresh[pk] = Holding(pk, balance, pending, wallet.owed)
    return fresh


def next_lapses(wallet_ids: Iterable[int], at: dt.datetime) -> dict[int, Lapse]:
    """For each wallet with units that will lapse: how many lapse together first, and when."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT ON (wallet_id) wallet_id, sum(remaining), expires_at
              FROM loyalty_lot
             WHERE wallet_id = ANY(%s) AND due_at IS NOT NULL AND due_at > %s
               AND expires_at IS NOT NULL
             GROUP BY wallet_id, expires_at
             ORDER BY wallet_id, expires_at
            """,
            [list(wallet_ids), at],
        )
        return {row[0]: Lapse(int(row[1]), row[2]) for row in cursor.fetchall()}
