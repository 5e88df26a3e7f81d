"""Lots that came by a merge, or went on by one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

# What became of some lots in further merges, and what is left of them all in a wallet.
_LEFT = """
    WITH RECURSIVE came AS (
        {begin}
         UNION
        SELECT c.id, c.origin_id FROM came
          JOIN loyalty_lot c ON c.origin_id = came.origin_id AND c.parent_id = came.id
          JOIN loyalty_transfer t ON t.id = c.transfer_id AND t.kind = 'merge'
    )
    SELECT DISTINCT l.id, l.remaining
      FROM came JOIN loyalty_lot l ON l.id = came.id JOIN loyalty_wallet w ON w.id = l.wallet_id
     WHERE l.wallet_id = %(wallet)s AND l.due_at IS NOT NULL
       AND CASE WHEN l.renewable AND l.expires_at IS NULL THEN coalesce(w.active_until, l.due_at)
                ELSE l.due_at END > %(at)s
     ORDER BY l.id
"""
_CAME = """
        SELECT l.id, l.origin_id FROM loyalty_transfer t
          JOIN loyalty_transfer o ON o.id = t.pair_id AND o.wallet_id = %(theirs)s
          JOIN loyalty_lot l ON l.transfer_id = t.id AND l.parent_id IS NOT NULL
         WHERE t.wallet_id = %(wallet)s AND t.kind = 'merge' AND t.id > %(after)s
         UNION ALL
        SELECT l.id, l.origin_id FROM loyalty_transfer t
          JOIN loyalty_lot l ON l.transfer_id = t.id AND l.parent_id IS NULL
         WHERE t.order_id = ANY(%(orders)s) AND t.kind = 'accrual' AND t.id > %(after)s
         UNION ALL
        SELECT l.id, l.origin_id FROM loyalty_activityaward a
          JOIN loyalty_lot l ON l.transfer_id = a.transfer_id AND l.parent_id IS NULL
         WHERE a.activity_id = ANY(%(activities)s) AND a.transfer_id > %(after)s
"""
_OF_TRANSFER = "SELECT id, origin_id FROM loyalty_lot WHERE transfer_id = %(transfer)s"


@dataclass(frozen=True, slots=True)
class Came:
    """Lots, and the units that are left of them, pending ones too."""

    lot_ids: tuple[int, ...]
    units: int


def lots_that_came(
    *, kept: int, theirs: int, orders: Sequence[int], activities: Sequence[int], after: int,
    at: dt.datetime,
) -> Came:  # fmt: skip
    """What is left in the wallet `kept` of all that came from `theirs` by a merge, and of what
    these orders and activities have earned, after a transfer."""
    return _left(
        _CAME, wallet=kept, theirs=theirs, orders=list(orders), activities=list(activities),
        after=after, at=at,
    )  # fmt: skip


def lots_of_transfer(transfer_id: int, *, wallet_id: int, at: dt.datetime) -> Came:
    """What is left in a wallet of what a transfer brought there, or to one that was merged."""
    return _left(_OF_TRANSFER, transfer=transfer_id, wallet=wallet_id, at=at)


def _left(begin: str, **values: Any) -> Came:
    with connection.cursor() as cursor:
        cursor.execute(_LEFT.format(begin=begin), values)
        rows = cursor.fetchall()
    return Came(tuple(row[0] for row in rows), sum(row[1] for row in rows))
