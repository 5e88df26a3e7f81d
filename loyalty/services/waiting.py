"""The waiting list of a program: customers who asked to join before its launch admits them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import connection


def put_on_waiting_list(
    *, program_id: int, since: Mapping[int, dt.datetime], source: str, detail: str = ""
) -> None:
    """Have customers (key → since when) wait. Who waits already keeps their place; who had declined
    an invitation, or let it pass, waits from now on."""
    if not since:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO loyalty_candidate AS c
                   (public_id, program_id, customer_id, state, source, source_detail,
                    waiting_since, created_at)
            SELECT gen_random_uuid(), %(program)s, x.customer_id, 'waiting', %(source)s,
                   %(detail)s, x.since, now()
              FROM unnest(%(people)s::bigint[], %(since)s::timestamptz[]) AS x(customer_id, since)
              JOIN members_customer p ON p.id = x.customer_id AND p.merged_into_id IS NULL
             ORDER BY x.customer_id
            ON CONFLICT (program_id, customer_id) DO UPDATE
               SET state = 'waiting', waiting_since = EXCLUDED.waiting_since,
                   source = EXCLUDED.source, source_detail = EXCLUDED.source_detail,
                   answered_at = NULL, token_hash = NULL
             WHERE c.state <> 'waiting'
            """,
            {
                "program": program_id,
                "source": source,
                "detail": detail,
                "people": list(since),
                "since": list(since.values()),
            },
        )
