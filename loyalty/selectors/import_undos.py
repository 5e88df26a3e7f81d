"""What undoing an import would do, as things stand now: counted, nothing is written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection

from loyalty.ledger.balances import HELD, Holding, holdings
from loyalty.models import Membership, Order, Program, Wallet, WalletType
from members.models import Job

SHOWN = 20

# What this import's orders are by now. An order counts as the import's as long as it says what the
# import had written; one that the import brought in, lost to an undo and brought again, once.
_STANDING = """
    SELECT DISTINCT ON (o.id) o.id, x.judged, o.status = ANY(%(void)s) AS void,
           u.order_id IS NOT NULL AS undone,
           ('x' || encode(substr(o.body_hash, 1, 8), 'hex'))::bit(64)::bigint = x.mark AS same
      FROM (
          -- OFFSET keeps the arrays out of the joins.
          SELECT b.id AS batch, r.id, r.mark, r.place > cardinality(b.orders) AS judged
            FROM loyalty_importbatch b
           CROSS JOIN unnest(b.orders || b.judged, b.marks) WITH ORDINALITY AS r(id, mark, place)
           WHERE b.job_id = %(job)s OFFSET 0
      ) x
      JOIN loyalty_order o ON o.id = x.id
      LEFT JOIN loyalty_undoneorder u ON u.order_id = o.id
     ORDER BY o.id, x.batch DESC
"""
# Further: orders that were here before; returns of orders that are not of this import; new people.
_COUNTS = f"""
    WITH standing AS MATERIALIZED ({_STANDING}),
    others AS (
        SELECT count(*) AS returns
          FROM loyalty_importbatch b CROSS JOIN unnest(b.returns) AS r(id)
          JOIN loyalty_refund f ON f.id = r.id
          LEFT JOIN standing s ON s.id = f.order_id AND (s.void OR s.same)
         WHERE b.job_id = %(job)s AND s.id IS NULL
    ),
    batches AS (
        SELECT count(*) > 0 AS known, coalesce(sum(cardinality(changed)), 0)::bigint AS changed,
               coalesce(sum(cardinality(customers)), 0)::bigint AS customers
          FROM loyalty_importbatch WHERE job_id = %(job)s
    ),
    counted AS (
        SELECT count(*) FILTER (WHERE NOT void AND same) AS due,
               count(*) FILTER (WHERE NOT void AND same AND judged) AS judged,
               count(*) FILTER (WHERE void) AS void,
               count(*) FILTER (WHERE void AND undone) AS undone,
               count(*) FILTER (WHERE NOT void AND NOT same) AS otherwise
          FROM standing
    )
    SELECT known, due, judged, void, undone, otherwise, changed, returns, customers
      FROM counted, batches, others
"""
# What the orders that would be canceled have moved in each wallet, less what expired of it (that is
# not taken again), against what the wallet holds; of each kind of unit the largest gaps.
_TAKEN = f"""
    WITH due AS MATERIALIZED (SELECT id FROM ({_STANDING}) s WHERE NOT void AND same),
    moved AS (
        SELECT coalesce(w.merged_into_id, w.id) AS wallet_id,
               sum(CASE WHEN t.to_account_id = w.account_id THEN t.amount ELSE -t.amount END)
                   AS units
          FROM due JOIN loyalty_transfer t ON t.order_id = due.id
          JOIN loyalty_wallet w ON w.id = t.wallet_id
         GROUP BY 1
    ),
    lapsed AS (
        SELECT l.wallet_id, sum(u.amount) AS units
          FROM due JOIN loyalty_transfer t ON t.order_id = due.id
          JOIN loyalty_lot l ON l.origin_id = t.id
          JOIN loyalty_lotuse u ON u.lot_id = l.id
          JOIN loyalty_transfer e ON e.id = u.transfer_id AND e.kind = 'expiry'
         GROUP BY 1
    ),
    taken AS (
        SELECT w.id, w.wallet_type_id, m.units::bigint AS units,
               greatest(m.units - coalesce(l.units, 0)
                        - greatest(held.balance + held.pending - held.owed, 0), 0)::bigint
                   AS missing
          FROM moved m JOIN loyalty_wallet w ON w.id = m.wallet_id
          LEFT JOIN lapsed l USING (wallet_id)
          CROSS JOIN LATERAL (
              SELECT w.balance, w.pending, w.owed WHERE w.next_change_at > %(at)s
              UNION ALL
              SELECT * FROM ({HELD}) stale WHERE w.next_change_at <= %(at)s
          ) held
         WHERE m.units <> 0
    )
    SELECT wallet_type_id, sum(units)::bigint, count(*), count(*) FILTER (WHERE missing > 0),
           sum(missing)::bigint,
           (array_agg(ARRAY[id, units, missing] ORDER BY missing DESC, id)
               FILTER (WHERE missing > 0))[1:{SHOWN}]
      FROM taken GROUP BY wallet_type_id ORDER BY wallet_type_id
"""


@dataclass(frozen=True, slots=True)
class ShortWallet:
    """A balance that has less than would be taken from it."""

    wallet: Wallet
    member: Membership | None
    taken: int
    held: Holding
    missing: int

    @property
    def there(self) -> int:
        return max(self.held.balance + self.held.pending - self.held.owed, 0)


@dataclass(frozen=True, slots=True)
class UnitsBack:
    """What would be taken back of a kind of unit, of how many, and what would be missing."""

    wallet_type: WalletType
    units: int
    wallets: int
    short: int
    missing: int


@dataclass(frozen=True, slots=True)
class UndoPreview:
    """Orders: `due` would be canceled (`judged` of them had been kept as history before); `void`
    came to nothing already (`undone` of them by an undo); `otherwise` were told otherwise since.
    `known`: it is kept what the import brought."""

    known: bool
    due: int
    judged: int
    void: int
    undone: int
    otherwise: int
    changed: int
    returns: int
    customers: int
    units: Sequence[UnitsBack] = ()
    short: Sequence[ShortWallet] = ()

    @property
    def wallet_count(self) -> int:
        return sum(item.wallets for item in self.units)

    @property
    def short_count(self) -> int:
        return sum(item.short for item in self.units)

    @property
    def programs(self) -> list[Program]:
        """Where something would be missing."""
        return list({item.wallet_type.program_id: item.wallet_type.program
                     for item in self.units if item.short}.values())  # fmt: skip


@dataclass(frozen=True, slots=True)
class Taken:
    """What would be taken back of a kind of unit, from how many wallets, and how many of them have
    too little; of these the largest gaps: key, what is taken, what is missing."""

    wallet_type: int
    units: int
    wallets: int
    short: int
    missing: int
    gaps: list[list[int]]


@dataclass(frozen=True, slots=True)
class UndoEffect:
    """In numbers and keys, so that it can be kept for a while."""

    counted: UndoPreview
    taken: list[Taken]


def preview_undo(job: Job, *, now: dt.datetime) -> UndoPreview:
    """The effect of undoing this import now."""
    return effect_in_full(effect_of_undo(job, now), now)


def effect_of_undo(job: Job, now: dt.datetime) -> UndoEffect:
    """Looks at all that the import brought."""
    counted = count_undo(job)
    return UndoEffect(counted, _taken(job, now) if counted.due else [])


def effect_in_full(effect: UndoEffect, now: dt.datetime) -> UndoPreview:
    """With whom and what it is about; a constant number of queries."""
    kinds = WalletType.objects.select_related("program").in_bulk(
        [item.wallet_type for item in effect.taken]
    )
    units = [
        UnitsBack(kinds[item.wallet_type], item.units, item.wallets, item.short, item.missing)
        for item in effect.taken
    ]
    gaps = sorted(
        (gap for item in effect.taken for gap in item.gaps), key=lambda gap: (-gap[2], gap[0])
    )
    return replace(effect.counted, units=units, short=_short(gaps[:SHOWN], now) if gaps else ())


def count_undo(job: Job) -> UndoPreview:
    """What it would be done to, without the balances."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, _about(job))
        return UndoPreview(*cursor.fetchone())


def _about(job: Job) -> dict[str, Any]:
    return {"job": job.pk, "void": list(Order.VOID)}


def _taken(job: Job, now: dt.datetime) -> list[Taken]:
    """Added up where the rows are: there may be as many balances as members."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN, {**_about(job), "at": now})
        rows = cursor.fetchall()
    return [
        Taken(kind, units, wallets, short, missing, gaps or [])
        for kind, units, wallets, short, missing, gaps in rows
    ]


def _short(gaps: Sequence[Sequence[int]], now: dt.datetime) -> list[ShortWallet]:
    keys = [key for key, _taken, _missing in gaps]
    wallets = Wallet.objects.select_related("wallet_type__program").in_bulk(keys)
    held = holdings(wallets.values(), now)
    accounts = [wallet.account_id for wallet in wallets.values()]
    members = {
        member.account_id: member
        for member in Membership.objects.filter(account__in=accounts).select_related("customer")
    }
    return [
        ShortWallet(wallets[key], members.get(wallets[key].account_id), taken, held[key], missing)
        for key, taken, missing in gaps
    ]
