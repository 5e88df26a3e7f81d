"""Taking what waits, so that nobody else sends it meanwhile.

A delivery is claimed by moving `available_at` ahead: while that lasts nobody else takes it, and
when a worker dies before it was handed over, it comes back by itself.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from campaigns.channels import Channel, sending_channels
from campaigns.models import Delivery
from campaigns.services.outages import is_my_turn, outage_of, take_turn
from members.prepared import KeptQuery, run_prepared

LEASE = dt.timedelta(minutes=10)
State = Delivery.State

# Priority by priority, so that what waits for later, however much, is not looked through; what
# another worker is just claiming is passed over.
_CLAIM = """
    WITH RECURSIVE priorities(priority) AS (
        (SELECT priority FROM campaigns_delivery
          WHERE state = 'queued' AND channel = %(channel)s ORDER BY priority LIMIT 1)
        UNION ALL
        SELECT (SELECT d.priority FROM campaigns_delivery d
                 WHERE d.state = 'queued' AND d.channel = %(channel)s
                   AND d.priority > p.priority ORDER BY d.priority LIMIT 1)
          FROM priorities p WHERE p.priority IS NOT NULL),
    due AS MATERIALIZED (
        SELECT c.id FROM priorities p
         CROSS JOIN LATERAL (
               SELECT d.id FROM campaigns_delivery d
                WHERE d.state = 'queued' AND d.channel = %(channel)s
                  AND d.priority = p.priority AND d.available_at <= %(now)s
                ORDER BY d.available_at, d.id LIMIT %(limit)s
                  FOR NO KEY UPDATE SKIP LOCKED) c
         LIMIT %(limit)s)
    UPDATE campaigns_delivery d
       SET available_at = %(until)s, attempts = d.attempts + 1
      FROM due WHERE d.id = due.id
    RETURNING d.id
"""
_CLAIMED: KeptQuery[Delivery] = KeptQuery(lambda ids: Delivery.objects.filter(pk__among=ids))
# Every run of a worker asks, and hardly ever is there one: it is one statement, planned once.
_INTERRUPTED = """
    UPDATE campaigns_delivery
       SET state = CASE WHEN channel = ANY(%(again)s::text[]) THEN 'queued' ELSE 'uncertain' END,
           handed_over_at = CASE WHEN channel = ANY(%(again)s::text[]) THEN NULL
                                 ELSE handed_over_at END,
           reason = CASE WHEN channel = ANY(%(again)s::text[]) THEN reason ELSE 'interrupted' END
     WHERE state = 'sending' AND available_at <= %(now)s
    RETURNING id
"""
# A look at the beginning of the index of each.
_WAITED_FOR = """
    SELECT w.channel FROM unnest(%s::text[]) w(channel)
     WHERE EXISTS (SELECT 1 FROM campaigns_delivery d
                    WHERE d.state = 'queued' AND d.channel = w.channel)
"""


def with_waiting(channels: list[Channel]) -> list[Channel]:
    """Those of these by which anything is to go out, now or later; one query."""
    found = {key for (key,) in run_prepared(_WAITED_FOR, [[channel.key for channel in channels]])}
    return [channel for channel in channels if channel.key in found]


def claim(*, channel: str, limit: int, now: dt.datetime) -> list[Delivery]:
    """Lease what is due to this worker, what matters most first. While the provider is down: one
    now and then, to find out whether it still is."""
    with transaction.atomic():
        down = outage_of(channel) is not None
        if down and not is_my_turn(channel, now):
            return []
        given = {"channel": channel, "limit": 1 if down else limit, "now": now,
                 "until": now + LEASE}  # fmt: skip
        ids = [pk for (pk,) in run_prepared(_CLAIM, given)]
        if down and ids:
            take_turn(channel, now)
    rows = _CLAIMED.rows(ids) if ids else []
    return sorted(rows, key=lambda row: (row.priority, row.pk))


def give_back(deliveries: list[Delivery], *, until: dt.datetime | None = None) -> None:
    """They were not begun. Another worker takes them from `until` on; none: when the claim is
    over."""
    own = Delivery.objects.filter(
        pk__in=[row.pk for row in deliveries], state__in=[State.QUEUED, State.SENDING]
    )
    changes = {} if until is None else {"available_at": until}
    for attempts in {row.attempts for row in deliveries}:
        own.filter(attempts=attempts).update(state=State.QUEUED, handed_over_at=None, **changes)


def note_interrupted(*, now: dt.datetime) -> int:
    """Of what was being handed over by a worker that died nobody knows whether it went out. Who
    knows a letter by its name gets it again."""
    again = [channel.key for channel in sending_channels() if channel.takes_key]
    return len(run_prepared(_INTERRUPTED, {"now": now, "again": again}))
