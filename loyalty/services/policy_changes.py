"""Giving units that exist the terms of today: a deliberate act, with who gains and who loses first.

A changed lot policy is for new units. This applies it to those that members hold already; each
lot's change is kept (`LotChange`), and the policy it was granted under stays on it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from loyalty.errors import LedgerError
from loyalty.ledger.posting import Retiming, retime
from loyalty.models import LotChange, LotPolicy, WalletType
from loyalty.rules.lots import LotTerms, lot_times
from loyalty.selectors.rulebooks import lot_terms
from members.services.transactions import run_atomically

CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Share:
    """Members, lots and units that a change concerns in one way."""

    members: int = 0
    lots: int = 0
    units: int = 0


@dataclass(frozen=True, slots=True)
class PolicyEffect:
    """What applying today's terms would do to the units that exist. `lost` expire at once."""

    longer: Share
    shorter: Share
    lost: Share
    unchanged: Share


# Lots that differ in nothing that the new expiry depends on are worked out once.
_ALIKE = """
    SELECT l.earned_at, l.spendable_at, l.expires_at, l.planned_expires_at, l.renewable,
           array_agg(l.id), array_agg(DISTINCT l.wallet_id), sum(l.remaining)::bigint
      FROM loyalty_lot l JOIN loyalty_wallet w ON w.id = l.wallet_id
     WHERE w.wallet_type_id = %(wallet_type)s AND l.due_at > %(now)s AND l.id > %(after)s
       AND l.id <= %(last)s
     GROUP BY 1, 2, 3, 4, 5
"""
_RANGE = """
    SELECT max(id) FROM (
        SELECT l.id FROM loyalty_lot l JOIN loyalty_wallet w ON w.id = l.wallet_id
         WHERE w.wallet_type_id = %(wallet_type)s AND l.due_at > %(now)s AND l.id > %(after)s
         ORDER BY l.id LIMIT %(most)s) chunk
"""


def preview_policy_change(wallet_type: WalletType, now: dt.datetime) -> PolicyEffect:
    """Who would gain and who would lose, in units; nothing is changed."""
    terms = newest_terms(wallet_type)
    found: dict[str, tuple[set[int], int, int]] = {
        name: (set(), 0, 0) for name in ("longer", "shorter", "lost", "unchanged")
    }
    for chunk in _chunks(wallet_type, now, after=0):
        for row in chunk.rows:
            way = _way(row, terms, wallet_type, now)
            members, lots, units = found[way]
            members |= set(row[6])
            found[way] = members, lots + len(row[5]), units + row[7]
    return PolicyEffect(
        **{name: Share(len(members), lots, units) for name, (members, lots, units) in found.items()}
    )


def apply_policy_change(
    wallet_type: WalletType, *, after: int, actor_id: int | None, note: str, now: dt.datetime
) -> tuple[int, int]:
    """Apply today's terms to the next chunk of lots with a key above `after`. Returns the last key
    (0: there are no more) and how many lots changed. Doing a chunk twice changes nothing."""
    terms = newest_terms(wallet_type)
    chunk = next(iter(_chunks(wallet_type, now, after=after)), None)
    if chunk is None:
        return 0, 0
    changes = [
        Retiming(
            lot_id=lot_id,
            spendable_at=row[1],
            # What expires by the change expires now: it could be spent until now.
            expires_at=times.expires_at and max(times.expires_at, now),
            planned_expires_at=times.planned_expires_at,
            reason=LotChange.Reason.POLICY,
            occurred_at=now,
            actor_id=actor_id,
            note=note,
        )
        for row in chunk.rows
        for times in (lot_times(terms, row[0], row[1], wallet_type.program.zone),)
        for lot_id in row[5]
    ]
    return chunk.last, run_atomically(lambda: retime(changes, now=now))


def newest_terms(wallet_type: WalletType) -> LotTerms:
    """The terms for new units. Raises LedgerError where existing ones cannot get them."""
    policy = LotPolicy.objects.filter(wallet_type=wallet_type, rule=None).latest("pk")
    if policy.kind == LotPolicy.Kind.INACTIVITY:
        raise LedgerError(
            _("Units that exist cannot be made to expire by inactivity: nobody knows since when."),
            code="not_applicable",
        )
    return lot_terms(policy)


@dataclass(frozen=True, slots=True)
class _Chunk:
    last: int
    rows: list[tuple[Any, ...]]


def _chunks(wallet_type: WalletType, now: dt.datetime, *, after: int) -> Iterator[_Chunk]:
    while True:
        bounds: dict[str, Any] = {
            "wallet_type": wallet_type.pk,
            "now": now,
            "after": after,
            "most": CHUNK,
        }
        with connection.cursor() as cursor:
            cursor.execute(_RANGE, bounds)
            last = cursor.fetchone()[0]
            if last is None:
                return
            cursor.execute(_ALIKE, bounds | {"last": last})
            yield _Chunk(last, cursor.fetchall())
        after = last


def _way(row: tuple[Any, ...], terms: LotTerms, wallet_type: WalletType, now: dt.datetime) -> str:
    earned_at, spendable_at, expires_at, planned, renewable = row[:5]
    times = lot_times(terms, earned_at, spendable_at, wallet_type.program.zone)
    before, after = expires_at or planned, times.expires_at or times.planned_expires_at
    if after is not None and after <= now and times.planned_expires_at is None:
        return "lost"
    if (before, renewable) == (after, False):
        return "unchanged"
    if after is None:
        return "longer"
    return "longer" if before is not None and after > before else "shorter"
