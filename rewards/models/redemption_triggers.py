"""Triggers that say which rewards were handed out, whoever wrote."""

from __future__ import annotations

import pgtrigger

# The outbox event that follows. Its payload names redemptions by key, a thousand at most.
ISSUED = "rewards.issued"

_TELL = """
    INSERT INTO members_outboxevent
           (kind, payload, created_at, available_at, attempts, last_error)
    SELECT 'rewards.issued', jsonb_build_object('redemptions', jsonb_agg(r.id)),
           now(), now(), 0, ''
      FROM (SELECT x.id, (row_number() OVER () - 1) / 1000 AS part FROM ({issued}) x) r
     GROUP BY r.part;
    RETURN NULL;
"""


def redemptions_issued() -> list[pgtrigger.Trigger]:
    """For the table of redemptions: those that are issued from the beginning, and later."""
    return [
        pgtrigger.Trigger(
            name="tell_issued_at_once", level=pgtrigger.Statement, when=pgtrigger.After,
            operation=pgtrigger.Insert, referencing=pgtrigger.Referencing(new="new_rows"),  # type: ignore[no-untyped-call]
            func=_TELL.format(
                issued="SELECT n.id FROM new_rows n WHERE n.issued_at IS NOT NULL"
            ),
        ),
        pgtrigger.Trigger(
            name="tell_issued", level=pgtrigger.Statement, when=pgtrigger.After,
            operation=pgtrigger.Update,
            referencing=pgtrigger.Referencing(old="old_rows", new="new_rows"),  # type: ignore[no-untyped-call]
            func=_TELL.format(
                issued="SELECT n.id FROM new_rows n JOIN old_rows o ON o.id = n.id"
                " WHERE n.issued_at IS NOT NULL AND o.issued_at IS NULL"
            ),
        ),
    ]  # fmt: skip
