"""The first ninety days of a program in figures: who joined, who redeemed, who keeps buying.

Days are the program's own. What each figure counts is said on the page that shows it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from loyalty.models import Membership, Order, OrderEvaluation, Program, Transfer
from loyalty.selectors.launches import get_launch, opening_of

DAYS = 90
# Whoever bought something that counted in so many days is active.
ACTIVE_DAYS = 30
# Of a hundred buyers so many are to be members.
TARGET = 60

NARROWED = {
    "redeemed": _("who have redeemed"),
    "active": _("who bought in the last 30 days"),
    "founding": _("who are founding members"),
}


@dataclass(frozen=True, slots=True)
class LaunchFigures:
    """For each day what is true at its end. Percentages are None where there is nothing to take
    them of."""

    opened_at: dt.datetime
    days: Sequence[dt.date]
    buyers: Sequence[int]
    enrolled: Sequence[int]
    members: Sequence[int]
    redeemed: Sequence[int]
    active: Sequence[int]

    def enrollment(self) -> list[float | None]:
        return _shares(self.enrolled, self.buyers)

    def active_share(self) -> list[float | None]:
        return _shares(self.active, self.members)

    def redeemed_share(self) -> list[float | None]:
        return _shares(self.redeemed, self.members)


def _shares(parts: Sequence[int], wholes: Sequence[int]) -> list[float | None]:
    return [
        round(100 * part / whole, 1) if whole else None
        for part, whole in zip(parts, wholes, strict=True)
    ]


def launch_figures(program: Program, now: dt.datetime) -> LaunchFigures | None:
    """The days from the opening until today, ninety at most; None before it. Four queries."""
    opened_at = opened_until(program, now)
    if opened_at is None:
        return None
    first = opened_at.astimezone(program.zone).date()
    last = min(now.astimezone(program.zone).date(), first + dt.timedelta(days=DAYS - 1))
    days = [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
    asked = {
        "program": program.pk, "currency": program.currency, "zone": program.time_zone,
        "first": first, "last": last, "void": list(Order.VOID), "active": ACTIVE_DAYS,
        "since": opened_at,
    }  # fmt: skip
    buyers = _rows(_BUYERS, asked)
    return LaunchFigures(
        opened_at=opened_at,
        days=days,
        buyers=_running(days, {row[0]: row[1] for row in buyers}),
        enrolled=_running(days, {row[0]: row[2] for row in buyers}),
        members=_running(days, dict(_rows(_MEMBERS, asked))),
        redeemed=_running(days, dict(_rows(_REDEEMED, asked))),
        active=_running(days, dict(_rows(_ACTIVE, asked))),
    )


def opened_until(program: Program, now: dt.datetime) -> dt.datetime | None:
    """When it opened; None: it is still to come."""
    opened_at = opening_of(program, get_launch(program))
    return opened_at if opened_at is not None and opened_at <= now else None


def narrowed_members(
    rows: QuerySet[Membership], narrow: str, program: Program, now: dt.datetime
) -> QuerySet[Membership]:
    """The rows behind a figure."""
    if narrow == "founding":
        return rows.filter(founding_grant__isnull=False)
    if narrow == "redeemed":
        spent = Transfer.objects.filter(
            wallet__account=OuterRef("account"), kind=Transfer.Kind.REDEMPTION
        )
        return rows.filter(Exists(spent))
    bought = OrderEvaluation.objects.filter(
        membership=OuterRef("pk"), order__placed_at__gt=now - dt.timedelta(days=ACTIVE_DAYS),
        order__placed_at__lte=now,
    ).exclude(order__status__in=Order.VOID)  # fmt: skip
    return rows.filter(Exists(bought), status=Membership.Status.ACTIVE)


# Whoever bought since the opening counts from their first purchase on, as enrolled from the day on
# which they are both buyer and member. In the program's own currency alone: what is bought by those
# who are no members is never converted.
_BUYERS = """
    WITH bought AS (
        SELECT o.customer_id, min((o.placed_at AT TIME ZONE %(zone)s)::date) AS day
          FROM loyalty_order o
         WHERE o.currency = %(currency)s AND o.customer_id IS NOT NULL
           AND o.placed_at >= %(since)s AND o.status <> ALL(%(void)s)
           AND (o.placed_at AT TIME ZONE %(zone)s)::date <= %(last)s
         GROUP BY o.customer_id
    ), both_of AS (
        SELECT b.day, CASE WHEN m.id IS NOT NULL THEN
                   greatest(b.day, (m.enrolled_at AT TIME ZONE %(zone)s)::date) END AS member_day
          FROM bought b
          LEFT JOIN loyalty_membership m
                 ON m.customer_id = b.customer_id AND m.program_id = %(program)s
                AND m.status IN ('active', 'suspended')
    )
    SELECT coalesce(x.day, y.day), coalesce(x.buyers, 0), coalesce(y.enrolled, 0)
      FROM (SELECT day, count(*) AS buyers FROM both_of GROUP BY day) x
      FULL JOIN (SELECT member_day AS day, count(*) AS enrolled FROM both_of
                  WHERE member_day <= %(last)s GROUP BY member_day) y ON y.day = x.day
"""
_MEMBERS = """
    SELECT greatest((m.enrolled_at AT TIME ZONE %(zone)s)::date, %(first)s), count(*)
      FROM loyalty_membership m
     WHERE m.program_id = %(program)s AND m.status IN ('active', 'suspended')
       AND (m.enrolled_at AT TIME ZONE %(zone)s)::date <= %(last)s
     GROUP BY 1
"""
_REDEEMED = """
    SELECT r.day, count(*) FROM (
        SELECT m.id, min((t.occurred_at AT TIME ZONE %(zone)s)::date) AS day
          FROM loyalty_transfer t
          JOIN loyalty_wallettype k ON k.id = t.wallet_type_id AND k.program_id = %(program)s
          JOIN loyalty_wallet w ON w.id = t.wallet_id
          JOIN loyalty_membership m ON m.account_id = w.account_id
           AND m.status IN ('active', 'suspended')
         WHERE t.kind = 'redemption' AND t.occurred_at >= %(since)s
         GROUP BY m.id) r
     WHERE r.day <= %(last)s GROUP BY r.day
"""
# A purchase keeps a member active for some days, or until the next one: such stretches of one
# member do not overlap, so each adds one at its beginning and takes one away after its end.
_ACTIVE = """
    WITH bought AS (
        SELECT DISTINCT m.id AS membership_id, (o.placed_at AT TIME ZONE %(zone)s)::date AS day
          FROM loyalty_orderevaluation e
          JOIN loyalty_membership m ON m.id = e.membership_id
           AND m.status IN ('active', 'suspended')
          JOIN loyalty_order o ON o.id = e.order_id AND o.status <> ALL(%(void)s)
         WHERE e.program_id = %(program)s
           AND (o.placed_at AT TIME ZONE %(zone)s)::date
               BETWEEN %(first)s - %(active)s::int + 1 AND %(last)s
    ), stretches AS (
        SELECT day, least(day + %(active)s::int,
                          coalesce(lead(day) OVER (PARTITION BY membership_id ORDER BY day),
                                   'infinity')) AS over
          FROM bought
    )
    SELECT greatest(c.day, %(first)s), sum(c.change)::int
      FROM (SELECT day, 1 AS change FROM stretches UNION ALL SELECT over, -1 FROM stretches) c
     WHERE c.day <= %(last)s
     GROUP BY 1
"""


def _rows(sql: str, asked: Mapping[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, asked)
        return list(cursor.fetchall())


def _running(days: Sequence[dt.date], changes: Mapping[dt.date, int]) -> list[int]:
    """What changes day by day, added up."""
    return list(accumulate(changes.get(day, 0) for day in days))
