"""Members who are due for something, page by page of an index of when they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from campaigns.models import Journey
from members.prepared import run_prepared

# So many are read at once, and begin in one transaction.
PAGE = 1_000
# Where to go on: the number of a stage, and the key after which; None: its beginning.
Place = tuple[int, Any]
# A page after a key, and the key after which the next one follows, None where none does.
Row = TypeVar("Row")
Stage = Callable[[Any], tuple[list[Row], Any]]


class Found(NamedTuple):
    """A member, and since or until when."""

    membership_id: int
    at: dt.datetime
    key: int


def through(stages: Sequence[Stage[Row]], place: Place | None) -> tuple[list[Row], Place | None]:
    """A page of what these find, one after the other, and where the next begins."""
    found: list[Row] = []
    number, after = place or (0, None)
    while number < len(stages):
        rows, after = stages[number](after)
        found += rows
        number += after is None
        if len(found) >= PAGE and number < len(stages):
            return found, (number, after)
    return found, None


def select(sql: str, **values: Any) -> list[Any]:
    return run_prepared(sql, {**values, "page": PAGE})


# Two orders have one gap between them, and that is no habit yet.
LEAST_ORDERS = 3
_SILENT = """
    SELECT m.id, f.last_order_at, f.customer_id
      FROM members_customerfacts f
      JOIN loyalty_membership m ON m.customer_id = f.customer_id
           AND m.program_id = %(program)s AND m.status = 'active'
     WHERE f.last_order_at >= %(at)s AND f.last_order_at <= %(until)s
       AND f.last_order_at > %(first)s AND (f.last_order_at, f.customer_id) > (%(at)s, %(key)s)
     ORDER BY f.last_order_at, f.customer_id LIMIT %(page)s
"""
_LOST = """
    SELECT m.id, t.lost_at, t.membership_id
      FROM loyalty_membertier t
      JOIN loyalty_membership m ON m.id = t.membership_id
           AND m.program_id = %(program)s AND m.status = 'active'
     WHERE t.lost_at >= %(at)s AND t.lost_at <= %(until)s
       AND t.lost_at > %(first)s AND (t.lost_at, t.membership_id) > (%(at)s, %(key)s)
     ORDER BY t.lost_at, t.membership_id LIMIT %(page)s
"""
# What was worked out before is looked at again: they may have ordered since.
_OVERDUE = """
    SELECT m.id, f.last_order_at, d.due_at, d.customer_id
      FROM campaigns_journeydue d
      JOIN members_customerfacts f ON f.customer_id = d.customer_id AND f.orders >= %(least)s
           AND f.last_order_at + f.purchase_cycle * %(factor)s * interval '1 day' = d.due_at
      JOIN loyalty_membership m ON m.customer_id = d.customer_id
           AND m.program_id = %(program)s AND m.status = 'active'
     WHERE d.journey_id = %(journey)s AND d.due_at >= %(at)s AND d.due_at <= %(until)s
       AND d.due_at > %(first)s AND (d.due_at, d.customer_id) > (%(at)s, %(key)s)
     ORDER BY d.due_at, d.customer_id LIMIT %(page)s
"""
_BEFORE = """
    SELECT m.id FROM loyalty_membership m
     WHERE m.program_id = %(program)s AND m.status = 'active' AND m.enrolled_at < %(began)s
       AND m.id > %(after)s
     ORDER BY m.id LIMIT %(page)s
"""
# By the indexes customer_day_of_birth and membership_day_of_joining.
_BORN = """
    SELECT c.id, (SELECT m.id FROM loyalty_membership m
                   WHERE m.customer_id = c.id AND m.program_id = %(program)s)
      FROM members_customer c
     WHERE extract(month FROM c.birthday) * 100 + extract(day FROM c.birthday) = %(day)s
       AND c.id > %(after)s
     ORDER BY c.id LIMIT %(page)s
"""
_JOINED = """
    SELECT m.id, m.id FROM loyalty_membership m
     WHERE m.program_id = %(program)s
       AND extract(month FROM m.enrolled_at AT TIME ZONE 'UTC') * 100
         + extract(day FROM m.enrolled_at AT TIME ZONE 'UTC') = %(day)s
       AND m.id > %(after)s
     ORDER BY m.id LIMIT %(page)s
"""

# By the index facts_day_of_first_order.
_FIRST_ORDERED = """
    SELECT f.customer_id, (SELECT m.id FROM loyalty_membership m
                            WHERE m.customer_id = f.customer_id AND m.program_id = %(program)s)
      FROM members_customerfacts f
     WHERE f.first_order_at IS NOT NULL
       AND extract(month FROM f.first_order_at AT TIME ZONE 'UTC') * 100
         + extract(day FROM f.first_order_at AT TIME ZONE 'UTC') = %(day)s
       AND f.customer_id > %(after)s
     ORDER BY f.customer_id LIMIT %(page)s
"""

_OF_DAY = {"birthday": _BORN, "enrollment": _JOINED, "first_purchase": _FIRST_ORDERED}
# Of whatever program: that is looked at where there is anybody.
_HAVING = {
    "birthday": """
        SELECT d.day FROM unnest(%(days)s::int[]) AS d(day)
         WHERE EXISTS (
               SELECT FROM members_customer c
                WHERE extract(month FROM c.birthday) * 100 + extract(day FROM c.birthday) = d.day)
    """,
    "enrollment": """
        SELECT d.day FROM unnest(%(days)s::int[]) AS d(day)
         WHERE EXISTS (
               SELECT FROM loyalty_membership m
                WHERE m.program_id = %(program)s
                  AND extract(month FROM m.enrolled_at AT TIME ZONE 'UTC') * 100
                    + extract(day FROM m.enrolled_at AT TIME ZONE 'UTC') = d.day)
    """,
    "first_purchase": """
        SELECT d.day FROM unnest(%(days)s::int[]) AS d(day)
         WHERE EXISTS (
               SELECT FROM members_customerfacts f
                WHERE f.first_order_at IS NOT NULL
                  AND extract(month FROM f.first_order_at AT TIME ZONE 'UTC') * 100
                    + extract(day FROM f.first_order_at AT TIME ZONE 'UTC') = d.day)
    """,
}


def silent(program: int, first: dt.datetime, until: dt.datetime) -> Stage[Found]:
    """Who ordered last after `first`, up to `until`."""

    def page(after: Any) -> tuple[list[Found], Any]:
        return timed(_SILENT, after, first, program=program, until=until)

    return page


def tiers_lost(program: int, first: dt.datetime, until: dt.datetime) -> Stage[Found]:
    """Whose tier ends after `first`, up to `until`."""

    def page(after: Any) -> tuple[list[Found], Any]:
        return timed(_LOST, after, first, program=program, until=until)

    return page


def too_long_silent(
    journey: Journey, factor: Decimal, first: dt.datetime, until: dt.datetime
) -> Stage[Found]:
    """Whose own purchase cycle was so exceeded after `first`, up to `until`, with their last
    order."""

    def page(after: Any) -> tuple[list[Found], Any]:
        at, key = _place(after, first)
        rows = select(
            _OVERDUE, journey=journey.pk, program=journey.program_id, factor=factor, first=first,
            until=until, at=at, key=key, least=LEAST_ORDERS,
        )  # fmt: skip
        found = [Found(member, last, customer) for member, last, _due, customer in rows]
        return found, [rows[-1][2].isoformat(), rows[-1][3]] if len(rows) == PAGE else None

    return page


def members_before(program: int, began: dt.datetime) -> Stage[int]:
    """Everybody who was a member before."""

    def page(after: Any) -> tuple[list[int], Any]:
        rows = select(_BEFORE, program=program, began=began, after=after or 0)
        return [row[0] for row in rows], rows[-1][0] if len(rows) == PAGE else None

    return page


def of_days(on: str, program: int, days: Sequence[int]) -> list[Stage[int]]:
    """For each of these days of the year, month × 100 + day: members who were born, who joined or
    whose first order was on it, the latter two by the clock of Greenwich. Of which days there is
    anybody is asked for all at once."""
    asked = {"program": program, "days": list(days)}
    having = {day for (day,) in run_prepared(_HAVING[on], asked)}
    sql = _OF_DAY[on]
    return [_of_day(sql, program, day) if day in having else _nobody for day in days]


def _nobody(_after: Any) -> tuple[list[int], Any]:
    return [], None


def _of_day(sql: str, program: int, day: int) -> Stage[int]:
    def page(after: Any) -> tuple[list[int], Any]:
        rows = select(sql, program=program, day=day, after=after or 0)
        members = [member for _key, member in rows if member is not None]
        return members, rows[-1][0] if len(rows) == PAGE else None

    return page


def timed(sql: str, after: Any, first: dt.datetime, **values: Any) -> tuple[list[Found], Any]:
    at, key = _place(after, first)
    found = [Found(*row) for row in select(sql, first=first, at=at, key=key, **values)]
    return found, [found[-1].at.isoformat(), found[-1].key] if len(found) == PAGE else None


def _place(after: Any, first: dt.datetime) -> tuple[dt.datetime, int]:
    return (dt.datetime.fromisoformat(after[0]), after[1]) if after else (first, 0)
