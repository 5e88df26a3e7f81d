"""Working out who is in a segment: of everybody, or of customers about whom something changed.

One statement finds who came and who went; whoever stays keeps the day on which they came. The
segment's row is locked first, so that two refreshes take turns and its size is exact.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F
from django.db.models.expressions import RawSQL

from members.conditions.tree import ConditionError, Node
from members.models import Segment, SegmentSize
from members.selectors.segments import (
    asking_for,
    customers_matching,
    in_order,
    merchant_moment,
    read_condition,
)

logger = logging.getLogger(__name__)

_WRITE = """
    WITH wanted (id) AS MATERIALIZED ({wanted}),
    gone AS (
        DELETE FROM members_segmentmember m
         WHERE m.segment_id = %s {among}
           AND NOT EXISTS (SELECT 1 FROM wanted w WHERE w.id = m.customer_id)
        RETURNING 1
    ),
    came AS (
        INSERT INTO members_segmentmember (segment_id, customer_id, since)
        SELECT %s, w.id, %s FROM wanted w
         WHERE NOT EXISTS (SELECT 1 FROM members_segmentmember m
                            WHERE m.segment_id = %s AND m.customer_id = w.id)
        ON CONFLICT (segment_id, customer_id) DO NOTHING
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM came), (SELECT count(*) FROM gone)
"""


@dataclass(frozen=True, slots=True)
class Change:
    """How many came into a segment, and how many went."""

    came: int = 0
    gone: int = 0


@transaction.atomic
def refresh_segment(segment: Segment, *, now: dt.datetime) -> Change:
    """Work out everybody anew. Raises ConditionError if its condition cannot be read any more."""
    row = Segment.objects.select_for_update().get(pk=segment.pk)
    if row.archived_at is not None or row.kind != Segment.Kind.DYNAMIC:
        return Change()
    node = read_condition(row.condition, choices_known=False)
    change = _write(row, node, now)
    Segment.objects.filter(pk=row.pk).update(refreshed_at=now)
    return change


def refresh_customers(customer_ids: Sequence[int], *, now: dt.datetime, asking: str = "") -> None:
    """Work these customers out anew in every segment that was worked out before, each segment
    after those that it names; `asking`: only in those that ask for facts of this scope, themselves
    or by a segment that they name. In the caller's transaction."""
    among = asking_for(asking) if asking else in_order()
    segments = [segment for segment in among if segment.refreshed_at is not None]
    if not segments or not customer_ids:
        return
    # By key, as whoever locks more than one does.
    locked = Segment.objects.select_for_update().filter(
        pk__in=[segment.pk for segment in segments], archived_at=None, refreshed_at__isnull=False
    )
    rows = {row.pk: row for row in locked.order_by("pk")}
    for segment in segments:
        row = rows.get(segment.pk)
        if row is None:
            continue
        try:
            node = read_condition(row.condition, choices_known=False)
        except ConditionError:
            logger.warning("the condition of segment %s cannot be read", row.code)
            continue
        _write(row, node, now, among=customer_ids)


def note_size(segment: Segment, *, now: dt.datetime, by: int) -> None:
    """Change a locked segment's size, and remember it for the day."""
    if by:
        Segment.objects.filter(pk=segment.pk).update(size=F("size") + by)
    size = Segment.objects.values_list("size", flat=True).get(pk=segment.pk)
    SegmentSize.objects.update_or_create(
        segment=segment, day=merchant_moment(now).today, defaults={"size": size}
    )


def _write(
    segment: Segment, node: Node, now: dt.datetime, among: Sequence[int] | None = None
) -> Change:
    customers = customers_matching(node, merchant_moment(now))
    if among is not None:
        # As one array: ten thousand parameters take longer to send than to look up.
        customers = customers.filter(pk__in=RawSQL("SELECT unnest(%s::bigint[])", [list(among)]))
    wanted, parameters = customers.order_by().values("pk").query.sql_with_params()
    statement = _WRITE.format(
        wanted=wanted, among="AND m.customer_id = ANY(%s)" if among is not None else ""
    )
    few = [list(among)] if among is not None else []
    with connection.cursor() as cursor:
        cursor.execute(statement, [*parameters, segment.pk, *few, segment.pk, now, segment.pk])
        change = Change(*cursor.fetchone())
    if among is None or change.came or change.gone:
        note_size(segment, now=now, by=change.came - change.gone)
    return change
