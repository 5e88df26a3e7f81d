"""Wallets in which more can be spent than before, by what came in and by what had to mature."""

from __future__ import annotations

import datetime as dt
from typing import Any

from campaigns.selectors.due_members import PAGE, Stage, select

# Transfers are numbered nearly in the order in which they are recorded, so a time is a range.
_RANGE = """
    SELECT min(t.id), max(t.id) FROM loyalty_transfer t
     WHERE t.recorded_at > %(first)s AND t.recorded_at <= %(until)s
"""
_CAME_IN = """
    SELECT t.id, l.wallet_id
      FROM (SELECT t.id, t.wallet_type_id, t.recorded_at FROM loyalty_transfer t
             WHERE t.id > %(after)s AND t.id <= %(last)s ORDER BY t.id LIMIT %(page)s) t
      LEFT JOIN loyalty_lot l ON l.transfer_id = t.id AND l.due_at IS NOT NULL
           AND l.spendable_at <= %(until)s AND t.wallet_type_id = %(unit)s
           AND t.recorded_at > %(first)s
"""
# By the index lot_matures; what waits for nothing is found by when it was recorded.
_MATURED = """
    SELECT l.spendable_at, l.id, l.wallet_id FROM loyalty_lot l
     WHERE l.due_at IS NOT NULL AND l.spendable_at > l.earned_at
       AND l.spendable_at >= %(at)s AND l.spendable_at <= %(until)s
       AND l.spendable_at > %(first)s AND (l.spendable_at, l.id) > (%(at)s, %(key)s)
     ORDER BY l.spendable_at, l.id LIMIT %(page)s
"""


def came_in(unit: int, first: dt.datetime, until: dt.datetime) -> Stage[int]:
    """Of this kind of units, with what was recorded after `first`, up to `until`."""

    def page(after: Any) -> tuple[list[int], Any]:
        if after is None:
            least, last = select(_RANGE, first=first, until=until)[0]
            if least is None:
                return [], None
            after = [least - 1, last]
        rows = select(_CAME_IN, first=first, until=until, unit=unit, after=after[0], last=after[1])
        top = max((row[0] for row in rows), default=after[1])
        wallets = sorted({wallet for _transfer, wallet in rows if wallet is not None})
        return wallets, [top, after[1]] if top < after[1] else None

    return page


def matured(first: dt.datetime, until: dt.datetime) -> Stage[int]:
    """In which something became spendable after `first`, up to `until`."""

    def page(after: Any) -> tuple[list[int], Any]:
        at, key = (dt.datetime.fromisoformat(after[0]), after[1]) if after else (first, 0)
        rows = select(_MATURED, first=first, until=until, at=at, key=key)
        going_on = [rows[-1][0].isoformat(), rows[-1][1]] if len(rows) == PAGE else None
        return sorted({row[2] for row in rows}), going_on

    return page
