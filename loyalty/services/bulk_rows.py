"""Writing what became of rows: many in one statement, and only while the batch is at this step."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from django.utils.translation import gettext as _

from loyalty.ledger.posting import dumps
from loyalty.models import BulkAdjustment, BulkRow
from members.errors import ConflictError


def require_state(batch: BulkAdjustment, state: BulkAdjustment.State) -> None:
    """Hold the batch until the transaction ends, and refuse work that it is past: an old job that
    somebody starts again must not post what was undone meanwhile."""
    now = (
        BulkAdjustment.objects.select_for_update(no_key=True)
        .values_list("state")
        .get(pk=batch.pk)[0]
    )
    if now != state:
        raise ConflictError(_("This bulk adjustment is past this step."), code="past_this_step")


def write_rows(rows: Sequence[BulkRow]) -> None:
    """Write everything about these rows but their text."""
    values = [
        {
            "id": row.pk,
            "state": row.state,
            "wallet": row.wallet_id,
            "units": row.units,
            "note": row.note,
            "problems": row.problems,
            "transfer": row.transfer_id,
        }
        for row in rows
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE loyalty_bulkrow r
               SET state = x.state, wallet_id = x.wallet, units = x.units, note = x.note,
                   problems = x.problems, transfer_id = x.transfer
              FROM jsonb_to_recordset(%s::jsonb) AS x(
                   id bigint, state text, wallet bigint, units bigint, note text, problems jsonb,
                   transfer bigint)
             WHERE r.id = x.id
            """,
            [dumps(values)],
        )
