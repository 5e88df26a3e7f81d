"""Triggers that say which orders were canceled, whoever wrote and whoever bought."""

from __future__ import annotations

import pgtrigger

# The outbox event that follows. Its payload names orders by key, a thousand at most.
CANCELED = "orders.canceled"

_TELL = """
    INSERT INTO members_outboxevent
           (kind, payload, created_at, available_at, attempts, last_error)
    SELECT 'orders.canceled', jsonb_build_object('orders', jsonb_agg(r.id)),
           now(), now(), 0, ''
      FROM (SELECT x.id, (row_number() OVER () - 1) / 1000 AS part FROM ({canceled}) x) r
     GROUP BY r.part;
    RETURN NULL;
"""


def orders_canceled() -> list[pgtrigger.Trigger]:
    """For the table of orders: those that come canceled, and that are canceled later."""
    return [
        pgtrigger.Trigger(
            name="tell_canceled_at_once", level=pgtrigger.Statement, when=pgtrigger.After,
            operation=pgtrigger.Insert, referencing=pgtrigger.Referencing(new="new_rows"),  # type: ignore[no-untyped-call]
            func=_TELL.format(
                canceled="SELECT n.id FROM new_rows n WHERE n.status = 'cancelled'"
            ),
        ),
        pgtrigger.Trigger(
            name="tell_canceled", level=pgtrigger.Statement, when=pgtrigger.After,
            operation=pgtrigger.Update,
            referencing=pgtrigger.Referencing(old="old_rows", new="new_rows"),  # type: ignore[no-untyped-call]
            func=_TELL.format(
                canceled="SELECT n.id FROM new_rows n JOIN old_rows o ON o.id = n.id"
                " WHERE n.status = 'cancelled' AND o.status <> 'cancelled'"
            ),
        ),
    ]  # fmt: skip
