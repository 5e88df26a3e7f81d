"""Keeping tallies short, and making them anew."""

from __future__ import annotations

from django.db import connection, transaction

from loyalty.models.tally_triggers import TALLIES, Tally


def fold_tallies() -> int:
    """Make one row of all that were added for the same, none where they come to nothing; returns
    how many it made. What stands alone already stays. Whoever reads meanwhile sees the rows or what
    they came to; rows that are added meanwhile, or that another fold has taken, are not among
    them."""
    return sum(_fold(tally) for tally in TALLIES)


def recount_tallies() -> int:
    """Make them anew from what they sum up, each by itself; returns how many rows were wrong.
    Whoever writes there meanwhile waits."""
    return sum(_recount(tally) for tally in TALLIES)


def _fold(tally: Tally) -> int:
    # One statement, so that nobody sees neither.
    keys, sums = ", ".join(tally.keys), ", ".join(tally.sums)
    totals = [f"sum({name})" for name in tally.sums]
    nothing = " AND ".join(f"{total} = 0" for total in totals)
    taken = ", ".join(f"t.{name}" for name in [*tally.keys, *tally.sums])
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH several AS (SELECT unnest(array_agg(id)) AS id FROM {tally.table}"
            f" GROUP BY {keys} HAVING count(*) > 1 OR ({nothing})),"
            f" gone AS (DELETE FROM {tally.table} t USING several s WHERE t.id = s.id"
            f" RETURNING {taken})"
            f" INSERT INTO {tally.table} ({keys}, {sums})"
            f" SELECT {keys}, {', '.join(totals)} FROM gone GROUP BY {keys}"
            f" HAVING {' OR '.join(f'{total} <> 0' for total in totals)}"
        )
        return int(cursor.rowcount)


@transaction.atomic
def _recount(tally: Tally) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {', '.join(tally.all_rows)} IN SHARE ROW EXCLUSIVE MODE")
        _fold(tally)
        before = _rows(tally)
        cursor.execute(f"DELETE FROM {tally.table}")
        cursor.execute(tally.anew())
    wrong = before ^ _rows(tally)
    return len({row[: len(tally.keys)] for row in wrong})


def _rows(tally: Tally) -> set[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join([*tally.keys, *tally.sums])} FROM {tally.table}")
        return set(cursor.fetchall())
