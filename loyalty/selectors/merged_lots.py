"""Lots that came by a merge, or with what did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

# Those that came from another wallet by a merge, and those that some orders earned, since a
# transfer; with what became of them in further merges. What is left of these in a wallet.
CAME = """
    WITH RECURSIVE came AS (
        SELECT l.id, l.origin_id FROM loyalty_transfer t
          JOIN loyalty_transfer o ON o.id = t.pair_id AND o.wallet_id = %(theirs)s
          JOIN loyalty_lot l ON l.transfer_id = t.id AND l.parent_id IS NOT NULL
         WHERE t.wallet_id = %(kept)s AND t.kind = 'merge' AND t.id > %(after)s
         UNION ALL
        SELECT l.id, l.origin_id FROM loyalty_transfer t
          JOIN loyalty_lot l ON l.transfer_id = t.id AND l.parent_id IS NULL
         WHERE t.order_id = ANY(%(orders)s) AND t.kind = 'accrual' AND t.id > %(after)s
         UNION
        SELECT c.id, c.origin_id FROM came
          JOIN loyalty_lot c ON c.origin_id = came.origin_id AND c.parent_id = came.id
          JOIN loyalty_transfer t ON t.id = c.transfer_id AND t.kind = 'merge'
    )
    SELECT DISTINCT l.id, l.remaining
      FROM came JOIN loyalty_lot l ON l.id = came.id JOIN loyalty_wallet w ON w.id = l.wallet_id
     WHERE l.wallet_id = %(kept)s AND l.due_at IS NOT NULL
       AND CASE WHEN l.renewable AND l.expires_at IS NULL THEN coalesce(w.active_until, l.due_at)
                ELSE l.due_at END > %(at)s
     ORDER BY l.id
"""


@dataclass(frozen=True, slots=True)
class Came:
    """Lots that came by a merge, and the units that are left of them, pending ones too."""

    lot_ids: tuple[int, ...]
    units: int


def lots_that_came(
    *, kept: int, theirs: int, orders: Sequence[int], after: int, at: dt.datetime
) -> Came:
    """What is left in the wallet `kept` of all that came from `theirs`, and of what these orders
    have earned, after a transfer."""
    values: dict[str, Any] = {
        "kept": kept,
        "theirs": theirs,
        "orders": list(orders),
        "after": after,
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(CAME, values)
        rows = cursor.fetchall()
    return Came(tuple(row[0] for row in rows), sum(row[1] for row in rows))
