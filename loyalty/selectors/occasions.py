"""Members whose birthday or anniversary it is, and who have not been looked at for it yet."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from loyalty.rules.anniversaries import APART, DueDay
from loyalty.rules.calendar import end_of_day, start_of_day


@dataclass(frozen=True, slots=True)
class Celebrated:
    """A member, the day that is kept, and of which year on."""

    membership_id: int
    customer_id: int
    day: dt.date
    since: dt.date
    # It is given on this day; to who joined on it, after that.
    at: dt.datetime


_SINCE = {
    "birthday": "c.birthday",
    "enrollment": "(m.enrolled_at AT TIME ZONE %(zone)s)::date",
    "first_purchase": "(SELECT (min(o.placed_at) AT TIME ZONE %(zone)s)::date FROM loyalty_order o"
    " WHERE o.customer_id = m.customer_id AND o.status NOT IN ('cancelled', 'refunded'))",
}
# OFFSET 0: begin with these members, and not with all whose day it is.
_DUE = """
    SELECT m.id, m.customer_id, x.day, a.since, greatest(x.begins, m.enrolled_at)
      FROM loyalty_membership m JOIN members_customer c ON c.id = m.customer_id
     CROSS JOIN LATERAL (SELECT {since} AS since OFFSET 0) a
      JOIN unnest(%(keys)s::int[], %(days)s::date[], %(begins)s::timestamptz[],
                  %(ends)s::timestamptz[]) AS x(key, day, begins, ends)
        ON x.key = extract(month FROM a.since) * 100 + extract(day FROM a.since)
     WHERE {scope} AND m.program_id = %(program)s
       AND m.status = 'active' AND m.enrolled_at < x.ends AND a.since < x.day
       AND NOT EXISTS (SELECT 1 FROM loyalty_absence y
                        WHERE y.membership_id = m.id
                          AND y.began_at <= greatest(x.begins, m.enrolled_at)
                          AND (y.ended_at IS NULL
                               OR y.ended_at > greatest(x.begins, m.enrolled_at)))
       AND NOT EXISTS (SELECT 1 FROM {kept} g
                        WHERE g.{owner} = %(rule)s AND g.membership_id = m.id
                          AND abs(g.day - x.day) < %(apart)s)
       AND NOT EXISTS (SELECT 1 FROM loyalty_membership d
                         JOIN {kept} g ON g.membership_id = d.id
                        WHERE d.merged_into_id = m.id AND g.{owner} = %(rule)s
                          AND abs(g.day - x.day) < %(apart)s)
     ORDER BY m.id, x.day
"""


_PIECE = "m.id > %(after)s AND m.id <= %(until)s"
_AMONG = "m.id = ANY(%(among)s)"


@dataclass(frozen=True, slots=True)
class Kept:
    """The table that keeps who was looked at for which day, and its column that says by what."""

    table: str
    column: str


OF_RULES = Kept("loyalty_occasiongrant", "rule_id")


def members_due(
    on: str,
    days: Sequence[DueDay],
    *,
    program_id: int,
    rule_id: int,
    zone: zoneinfo.ZoneInfo,
    after: int = 0,
    until: int = 0,
    among: Sequence[int] | None = None,
    kept: Kept = OF_RULES,
) -> list[Celebrated]:
    """Of the memberships with keys above `after`, up to `until`, or `among` these. Who joined after
    the day on which something is given is not among them, nor who was suspended or away as that day
    began, nor who was looked at for nearly the same day before."""
    rows = [(key, due) for due in days for key in due.keys]
    if not rows:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _DUE.format(
                since=_SINCE[on], kept=kept.table, owner=kept.column,
                scope=_PIECE if among is None else _AMONG,
            ),
            {
                "among": None if among is None else list(among),
                "zone": str(zone), "program": program_id, "rule": rule_id, "apart": APART,
                "after": after, "until": until,
                "keys": [key for key, _due in rows],
                "days": [due.day for _key, due in rows],
                "begins": [start_of_day(due.given_on, zone) for _key, due in rows],
                "ends": [end_of_day(due.given_on, zone) for _key, due in rows],
            },
        )  # fmt: skip
        return [Celebrated(*row) for row in cursor.fetchall()]
