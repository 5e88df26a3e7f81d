"""Who holds the units that a liability consists of, the largest holders first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from loyalty.ledger.past import BOOKED, OF_TYPES, lots_then
from loyalty.models import NEVER, Membership, WalletType
from loyalty.rules.calendar import last_instant

# Lots that are open, by an index; what they held earlier takes a look at all there were.
OPEN = """
    SELECT l.wallet_id, l.remaining, l.renewable, l.expires_at,
           coalesce(l.expires_at, CASE WHEN l.renewable THEN w.active_until END, %(never)s) AS ends
      FROM loyalty_wallet w JOIN loyalty_lot l ON l.wallet_id = w.id AND l.due_at IS NOT NULL
     WHERE w.wallet_type_id = ANY(%(types)s)
"""
HOLDERS = """
    SELECT w.account_id, sum(x.remaining)::bigint AS units
      FROM ({lots}) x JOIN loyalty_wallet w ON w.id = x.wallet_id
     WHERE x.ends > %(at)s AND {ends}
     GROUP BY 1 HAVING sum(x.remaining) > 0
     ORDER BY 2 DESC, 1 LIMIT %(most)s
"""
ENDS = {
    "": "true",
    "date": "date_trunc('month', (x.expires_at AT TIME ZONE %(zone)s)::date - 1)::date = %(month)s",
    "inactivity": "x.renewable AND x.expires_at IS NULL",
    "none": "NOT x.renewable AND x.expires_at IS NULL",
}


@dataclass(frozen=True, slots=True)
class Held:
    """What an account held."""

    account: int
    units: int


@dataclass(frozen=True, slots=True)
class Holder:
    """A member, or None for what is held otherwise, such as by a pool."""

    membership: Membership | None
    units: int


def largest_holdings(
    wallet_type: WalletType,
    day: dt.date,
    *,
    today: dt.date,
    ends: str = "",
    month: dt.date | None = None,
    most: int = 100,
) -> list[Held]:
    """What those held who held most at the end of a day; only what expires in a month, or has no
    such month (`ends`), if asked for. It looks at every lot."""
    program = wallet_type.program
    query = HOLDERS.format(
        lots=OPEN if day >= today else lots_then(OF_TYPES, BOOKED), ends=ENDS[ends]
    )
    with connection.cursor() as cursor:
        cursor.execute(
            query,
            {
                "types": [wallet_type.pk], "at": last_instant(day, program.zone), "day": day,
                "never": NEVER, "zone": program.time_zone, "month": month, "most": most,
            },
        )  # fmt: skip
        return [Held(*row) for row in cursor.fetchall()]


def holders_of(held: Sequence[Held]) -> list[Holder]:
    """Whose these accounts are."""
    members = {
        membership.account_id: membership
        for membership in Membership.objects.filter(
            account__in=[item.account for item in held]
        ).select_related("customer")
    }
    return [Holder(members.get(item.account), item.units) for item in held]
