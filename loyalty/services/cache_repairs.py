"""Working out anew what is derived from the books: what lots and wallets hold, totals of days and
months, and what members' tiers are gone on with. The books themselves (transfers, grants, uses,
changes of lots) are read only.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import Max

from loyalty.instants import NEVER
from loyalty.ledger.posting import lock_wallets
from loyalty.models import LotPosition
from loyalty.services.tallies import recount_tallies
from loyalty.services.tier_checkpoints import mend_checkpoints
from loyalty.services.totals import rebuild_days, rewrite_month_ends
from members.selectors.merchants import get_merchant
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically

WALLETS = 500
DAYS = 30

# What the uses of a lot leave of it, and when that is due.
LEFT = """
    SELECT l.id, l.granted - coalesce((SELECT sum(u.amount) FROM loyalty_lotuse u
                                        WHERE u.lot_id = l.id), 0) AS remaining
      FROM loyalty_lot l
"""
DUE = "CASE WHEN x.remaining > 0 THEN coalesce(l.expires_at, %(never)s) END"
WRONG_LOTS = f"""
    SELECT l.id, l.wallet_id, x.remaining, {DUE} AS due_at
      FROM loyalty_lot l JOIN ({LEFT} {{where}}) x ON x.id = l.id
     -- What is below zero or above the grant is no cache that is wrong but books that are.
     WHERE x.remaining BETWEEN 0 AND l.granted
       AND (l.remaining, l.due_at) IS DISTINCT FROM (x.remaining, {DUE})
"""
OWED = """
    SELECT w.id, coalesce((SELECT sum(t.debt_change) FROM loyalty_transfer t
                            WHERE t.wallet_id = w.id), 0) AS owed
      FROM loyalty_wallet w
"""
HELD = """
    SELECT w.id, coalesce(sum(l.remaining) FILTER (WHERE l.spendable_at <= %(now)s), 0) AS balance,
           coalesce(sum(l.remaining) FILTER (WHERE l.spendable_at > %(now)s), 0) AS pending,
           coalesce(min(CASE WHEN l.spendable_at > %(now)s THEN least(l.spendable_at, l.due_at)
                             ELSE l.due_at END), %(never)s) AS changes_at
      FROM loyalty_wallet w
      LEFT JOIN loyalty_lot l ON l.wallet_id = w.id AND l.due_at > %(now)s
     GROUP BY w.id
"""
WRONG_WALLETS = f"""
    SELECT wallet_id FROM ({WRONG_LOTS.format(where="")}) lots
     UNION
    SELECT w.id FROM loyalty_wallet w JOIN ({OWED}) x ON x.id = w.id
     WHERE w.owed <> x.owed AND x.owed >= 0
     UNION
    SELECT w.id FROM loyalty_wallet w JOIN ({HELD}) x ON x.id = w.id
     WHERE w.next_change_at > %(now)s
       AND ((w.balance, w.pending) <> (x.balance, x.pending)
            OR w.next_change_at > least(x.changes_at, w.active_until))
     ORDER BY 1
"""
MEND_LOTS = f"""
    UPDATE loyalty_lot l SET remaining = x.remaining, due_at = x.due_at
      FROM ({WRONG_LOTS.format(where="WHERE l.wallet_id = ANY(%(wallets)s)")}) x WHERE x.id = l.id
"""
MEND_OWED = f"""
    UPDATE loyalty_wallet w SET owed = x.owed
      FROM ({OWED} WHERE w.id = ANY(%(wallets)s)) x
     WHERE x.id = w.id AND w.owed <> x.owed AND x.owed >= 0
"""
# Also days that only the totals know of: a row for them is wrong.
DAYS_OF = """
    SELECT wallet_type_id, booked_on FROM loyalty_transfer
     UNION SELECT wallet_type_id, day FROM loyalty_dailytotal
     UNION SELECT wallet_type_id, day FROM loyalty_lottotal
     ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Repaired:
    """How many lots, wallets and rows of totals were not as the books say; and how many tiers were
    gone on with from what their facts did not come to."""

    lots: int
    wallets: int
    totals: int
    tiers: int = 0

    @property
    def nothing(self) -> bool:
        return not (self.lots or self.wallets or self.totals or self.tiers)


def repair_caches(*, actor: Actor, now: dt.datetime) -> Repaired:
    """Bring everything derived to what the books say. In pieces that commit by themselves: killed
    anywhere it can be run again, and running it twice changes nothing."""
    lots = 0
    wrong = _wrong_wallets(now)
    for start in range(0, len(wrong), WALLETS):
        mend = partial(_mend_wallets, wrong[start : start + WALLETS], now)
        lots += run_atomically(mend)
    wallets = len(wrong)
    totals = _rebuild_totals() + recount_tallies()
    repaired = Repaired(lots, wallets, totals, mend_checkpoints(now=now))
    if not repaired.nothing:
        record_audit(
            actor=actor, action="books.caches_repaired", target=get_merchant(),
            after={
                "lots": lots, "wallets": wallets, "totals": repaired.totals,
                "tiers": repaired.tiers,
            },
        )  # fmt: skip
    return repaired


def _wrong_wallets(now: dt.datetime) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(WRONG_WALLETS, {"now": now, "never": NEVER})
        return [row[0] for row in cursor.fetchall()]


def _mend_wallets(ids: list[int], now: dt.datetime) -> int:
    lock_wallets(ids)
    values: dict[str, Any] = {"wallets": ids, "never": NEVER}
    with connection.cursor() as cursor:
        cursor.execute(MEND_LOTS, values)
        lots = int(cursor.rowcount)
        cursor.execute(MEND_OWED, values)
        cursor.execute("SELECT ledger_refresh(%s, %s)", [ids, now])
    return lots


def _rebuild_totals() -> int:
    days: defaultdict[int, list[dt.date]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(DAYS_OF)
        for wallet_type, day in cursor.fetchall():
            days[wallet_type].append(day)
    written = LotPosition.objects.values_list("wallet_type").annotate(Max("until"))
    ends = dict(written.order_by())
    corrected = 0
    for wallet_type, found in days.items():
        for start in range(0, len(found), DAYS):
            corrected += rebuild_days({wallet_type: found[start : start + DAYS]})
        if wallet_type in ends:
            corrected += rewrite_month_ends(wallet_type, ends[wallet_type])
    return corrected
