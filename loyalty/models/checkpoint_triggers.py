"""Triggers that drop what a member's earlier facts came to, when one of those facts is told late or
changes: whoever wrote, a service or SQL."""

from __future__ import annotations

from collections.abc import Iterable

import pgtrigger

# `touched`: a query for memberships and the instant of what has changed about each.
_DROP = """
    {guard}
    DELETE FROM loyalty_tiercheckpoint c USING ({touched}) x
     WHERE c.membership_id = x.membership AND c.at > x.since {only};
    RETURN NULL;
"""
_GUARD = """
    IF NOT EXISTS (SELECT 1 FROM loyalty_tiercheckpoint WHERE {condition}) THEN
        RETURN NULL;
    END IF;
"""
_REFERENCING = {
    pgtrigger.Insert: {"new": "new_rows"},
    pgtrigger.Update: {"old": "old_rows", "new": "new_rows"},
    pgtrigger.Delete: {"old": "old_rows"},
}


def told_about_customers(
    since: str, watched: Iterable[str], joins: str = ""
) -> list[pgtrigger.Trigger]:
    """For a table of facts with a `customer_id`, dated `since` (of the row `r`): new rows, rows
    that go, and those of which a watched column changes."""
    query = f"""
        SELECT m.id AS membership, {since} AS since FROM {{rows}} r {joins}
          JOIN loyalty_membership m ON m.customer_id = r.customer_id {{where}}"""
    return _of_each(query, ("customer_id", *watched))


def of_evaluations() -> list[pgtrigger.Trigger]:
    """An order counts once a program has judged it."""
    query = """
        SELECT m.id AS membership, o.placed_at AS since
          FROM new_rows r JOIN loyalty_order o ON o.id = r.order_id
          JOIN loyalty_membership m
            ON m.customer_id = o.customer_id AND m.program_id = r.program_id"""
    return [_trigger("told_new", pgtrigger.Insert, query)]


def of_transfers() -> list[pgtrigger.Trigger]:
    """Only where units count; what is earned never changes once it is written."""
    query = """
        SELECT coalesce(m.merged_into_id, m.id) AS membership, r.occurred_at AS since
          FROM new_rows r JOIN loyalty_wallet w ON w.id = r.wallet_id
          JOIN loyalty_membership m ON m.account_id = w.account_id
         WHERE r.kind IN ('accrual', 'clawback')"""
    return [_trigger("told_new", pgtrigger.Insert, query, "counts_units")]


def of_memberships() -> list[pgtrigger.Trigger]:
    """Another beginning, another person, or other memberships that are one with it."""
    watched = ("customer_id", "account_id", "enrolled_at", "merged_into_id")
    query = f"""
        SELECT unnest(ARRAY[n.id, n.merged_into_id, o.merged_into_id]) AS membership,
               '-infinity'::timestamptz AS since
          FROM old_rows o JOIN new_rows n ON n.id = o.id
         WHERE {_differs(watched)}"""
    return [_trigger("told_changed", pgtrigger.Update, query)]


def _of_each(query: str, watched: Iterable[str]) -> list[pgtrigger.Trigger]:
    changed = f"""
          JOIN old_rows o ON o.id = r.id JOIN new_rows n ON n.id = r.id
         WHERE {_differs(watched)}"""
    both = " UNION ALL ".join(
        query.format(rows=rows, where=changed) for rows in ("old_rows", "new_rows")
    )
    return [
        _trigger("told_new", pgtrigger.Insert, query.format(rows="new_rows", where="")),
        _trigger("told_changed", pgtrigger.Update, both),
        _trigger("told_gone", pgtrigger.Delete, query.format(rows="old_rows", where="")),
    ]


def _differs(columns: Iterable[str]) -> str:
    names = list(columns)
    was, now = (", ".join(f"{row}.{name}" for name in names) for row in "on")
    return f"({was}) IS DISTINCT FROM ({now})"


def _trigger(
    name: str, operation: pgtrigger.Operation, touched: str, only: str = ""
) -> pgtrigger.Trigger:
    referencing = pgtrigger.Referencing(**_REFERENCING[operation])  # type: ignore[no-untyped-call]
    return pgtrigger.Trigger(
        name=name, level=pgtrigger.Statement, when=pgtrigger.After, operation=operation,
        referencing=referencing,
        func=_DROP.format(
            guard=_GUARD.format(condition=only or "true"), touched=touched,
            only=f"AND c.{only}" if only else "",
        ),
    )  # fmt: skip
