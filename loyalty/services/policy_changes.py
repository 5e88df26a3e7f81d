"""Giving units that exist the terms of today: a deliberate act, with who gains and who loses first.

A changed lot policy is for new units. This applies it to those that members hold already; each
lot's change is kept (`LotChange`), and the policy it was granted under stays on it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from loyalty.errors import LedgerError
from loyalty.ledger.posting import Retiming, lock_wallets, retime
from loyalty.models import LotChange, LotPolicy, WalletType
from loyalty.rules.lots import LotTerms, lot_times
from loyalty.selectors.rulebooks import lot_terms
from members.services.transactions import run_atomically

CHUNK = 2_000
LOOKED_AT = 50_000


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


@dataclass(frozen=True, slots=True)
class Applied:
    """One chunk: the last key of it (0: there are no more), and how many of its lots changed."""

    last: int = 0
    lots: int = 0
    changed: int = 0


# What a rule gave terms of its own keeps them. What has expired stays as it is.
_OPEN = """
    FROM loyalty_lot l JOIN loyalty_wallet w ON w.id = l.wallet_id
    JOIN loyalty_lotpolicy p ON p.id = l.policy_id
   WHERE w.wallet_type_id = %(wallet_type)s AND p.rule_id IS NULL AND l.due_at > %(now)s
     AND l.id > %(after)s
"""
_COUNT = f"SELECT count(*) {_OPEN}"
_LAST = f"SELECT max(id) FROM (SELECT l.id {_OPEN} ORDER BY l.id LIMIT %(most)s) chunk"
_WALLETS = f"SELECT DISTINCT l.wallet_id {_OPEN} AND l.id <= %(last)s"
# Lots that differ in nothing that the new expiry depends on are worked out once.
_ALIKE = f"""
    SELECT l.earned_at, l.spendable_at, l.expires_at, l.planned_expires_at, l.renewable,
           array_agg(l.id), array_agg(DISTINCT l.wallet_id), sum(l.remaining)::bigint
    {_OPEN} AND l.id <= %(last)s
     GROUP BY 1, 2, 3, 4, 5
"""
# What expires is counted from days: one instant of each stands for all that are of the same ones.
_OF_THE_SAME_DAYS = f"""
    SELECT min(l.earned_at), min(l.spendable_at), l.expires_at, l.planned_expires_at, l.renewable,
           count(*), array_agg(DISTINCT l.wallet_id), sum(l.remaining)::bigint
    {_OPEN} AND l.id <= %(last)s
     GROUP BY (l.earned_at AT TIME ZONE %(zone)s)::date,
              (l.spendable_at AT TIME ZONE %(zone)s)::date, 3, 4, 5
"""


def preview_policy_change(wallet_type: WalletType, now: dt.datetime) -> PolicyEffect:
    """Who would gain and who would lose, in units; nothing is changed. Looks at every lot that is
    open."""
    terms = lot_terms(newest_policy(wallet_type))
    found: dict[str, tuple[set[int], int, int]] = {
        name: (set(), 0, 0) for name in ("longer", "shorter", "lost", "unchanged")
    }
    after = 0
    while (last := _last(wallet_type, now, after, LOOKED_AT)) is not None:
        zone = str(wallet_type.program.zone)
        for row in _rows(_OF_THE_SAME_DAYS, wallet_type, now, after, last=last, zone=zone):
            way = _way(row, terms, wallet_type, now)
            members, lots, units = found[way]
            members |= set(row[6])
            found[way] = members, lots + row[5], units + row[7]
        after = last
    return PolicyEffect(
        **{name: Share(len(members), lots, units) for name, (members, lots, units) in found.items()}
    )


def count_lots(wallet_type: WalletType, now: dt.datetime) -> int:
    """How many lots a change would look at."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"wallet_type": wallet_type.pk, "now": now, "after": 0})
        return int(cursor.fetchone()[0])


def apply_policy_change(
    wallet_type: WalletType,
    *,
    after: int,
    actor_id: int | None,
    note: str,
    now: dt.datetime,
    policy: LotPolicy | None = None,
    decided_at: dt.datetime | None = None,
) -> Applied:
    """Apply today's terms to the next chunk of lots with a key above `after`. Doing a chunk twice
    changes nothing.

    `policy`, `decided_at`: the terms of that moment, where the work began earlier.
    """
    terms = lot_terms(policy or newest_policy(wallet_type))
    at = decided_at or now

    def write() -> Applied:
        last = _last(wallet_type, now, after, CHUNK)
        if last is None:
            return Applied()
        lock_wallets(_wallets(wallet_type, now, after, last))
        changes = [
            Retiming(
                lot_id=lot_id,
                spendable_at=row[1],
                # What expires by the change expires now: it could be spent until now.
                expires_at=times.expires_at and max(times.expires_at, now),
                planned_expires_at=times.planned_expires_at,
                reason=LotChange.Reason.POLICY,
                occurred_at=at,
                actor_id=actor_id,
                note=note,
            )
            for row in _alike(wallet_type, now, after, last)
            for times in (lot_times(terms, row[0], row[1], wallet_type.program.zone),)
            for lot_id in row[5]
        ]
        return Applied(last, len(changes), retime(changes, now=now))

    return run_atomically(write)


def newest_policy(wallet_type: WalletType) -> LotPolicy:
    """The terms for new units. Raises LedgerError where existing ones cannot get them."""
    policy: LotPolicy = LotPolicy.objects.filter(wallet_type=wallet_type, rule=None).latest("pk")
    if policy.kind == LotPolicy.Kind.INACTIVITY:
        raise LedgerError(
            _("Units that exist cannot be made to expire by inactivity: nobody knows since when."),
            code="not_applicable",
        )
    return policy


def _last(wallet_type: WalletType, now: dt.datetime, after: int, most: int) -> int | None:
    found = _rows(_LAST, wallet_type, now, after, most=most)[0][0]
    return None if found is None else int(found)


def _wallets(wallet_type: WalletType, now: dt.datetime, after: int, last: int) -> list[int]:
    return [row[0] for row in _rows(_WALLETS, wallet_type, now, after, last=last)]


def _alike(
    wallet_type: WalletType, now: dt.datetime, after: int, last: int
) -> list[tuple[Any, ...]]:
    return _rows(_ALIKE, wallet_type, now, after, last=last)


def _rows(
    query: str, wallet_type: WalletType, now: dt.datetime, after: int, **more: int | str
) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"wallet_type": wallet_type.pk, "now": now, "after": after, **more})
        return list(cursor.fetchall())


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
