"""What each day did to lots, by cohort and end, and where that stood at the end of each month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import connection

from loyalty.rules.calendar import end_of_period


def _end(day: str) -> str:
    """The end that a lot (`l`) of a policy (`q`) and program (`p`) had on a day, as a lateral row
    (ends, expires_on)."""
    return f"""
        SELECT CASE WHEN x.expires_at IS NOT NULL THEN 'date'
                    WHEN l.renewable OR q.kind = 'inactivity' AND x.changed THEN 'inactivity'
                    ELSE 'none' END AS ends,
               (x.expires_at AT TIME ZONE p.time_zone)::date AS expires_on
          FROM (SELECT c.id IS NOT NULL AS changed,
                       CASE WHEN c.id IS NULL THEN l.expires_at ELSE c.expires_before END
                           AS expires_at
                  FROM (SELECT) one
                  LEFT JOIN LATERAL (
                       SELECT c.id, c.expires_before FROM loyalty_lotchange c
                        WHERE c.lot_id = l.id AND c.booked_on > {day}
                        ORDER BY c.id LIMIT 1) c ON true) x
    """


# Transfers of the days, with the lots that they granted and used.
TOUCHED = """
    SELECT t.id, t.booked_on AS day,
           CASE WHEN t.kind = 'reversal' THEN o.kind ELSE t.kind END AS kind
      FROM loyalty_transfer t
      LEFT JOIN loyalty_transfer o
        ON t.kind = 'reversal' AND o.id = coalesce(t.reverses_id, t.corrects_id)
     WHERE t.wallet_type_id = %(wallet_type)s AND t.booked_on = ANY(%(days)s)
"""
EVENTS = """
    SELECT x.day, x.kind, l.id AS lot_id, l.granted, 0::bigint AS used
      FROM touched x JOIN loyalty_lot l ON l.transfer_id = x.id
     UNION ALL
    SELECT x.day, x.kind, u.lot_id, 0, u.amount
      FROM touched x JOIN loyalty_lotuse u ON u.transfer_id = x.id
"""
# What remained of lots, at the end of the day before, that got another end on a day.
RETIMED = """
    SELECT ch.day, l.id AS lot_id,
           CASE WHEN g.booked_on < ch.day THEN l.granted ELSE 0 END - coalesce((
               SELECT sum(u.amount) FROM loyalty_lotuse u
                 JOIN loyalty_transfer ut ON ut.id = u.transfer_id
                WHERE u.lot_id = l.id AND ut.booked_on < ch.day), 0) AS units
      FROM (SELECT DISTINCT lot_id, booked_on AS day FROM loyalty_lotchange
             WHERE booked_on = ANY(%(days)s)) ch
      JOIN loyalty_lot l ON l.id = ch.lot_id
      JOIN loyalty_transfer g ON g.id = l.transfer_id AND g.wallet_type_id = %(wallet_type)s
"""
OF_LOT = """
      JOIN loyalty_lot l ON l.id = e.lot_id
      JOIN loyalty_lotpolicy q ON q.id = l.policy_id
"""
PUT = """
    WITH p AS (
        SELECT p.time_zone FROM loyalty_wallettype t JOIN loyalty_program p ON p.id = t.program_id
         WHERE t.id = %(wallet_type)s
    ), touched AS MATERIALIZED ({touched}), e AS ({events}), r AS ({retimed}), parts AS (
        SELECT e.day, e.kind, l.earned_at, b.ends, b.expires_on, e.granted, e.used
          FROM e {of_lot} CROSS JOIN p CROSS JOIN LATERAL ({end_of_day}) b
         UNION ALL
        SELECT e.day, 'retimed', l.earned_at, b.ends, b.expires_on, 0, e.units
          FROM r e {of_lot} CROSS JOIN p CROSS JOIN LATERAL ({end_before}) b
         UNION ALL
        SELECT e.day, 'retimed', l.earned_at, b.ends, b.expires_on, 0, -e.units
          FROM r e {of_lot} CROSS JOIN p CROSS JOIN LATERAL ({end_of_day}) b
    ), fresh AS MATERIALIZED (
        SELECT day, kind, ends,
               date_trunc('month', earned_at AT TIME ZONE p.time_zone)::date AS earned_in,
               expires_on, sum(granted)::bigint AS granted, sum(used)::bigint AS used
          FROM parts CROSS JOIN p GROUP BY 1, 2, 3, 4, 5
        HAVING sum(granted) <> 0 OR sum(used) <> 0
    ), gone AS (
        DELETE FROM loyalty_lottotal o
         WHERE o.wallet_type_id = %(wallet_type)s AND o.day = ANY(%(days)s)
           AND NOT EXISTS (SELECT FROM fresh f
                            WHERE (f.day, f.kind, f.earned_in, f.ends)
                                  = (o.day, o.kind, o.earned_in, o.ends)
                              AND f.expires_on IS NOT DISTINCT FROM o.expires_on)
        RETURNING o.day
    ), put AS (
        INSERT INTO loyalty_lottotal AS o
               (wallet_type_id, day, kind, earned_in, ends, expires_on, granted, used)
        SELECT %(wallet_type)s, day, kind, earned_in, ends, expires_on, granted, used FROM fresh
        ON CONFLICT ON CONSTRAINT lot_total_once DO UPDATE
           SET granted = excluded.granted, used = excluded.used
         WHERE (o.granted, o.used) IS DISTINCT FROM (excluded.granted, excluded.used)
        RETURNING day
    )
    SELECT count(*), min(day) FROM (SELECT day FROM gone UNION ALL SELECT day FROM put) changed
""".format(
    touched=TOUCHED, events=EVENTS, retimed=RETIMED, of_lot=OF_LOT,
    end_of_day=_end("e.day"), end_before=_end("e.day - 1"),
)  # fmt: skip
# Days on which something is otherwise once these days are: what a lot took along where it got
# another end depends on all before; where its end is another, so it is for all done to it since.
LATER = f"""
    WITH touched AS MATERIALIZED ({TOUCHED}), e AS ({EVENTS}), r AS ({RETIMED})
    SELECT c.booked_on FROM (SELECT lot_id, day FROM e UNION SELECT lot_id, day FROM r) d
      JOIN loyalty_lotchange c ON c.lot_id = d.lot_id AND c.booked_on > d.day
     UNION
    SELECT t.booked_on FROM r JOIN loyalty_lotuse u ON u.lot_id = r.lot_id
      JOIN loyalty_transfer t ON t.id = u.transfer_id AND t.booked_on > r.day
     UNION
    SELECT t.booked_on FROM r JOIN loyalty_lot l ON l.id = r.lot_id
      JOIN loyalty_transfer t ON t.id = l.transfer_id AND t.booked_on > r.day
"""
DROP_POSITIONS = """
    DELETE FROM loyalty_lotposition WHERE wallet_type_id = %(wallet_type)s AND until >= %(day)s
"""
POSITION = """
    INSERT INTO loyalty_lotposition
           (wallet_type_id, until, kind, earned_in, ends, expires_on, granted, used)
    SELECT %(wallet_type)s, %(until)s::date, kind, earned_in,
           CASE WHEN expires_on <= %(until)s::date THEN 'past' ELSE ends END,
           CASE WHEN expires_on > %(until)s::date THEN expires_on END,
           sum(granted), sum(used)
      FROM (SELECT kind, earned_in, ends, expires_on, granted, used FROM loyalty_lotposition
             WHERE wallet_type_id = %(wallet_type)s AND until = %(before)s::date
             UNION ALL
            SELECT kind, earned_in, ends, expires_on, granted, used FROM loyalty_lottotal
             WHERE wallet_type_id = %(wallet_type)s AND day <= %(until)s::date
               AND day > coalesce(%(before)s::date, '-infinity')) parts
     GROUP BY 3, 4, 5, 6
    HAVING sum(granted) <> 0 OR sum(used) <> 0
"""


def rebuild_lot_totals(wallet_type: int, days: Sequence[dt.date]) -> int:
    """Bring the lot totals of these days to what the lots say; return how many rows were not so.

    The caller holds the lock of the wallet type's totals.
    """
    wanted = sorted(set(days) | _later(wallet_type, days))
    with connection.cursor() as cursor:
        cursor.execute(PUT, {"wallet_type": wallet_type, "days": wanted})
        changed, first = cursor.fetchone()
        if changed:
            cursor.execute(DROP_POSITIONS, {"wallet_type": wallet_type, "day": first})
        return int(changed)


def write_positions(wallet_type: int, through: dt.date) -> int:
    """Write the positions that are missing, at the ends of months up to a day; return how many
    months were written. The caller holds the lock of the wallet type's totals."""
    written = 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT max(until) FROM loyalty_lotposition WHERE wallet_type_id = %(id)s),"
            "       (SELECT min(day) FROM loyalty_lottotal WHERE wallet_type_id = %(id)s)",
            {"id": wallet_type},
        )
        before, first = cursor.fetchone()
        if first is None:
            return 0
        until = _month_end(before + dt.timedelta(days=1) if before else first)
        while until <= through:
            cursor.execute(POSITION, {"wallet_type": wallet_type, "until": until, "before": before})
            before, until = until, _month_end(until + dt.timedelta(days=1))
            written += 1
    return written


def _later(wallet_type: int, days: Sequence[dt.date]) -> set[dt.date]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM loyalty_lotchange WHERE booked_on >= %s)", [min(days)]
        )
        if not cursor.fetchone()[0]:
            return set()
        cursor.execute(LATER, {"wallet_type": wallet_type, "days": sorted(days)})
        return {row[0] for row in cursor.fetchall()}


def _month_end(day: dt.date) -> dt.date:
    return end_of_period(day, 1, 0)
