"""What wallets hold at an instant: the stored row while it is exact, the lots once it is not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from loyalty.models import NEVER, Wallet
from members.prepared import run_prepared

# What a wallet's open lots give at an instant past the one until which its row is exact. Units that
# expired since then have settled what is owed, whether or not a job has written it down.
HELD = """
    SELECT coalesce(sum(remaining) FILTER (
               WHERE ends > %(at)s AND spendable_at <= %(at)s), 0)::bigint AS balance,
           coalesce(sum(remaining) FILTER (
               WHERE ends > %(at)s AND spendable_at > %(at)s), 0)::bigint AS pending,
           greatest(w.owed - coalesce(
               sum(remaining) FILTER (WHERE ends <= %(at)s AND spendable_at < ends), 0), 0)::bigint
               AS owed
      FROM (SELECT l.remaining, l.spendable_at,
                   CASE WHEN l.renewable AND l.expires_at IS NULL
                        THEN coalesce(w.active_until, l.due_at) ELSE l.due_at END AS ends
              FROM loyalty_lot l WHERE l.wallet_id = w.id AND l.due_at IS NOT NULL) lots
"""


@dataclass(frozen=True, slots=True)
class Holding:
    """Units at the wallet type's scale. `balance` is matured and not lapsed; `spendable` is after
    debt."""

    wallet_id: int
    balance: int
    pending: int
    owed: int
    blocked: bool = False

    @property
    def spendable(self) -> int:
        return spendable_of(self.balance, self.owed, blocks=self.blocked)


@dataclass(frozen=True, slots=True)
class Lapse:
    """Units that lapse next, and the (exclusive) instant at which they do."""

    units: int
    at: dt.datetime


def spendable_of(balance: int, owed: int, *, blocks: bool) -> int:
    """What can be spent: the balance less what is owed; nothing, where a debt blocks."""
    return 0 if blocks and owed else max(balance - owed, 0)


_HELD_NOW = f"""
    SELECT w.id, held.balance, held.pending, held.owed, w.debt_blocks
      FROM loyalty_wallet w CROSS JOIN LATERAL ({HELD}) held
     WHERE w.id = ANY(%(ids)s::bigint[])
"""


def holdings(wallets: Iterable[Wallet], at: dt.datetime) -> dict[int, Holding]:
    """By wallet id. One query more when a lot matured or lapsed since the last posting."""
    fresh: dict[int, Holding] = {}
    stale: dict[int, Wallet] = {}
    for wallet in wallets:
        if wallet.next_change_at > at:
            fresh[wallet.pk] = Holding(
                wallet.pk, wallet.balance, wallet.pending, wallet.owed, wallet.debt_blocks
            )
        else:
            stale[wallet.pk] = wallet
    if stale:
        found = run_prepared(_HELD_NOW, {"at": at, "ids": list(stale)})
        fresh |= {row[0]: Holding(*row) for row in found}
    return fresh


_LAPSES = """
    SELECT DISTINCT ON (wallet_id) wallet_id, sum(remaining), ends
      FROM (SELECT l.wallet_id, l.remaining, CASE WHEN l.renewable AND l.expires_at IS NULL
                   THEN coalesce(w.active_until, l.due_at) ELSE l.due_at END AS ends
              FROM loyalty_lot l JOIN loyalty_wallet w ON w.id = l.wallet_id
             WHERE l.wallet_id = ANY(%(ids)s::bigint[]) AND l.due_at IS NOT NULL) lots
     WHERE ends > %(at)s AND ends < %(never)s
     GROUP BY wallet_id, ends
     ORDER BY wallet_id, ends
"""


def next_lapses(wallet_ids: Iterable[int], at: dt.datetime) -> dict[int, Lapse]:
    """For each wallet with units that will lapse: how many lapse together first, and when."""
    found = run_prepared(_LAPSES, {"ids": list(wallet_ids), "at": at, "never": NEVER})
    return {row[0]: Lapse(int(row[1]), row[2]) for row in found}
