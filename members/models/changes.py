"""Triggers that say which customers a write was about, whoever wrote: a service or SQL."""

from __future__ import annotations

from collections.abc import Iterable

import pgtrigger

# The outbox event that follows. Its payload names customers by key, a thousand at most.
CHANGED = "customers.changed"

_TELL = """
    INSERT INTO members_outboxevent
           (kind, payload, created_at, available_at, attempts, last_error)
    SELECT 'customers.changed', jsonb_build_object('customers', jsonb_agg(c.customer)),
           now(), now(), 0, ''
      FROM (SELECT d.customer, (row_number() OVER () - 1) / 1000 AS part
              FROM (SELECT DISTINCT x.customer FROM ({changed}) x
                     WHERE x.customer IS NOT NULL) d) c
     GROUP BY c.part;
    RETURN NULL;
"""


def customers_changed(customer: str, watched: Iterable[str]) -> list[pgtrigger.Trigger]:
    """Triggers for a table whose rows belong to `customer`, a column: new rows, and rows of which
    a watched column has changed."""
    columns = sorted({customer, *watched})
    was = ", ".join(f"o.{column}" for column in columns)
    now = ", ".join(f"n.{column}" for column in columns)
    changed = f"""
        SELECT unnest(ARRAY[o.{customer}, n.{customer}]) AS customer
          FROM old_rows o JOIN new_rows n ON n.id = o.id
         WHERE ({was}) IS DISTINCT FROM ({now})"""
    return [
        _trigger(
            "tell_new", pgtrigger.Insert, pgtrigger.Referencing(new="new_rows"),  # type: ignore[no-untyped-call]
            f"SELECT n.{customer} AS customer FROM new_rows n",
        ),
        _trigger(
            "tell_changed", pgtrigger.Update,
            pgtrigger.Referencing(old="old_rows", new="new_rows"), changed,  # type: ignore[no-untyped-call]
        ),
    ]  # fmt: skip


def _trigger(
    name: str, operation: pgtrigger.Operation, referencing: pgtrigger.Referencing, changed: str
) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=name, level=pgtrigger.Statement, when=pgtrigger.After, operation=operation,
        referencing=referencing, func=_TELL.format(changed=changed),
    )  # fmt: skip
