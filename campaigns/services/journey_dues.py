"""When members' own purchase cycle will be exceeded, kept for each journey that begins then."""

from __future__ import annotations

import datetime as dt
from typing import Any

from campaigns.selectors.due_members import LEAST_ORDERS
from campaigns.selectors.journeys import InForce
from members.prepared import run_prepared

# Facts are said to be as of when their working out began, which may take a while.
OVERLAP = dt.timedelta(hours=3)
# Of what is over already nobody needs to know.
_NOTE = """
    INSERT INTO campaigns_journeydue AS d (journey_id, customer_id, due_at)
    SELECT %(journey)s, f.customer_id, x.due_at
      FROM members_customerfacts f
     CROSS JOIN LATERAL (
           SELECT f.last_order_at + f.purchase_cycle * %(factor)s * interval '1 day' AS due_at) x
     WHERE f.as_of > %(since)s AND f.orders >= %(least)s AND f.purchase_cycle > 0
       AND x.due_at > %(first)s
     ORDER BY f.customer_id
        ON CONFLICT (journey_id, customer_id) DO UPDATE SET due_at = excluded.due_at
     WHERE d.due_at <> excluded.due_at
"""
_FORGET = """
    DELETE FROM campaigns_journeydue WHERE journey_id = %(journey)s AND due_at <= %(first)s
"""
_NOTED = "UPDATE campaigns_journey SET noted_until = %s WHERE id = %s"
_EVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def note_due(found: InForce, first: dt.datetime, now: dt.datetime) -> None:
    """Bring it up to date with the facts that were worked out since the last time: of everybody,
    once, when the journey is put live or changed. In the caller's transaction."""
    journey = found.journey
    noted = journey.noted_until
    values: dict[str, Any] = {
        "journey": journey.pk, "factor": found.definition.start.factor, "first": first,
        "since": noted - OVERLAP if noted else _EVER, "least": LEAST_ORDERS,
    }  # fmt: skip
    run_prepared(_FORGET, values)
    run_prepared(_NOTE, values)
    run_prepared(_NOTED, [now, journey.pk])
