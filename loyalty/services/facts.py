"""The facts about customers that segments ask about, kept up to date from orders, returns and
activities.

Every write about a customer leaves an event (`members.models.changes`), whoever made it. What
follows works out those customers anew, by the same SQL as the whole rebuild.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db import connection, transaction
from django.utils import timezone

from loyalty.selectors.behavior import MEASURED
from members.models import OutboxEvent
from members.services.segment_refresh import refresh_customers

# So many customers are worked out by one statement.
AT_ONCE = 5_000

_WRITE = f"""
    INSERT INTO members_customerfacts AS f
           (customer_id, orders, ordered, returned, goods, discounts, first_order_at,
            last_order_at, categories, activities, as_of)
    SELECT x.customer, o.orders, o.ordered, r.returned, l.goods, o.discounts + l.discounts,
           o.first_at, o.last_at, coalesce(l.categories, ARRAY[]::varchar[]),
           coalesce(d.activities, '{{}}'), %(now)s
      FROM (SELECT id AS customer, 'infinity'::timestamptz AS at
              FROM members_customer WHERE id = ANY(%(customers)s)) x
    {MEASURED}
    ON CONFLICT (customer_id) DO UPDATE
       SET orders = excluded.orders, ordered = excluded.ordered, returned = excluded.returned,
           goods = excluded.goods, discounts = excluded.discounts,
           first_order_at = excluded.first_order_at, last_order_at = excluded.last_order_at,
           categories = excluded.categories, activities = excluded.activities,
           as_of = excluded.as_of
     WHERE (f.orders, f.ordered, f.returned, f.goods, f.discounts, f.first_order_at,
            f.last_order_at, f.categories, f.activities)
           IS DISTINCT FROM
           (excluded.orders, excluded.ordered, excluded.returned, excluded.goods,
            excluded.discounts, excluded.first_order_at, excluded.last_order_at,
            excluded.categories, excluded.activities)
    RETURNING customer_id
"""

# Among those who ever ordered; only what differs is written.
_RANK = """
    UPDATE members_customerfacts f
       SET spend_percentile = r.percentile
      FROM (SELECT customer_id,
                   CASE WHEN orders > 0 THEN
                       round((100 * percent_rank() OVER (
                           PARTITION BY orders > 0 ORDER BY spend))::numeric, 2)
                   END AS percentile
              FROM members_customerfacts) r
     WHERE r.customer_id = f.customer_id
       AND f.spend_percentile IS DISTINCT FROM r.percentile
"""


def write_facts(customer_ids: Sequence[int], *, now: dt.datetime) -> list[int]:
    """Bring these customers' facts to what their orders say; return whose were not so. Doing it
    twice changes nothing; two at once take turns, so that the later one has seen all the earlier
    saw. In the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('loyalty.customer_facts'))")
        cursor.execute(_WRITE, {"customers": list(customer_ids), "now": now, "lines": True})
        return [row[0] for row in cursor.fetchall()]


def rank_by_spend() -> int:
    """Say of everyone how many spend less; return how many changed their place."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('loyalty.customer_facts'))")
        cursor.execute(_RANK)
        return int(cursor.rowcount)


def follow_changes(events: Sequence[OutboxEvent]) -> None:
    """Outbox consumer of `customers.changed`: the facts of those customers, then the segments."""
    changed = sorted({pk for event in events for pk in event.payload["customers"]})
    now = timezone.now()
    for few in _in_pieces(changed):
        with transaction.atomic():
            write_facts(few, now=now)
            refresh_customers(few, now=now)


def _in_pieces(customer_ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (customer_ids[at : at + AT_ONCE] for at in range(0, len(customer_ids), AT_ONCE))
