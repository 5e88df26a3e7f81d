"""Units that end soon, and wallets of which somebody is to be told of it.

Wallets are looked at in the order in which something in them ends, page by page of the indexes
that say when: each lot that ends soon is read once, however many there are.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from members.prepared import run_prepared

# Where nobody has said others.
DISTANCES = (7, 30, 60)
# Where to go on: the number of the way in which they end, when, and the key after which.
Place = list[Any]

# Every lot that ends within the time that is looked at, by the three ways in which a lot can end.
# One that waits for its warning ends at the earliest so many days after it, whenever that comes.
_ENDING = """
    SELECT l.id, l.wallet_id, l.remaining, l.earned_at, l.due_at AS ends, 0 AS notice
      FROM loyalty_lot l
     WHERE l.due_at > %(now)s AND l.due_at <= %(now)s + interval '1 day' * (%(far)s + 7)
       AND l.expires_at IS NOT NULL {of_wallets}
    UNION ALL
    SELECT l.id, l.wallet_id, l.remaining, l.earned_at,
           greatest(l.planned_expires_at, %(now)s + p.warned_days * interval '1 day'),
           p.warned_days
      FROM loyalty_lot l JOIN loyalty_lotpolicy p ON p.id = l.policy_id
     WHERE l.expires_at IS NULL AND l.due_at IS NOT NULL AND NOT l.renewable
       AND l.planned_expires_at <= %(now)s
                                   + (greatest(p.warned_days, %(far)s) + 7) * interval '1 day'
           {of_wallets}
    UNION ALL
    SELECT l.id, l.wallet_id, l.remaining, l.earned_at, w.active_until, 0
      FROM loyalty_wallet w JOIN loyalty_lot l ON l.wallet_id = w.id
     WHERE w.active_until > %(now)s AND w.active_until <= %(now)s + interval '1 day' * (%(far)s + 7)
       AND l.renewable AND l.expires_at IS NULL AND l.due_at IS NOT NULL {of_wallets}
"""
_ANY = _ENDING.format(of_wallets="")
_OWN = _ENDING.format(of_wallets="AND l.wallet_id = ANY(%(wallets)s)")
# Those of which somebody is to be told now: what ends within a distance, was not told at it or at a
# shorter one, and lasted longer than that from the beginning. Of a pool's units that is whom
# `told_of_pools` finds.
_DUE = """
    WITH ending AS ({ending}), distances AS (SELECT unnest(%(distances)s) AS days)
    SELECT e.wallet_id, min(d.days), max(e.ends) FILTER (WHERE e.notice > d.days)
      FROM ending e CROSS JOIN distances d
      JOIN loyalty_wallet w ON w.id = e.wallet_id
      JOIN loyalty_wallettype t ON t.id = w.wallet_type_id
      JOIN loyalty_program p ON p.id = t.program_id AND p.status = 'live'
     CROSS JOIN LATERAL (SELECT max(told.through) AS through FROM campaigns_expirynotice told
                          WHERE told.wallet_id = e.wallet_id AND told.days <= d.days) n
     WHERE e.ends <= %(now)s
                     + interval '1 day'
                       * greatest(d.days, CASE WHEN d.days = %(far)s THEN e.notice + 1 END)
       AND e.ends > coalesce(n.through, %(now)s)
       AND (e.ends - e.earned_at > d.days * interval '1 day' OR e.notice > 0)
       AND (%(program)s::bigint IS NULL OR p.id = %(program)s)
       AND (EXISTS (SELECT FROM loyalty_membership m
                     WHERE m.account_id = w.account_id AND m.status = 'active')
         OR EXISTS (SELECT FROM loyalty_pool o
                      JOIN loyalty_poolmember i ON i.pool_id = o.id AND i.left_at IS NULL
                      JOIN loyalty_membership m ON m.id = i.membership_id AND m.status = 'active'
                     WHERE o.account_id = w.account_id AND o.status = 'open'
                       AND (i.role IN ('owner', 'approver')
                         OR o.kind = 'household' AND (o.spending = 'everyone'
                                                   OR o.spending = 'named' AND i.may_spend))))
     GROUP BY e.wallet_id {limit}
"""
_ANYBODY = _DUE.format(ending=_ANY, limit="LIMIT 1")
_OF_WALLETS = _DUE.format(ending=_OWN, limit="")
_ENDINGS = f"SELECT e.wallet_id, e.id, e.remaining, e.ends FROM ({_OWN}) e ORDER BY 1, 4, 2"

# By the indexes lot_due, lot_to_warn and wallet_active_until.
_WAYS = (
    """
    SELECT l.due_at, l.id, l.wallet_id FROM loyalty_lot l
     WHERE l.due_at >= %(at)s AND l.due_at <= %(now)s + interval '1 day' * (%(far)s + 7)
       AND l.due_at > %(now)s AND l.expires_at IS NOT NULL AND (l.due_at, l.id) > (%(at)s, %(key)s)
     ORDER BY l.due_at, l.id LIMIT %(most)s
    """,
    """
    SELECT l.planned_expires_at, l.id, l.wallet_id FROM loyalty_lot l
     WHERE l.expires_at IS NULL AND l.due_at IS NOT NULL AND l.planned_expires_at IS NOT NULL
       AND l.planned_expires_at >= %(at)s AND (l.planned_expires_at, l.id) > (%(at)s, %(key)s)
       AND l.planned_expires_at <= %(now)s + interval '7 days' + interval '1 day' * greatest(
           %(far)s, (SELECT max(p.warned_days) FROM loyalty_lotpolicy p))
     ORDER BY l.planned_expires_at, l.id LIMIT %(most)s
    """,
    """
    SELECT w.active_until, w.id, w.id FROM loyalty_wallet w
     WHERE w.active_until >= %(at)s AND w.active_until <= %(now)s + interval '1 day' * (%(far)s + 7)
       AND w.active_until > %(now)s AND (w.active_until, w.id) > (%(at)s, %(key)s)
     ORDER BY w.active_until, w.id LIMIT %(most)s
    """,
)
_BEGINNING = "0001-01-01T00:00:00+00:00"


@dataclass(frozen=True, slots=True)
class Ending:
    """Units of a wallet that end at an instant."""

    lot_id: int
    units: int
    ends: dt.datetime


@dataclass(frozen=True, slots=True)
class Due:
    """At which distance something is to be told, and when what wants a longer notice ends."""

    days: int
    far: dt.datetime | None


def anybody_due(now: dt.datetime) -> bool:
    return bool(_select(_ANYBODY, DISTANCES, now=now, distances=list(DISTANCES), program=None))


def next_wallets(
    now: dt.datetime, place: Place | None, most: int, distances: Sequence[int] = DISTANCES
) -> tuple[list[int], Place | None]:
    """Wallets in which something ends soon, after a place, and where the next ones begin, None:
    these were the last. One in which much ends comes several times."""
    first, at, key = place or [0, _BEGINNING, 0]
    wallets: set[int] = set()
    for way in range(first, len(_WAYS)):
        since = dt.datetime.fromisoformat(at)
        rows = _select(_WAYS[way], distances, now=now, at=since, key=key, most=most)
        wallets |= {row[2] for row in rows}
        if len(rows) == most:
            return sorted(wallets), [way, rows[-1][0].isoformat(), rows[-1][1]]
        at, key, most = _BEGINNING, 0, most - len(rows)
    return sorted(wallets), None


def due_of(
    wallets: Sequence[int], now: dt.datetime, distances: Sequence[int] = DISTANCES,
    program: int | None = None,
) -> dict[int, Due]:  # fmt: skip
    """Those of these wallets of which somebody is to be told; with a program only its own."""
    if not wallets:
        return {}
    rows = _select(
        _OF_WALLETS, distances, now=now, wallets=list(wallets), distances=list(distances),
        program=program,
    )  # fmt: skip
    return {wallet: Due(days, far) for wallet, days, far in rows}


def endings_of(
    wallets: Sequence[int], now: dt.datetime, distances: Sequence[int] = DISTANCES
) -> dict[int, list[Ending]]:
    """What ends in each of these wallets, the first first."""
    found: defaultdict[int, list[Ending]] = defaultdict(list)
    rows = _select(_ENDINGS, distances, now=now, wallets=list(wallets))
    for wallet, lot, units, ends in rows:
        found[wallet].append(Ending(lot, units, ends))
    return found


def told_before(through: dt.datetime | None) -> str:
    """What names how far something had been told."""
    return through.isoformat() if through else "first"


def _select(sql: str, among: Sequence[int], **values: Any) -> list[Any]:
    return run_prepared(sql, {**values, "far": max(among)})
