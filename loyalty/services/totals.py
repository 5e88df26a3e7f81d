"""Totals of days: what moved on each accounting day, rebuilt from the transfers and lots that they
summarize."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db import connection, transaction

from loyalty.models import LotPosition
from loyalty.services.lot_totals import rebuild_lot_totals, write_positions
from members.models import OutboxEvent

REBUILD = """
    WITH moved AS MATERIALIZED (
        SELECT t.wallet_type_id, t.booked_on, t.kind,
               CASE WHEN t.to_account_id = w.account_id THEN t.from_account_id
                    ELSE t.to_account_id END AS account_id,
               coalesce(sum(t.amount) FILTER (WHERE t.to_account_id = w.account_id), 0) AS incoming,
               coalesce(sum(t.amount) FILTER (WHERE t.from_account_id = w.account_id), 0) AS
               outgoing,
               count(*) AS movements, count(DISTINCT t.order_id) AS orders
          FROM loyalty_transfer t JOIN loyalty_wallet w ON w.id = t.wallet_id
         WHERE t.wallet_type_id = %(wallet_type)s AND t.booked_on = ANY(%(days)s)
         GROUP BY 1, 2, 3, 4
    ), gone AS (
        DELETE FROM loyalty_dailytotal o
         WHERE o.wallet_type_id = %(wallet_type)s AND o.day = ANY(%(days)s)
           AND NOT EXISTS (SELECT FROM moved m
                            WHERE (m.booked_on, m.kind, m.account_id)
                                  = (o.day, o.kind, o.account_id))
        RETURNING o.day
    ), put AS (
        INSERT INTO loyalty_dailytotal
               (wallet_type_id, day, kind, account_id, incoming, outgoing, movements, orders)
        SELECT wallet_type_id, booked_on, kind, account_id, incoming, outgoing, movements, orders
          FROM moved
        ON CONFLICT (wallet_type_id, day, kind, account_id) DO UPDATE
           SET incoming = excluded.incoming, outgoing = excluded.outgoing,
               movements = excluded.movements, orders = excluded.orders
         WHERE (loyalty_dailytotal.incoming, loyalty_dailytotal.outgoing,
                loyalty_dailytotal.movements, loyalty_dailytotal.orders)
               IS DISTINCT FROM
               (excluded.incoming, excluded.outgoing, excluded.movements, excluded.orders)
        RETURNING day
    )
    SELECT count(*) FROM (SELECT day FROM gone UNION ALL SELECT day FROM put) changed
"""


@transaction.atomic
def rebuild_days(days: Mapping[int, Iterable[dt.date]]) -> int:
    """Bring the totals of these days (by wallet type) to what the ledger says; return how many
    rows were not so. Doing it twice changes nothing; two at once take turns, so that the later one
    has seen all the earlier saw."""
    corrected = 0
    for wallet_type in sorted(days):
        wanted = sorted(set(days[wallet_type]))
        if not wanted:
            continue
        _take_turns(wallet_type)
        with connection.cursor() as cursor:
            cursor.execute(REBUILD, {"wallet_type": wallet_type, "days": wanted})
            corrected += int(cursor.fetchone()[0])
        corrected += rebuild_lot_totals(wallet_type, wanted)
    return corrected


@transaction.atomic
def write_month_ends(wallet_type: int, through: dt.date) -> int:
    """Write where the lot totals stood at the ends of months up to a day, as far as that is
    missing; return how many months were written."""
    _take_turns(wallet_type)
    return write_positions(wallet_type, through)


@transaction.atomic
def rewrite_month_ends(wallet_type: int, through: dt.date) -> int:
    """Write all of them anew up to a day; return how many rows were not so."""
    _take_turns(wallet_type)
    names = ("until", "kind", "earned_in", "ends", "expires_on", "granted", "used")
    rows = LotPosition.objects.filter(wallet_type=wallet_type)
    before = set(rows.values_list(*names))
    rows.delete()
    write_positions(wallet_type, through)
    return len(before ^ set(rows.all().values_list(*names)))


def _take_turns(wallet_type: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('loyalty.daily_total'), %s)", [wallet_type]
        )


def follow_postings(events: Sequence[OutboxEvent]) -> None:
    """Outbox consumer of `ledger.posted`: rebuild every day that the postings touched."""
    days: defaultdict[int, set[dt.date]] = defaultdict(set)
    for event in events:
        for wallet_type, day in event.payload["days"]:
            days[wallet_type].add(dt.date.fromisoformat(day))
    rebuild_days(days)
