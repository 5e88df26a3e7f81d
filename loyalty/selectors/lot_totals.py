"""What lots held at the end of an accounting day, from the totals of days and of months.

Like all that is booked: a movement counts on its accounting day. What has expired is not held,
whether or not it has been written down.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F, Sum

from loyalty.models import DailyTotal, LotFigures, WalletType
from loyalty.rules.calendar import last_instant
from loyalty.selectors.closed_periods import first_open_day
from members.read_once import read_once

# The latest month end that is written, and the days since.
STATE = """
    SELECT b.until AS day, kind, earned_in, ends, expires_on, granted, used
      FROM b JOIN loyalty_lotposition o ON o.wallet_type_id = %(wallet_type)s AND o.until = b.until
     UNION ALL
    SELECT o.day, kind, earned_in, ends, expires_on, granted, used
      FROM b JOIN loyalty_lottotal o
        ON o.wallet_type_id = %(wallet_type)s AND o.day <= %(day)s
           AND o.day > coalesce(b.until, '-infinity')
"""
BASE = """
    SELECT max(until) AS until FROM loyalty_lotposition
     WHERE wallet_type_id = %(wallet_type)s AND until <= %(before)s
"""
HELD = f"""
    WITH b AS ({BASE}), s AS ({STATE})
    SELECT ends, date_trunc('month', expires_on - 1)::date, sum(granted - used)::bigint
      FROM s WHERE ends <> 'past' AND (expires_on IS NULL OR expires_on > %(day)s)
     GROUP BY 1, 2 HAVING sum(granted - used) <> 0 ORDER BY 2 NULLS LAST, 1
"""
# When units of lots were past their day though no movement had said so: from the later of that day
# and the one on which they came there.
LAPSES = f"""
    WITH b AS ({BASE}), s AS ({STATE})
    SELECT greatest(day, expires_on), sum(granted - used)::bigint
      FROM s WHERE ends = 'past' OR expires_on <= %(day)s
     GROUP BY 1 HAVING sum(granted - used) <> 0 ORDER BY 1
"""
COHORTS = f"""
    WITH b AS ({BASE}), s AS ({STATE})
    SELECT earned_in, kind, sum(granted)::bigint, sum(used)::bigint,
           coalesce(sum(granted - used) FILTER (
               WHERE ends = 'past' OR expires_on <= %(day)s), 0)::bigint
      FROM s GROUP BY 1, 2 ORDER BY 1, 2
"""
# What ended by inactivity without anybody having noticed yet, and what expired in wallets that owe
# something without a movement saying so: no totals of days know either.
UNWRITTEN = """
    SELECT x.wallet_id, w.owed, sum(x.remaining)::bigint AS units,
           greatest((x.ends AT TIME ZONE %(zone)s)::date, g.booked_on, %(open)s::date) AS day,
           x.idle, x.spendable_at < x.ends AS settles
      FROM (SELECT wallet_id, transfer_id, remaining, false AS idle, spendable_at, due_at AS ends
              FROM loyalty_lot WHERE due_at <= %(at)s
             UNION ALL
            SELECT l.wallet_id, l.transfer_id, l.remaining, true, l.spendable_at, w.active_until
              FROM loyalty_wallet w JOIN loyalty_lot l ON l.wallet_id = w.id
             WHERE w.active_until <= %(at)s AND l.due_at > %(at)s AND l.renewable
               AND l.expires_at IS NULL) x
      JOIN loyalty_wallet w ON w.id = x.wallet_id
      JOIN loyalty_transfer g ON g.id = x.transfer_id
     WHERE w.wallet_type_id = %(wallet_type)s AND (x.idle OR w.owed > 0)
     GROUP BY 1, 2, 4, 5, 6 ORDER BY 4
"""


@dataclass(frozen=True, slots=True)
class HeldUntil:
    """Units with the month of their last day of use; None: inactivity ends them, or nothing is
    known to (`ends`)."""

    ends: str
    month: dt.date | None
    units: int


@dataclass(frozen=True, slots=True)
class Unwritten:
    """What the totals of days do not know: units that ended by inactivity, or, below zero, what
    settled a debt as it expired."""

    day: dt.date
    units: int
    by_inactivity: bool


@dataclass(frozen=True, slots=True)
class CohortKind:
    """What movements of one kind did to the units earned in a month; `lapsed` of what remains is
    past its day."""

    earned_in: dt.date
    kind: str
    granted: int
    used: int
    lapsed: int


@dataclass(frozen=True, slots=True)
class Lapse:
    """Units that were past their day from a day on, or less than none where they no longer were."""

    day: dt.date
    units: int


def booked_units(wallet_type: WalletType, day: dt.date) -> int:
    """What came to members less what left them, up to the end of the day."""
    sums = DailyTotal.objects.filter(wallet_type=wallet_type, day__lte=day).aggregate(
        units=Sum(F("incoming") - F("outgoing"), default=0)
    )
    return int(sums["units"])


def held_by_end(
    wallet_type: WalletType, day: dt.date, unwritten: Sequence[Unwritten]
) -> list[HeldUntil]:
    """What lots held at the end of the day, by the month in which it will expire."""
    found = [HeldUntil(*row) for row in _rows(HELD, wallet_type, day)]
    idle = sum(item.units for item in unwritten if item.by_inactivity)
    if not idle:
        return found
    inactivity = LotFigures.Ends.INACTIVITY
    return [
        HeldUntil(item.ends, item.month, item.units - idle) if item.ends == inactivity else item
        for item in found
    ]


def cohort_kinds(wallet_type: WalletType, day: dt.date) -> list[CohortKind]:
    """All that happened to lots up to the end of the day, by the month they were earned in."""
    return [CohortKind(*row) for row in _rows(COHORTS, wallet_type, day)]


def lapses(
    wallet_type: WalletType, first: dt.date, last: dt.date, unwritten: Sequence[Unwritten]
) -> list[Lapse]:
    """When units were past their day and not written down, up to the last day; all that was so
    before the first may be told as of one day before it."""
    rows = _rows(LAPSES, wallet_type, last, before=first - dt.timedelta(days=1))
    return [*(Lapse(*row) for row in rows), *(Lapse(item.day, item.units) for item in unwritten)]


def unwritten_lapses(wallet_type: WalletType, day: dt.date) -> list[Unwritten]:
    """As far as it counts by the end of the day."""
    return read_once(
        ("unwritten lapses", wallet_type.pk, day), lambda: _unwritten(wallet_type, day)
    )


def _unwritten(wallet_type: WalletType, day: dt.date) -> list[Unwritten]:
    program = wallet_type.program
    with connection.cursor() as cursor:
        cursor.execute(
            UNWRITTEN,
            {
                "wallet_type": wallet_type.pk,
                "at": last_instant(day, program.zone),
                "zone": program.time_zone,
                "open": first_open_day(program),
            },
        )
        rows = [row for row in cursor.fetchall() if row[3] <= day]
    found = [Unwritten(at, units, True) for _, _, units, at, idle, _ in rows if idle]
    left: dict[int, int] = {}
    for wallet, owed, units, at, _idle, settles in rows:
        settled = min(left.setdefault(wallet, owed), units) if settles else 0
        left[wallet] -= settled
        if settled:
            found.append(Unwritten(at, -settled, False))
    return found


def _rows(
    query: str, wallet_type: WalletType, day: dt.date, *, before: dt.date | None = None
) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"wallet_type": wallet_type.pk, "day": day, "before": before or day})
        found: Sequence[tuple[Any, ...]] = cursor.fetchall()
        return found
