"""What will happen to units that are held, if nothing else does: when they mature and lapse."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from django.db import connection

HORIZON = dt.timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Change:
    """Units of a wallet that become spendable on a day, or are usable on it for the last time."""

    wallet_id: int
    day: dt.date
    kind: Literal["matures", "lapses"]
    units: int


def upcoming_changes(
    wallet_ids: Sequence[int], *, zone: zoneinfo.ZoneInfo, now: dt.datetime
) -> list[Change]:
    """Of the coming year, by day in the zone; one query. Expiry is exclusive: the day before
    counts. Units that wait for something whose day is not known are left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH held AS (
                SELECT l.wallet_id, l.remaining, l.spendable_at,
                       coalesce(l.expires_at, CASE WHEN l.renewable THEN w.active_until END)
                       AS expires_at
                  FROM loyalty_lot l JOIN loyalty_wallet w ON w.id = l.wallet_id
                 WHERE l.wallet_id = ANY(%(wallets)s) AND l.due_at IS NOT NULL
                   AND l.due_at > %(now)s
            )
            SELECT wallet_id, (spendable_at AT TIME ZONE %(zone)s)::date AS day, 'matures' AS kind,
                   sum(remaining)
              FROM held WHERE spendable_at > %(now)s AND spendable_at <= %(until)s
             GROUP BY wallet_id, day
            UNION ALL
            SELECT wallet_id, ((expires_at - interval '1 microsecond') AT TIME ZONE %(zone)s)::date
                   AS day, 'lapses' AS kind, sum(remaining)
              FROM held WHERE expires_at > %(now)s AND expires_at <= %(until)s
             GROUP BY wallet_id, day
             ORDER BY day, kind DESC, wallet_id
            """,
            {
                "wallets": list(wallet_ids),
                "now": now,
                "until": now + HORIZON,
                "zone": zone.key,
            },
        )
        return [
            Change(wallet_id, day, kind, int(units))
            for wallet_id, day, kind, units in cursor.fetchall()
        ]
