"""That a letter went out, whoever says so first: the provider's answer, or what it tells later."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from campaigns.models import Delivery
from campaigns.occasions import occasion_named


@dataclass(frozen=True, slots=True)
class Taken:
    """A letter that was taken: the provider's name for it, and when."""

    delivery: Delivery
    reference: str
    at: dt.datetime


_TAKEN = """
      FROM unnest(%(ids)s::bigint[], %(attempts)s::smallint[], %(references)s::text[],
                  %(at)s::timestamptz[]) c(id, attempts, reference, at)
     WHERE d.id = c.id AND d.attempts = c.attempts
"""
# Also where the worker was so slow that they were told as uncertain meanwhile.
_SENT = f"""
    UPDATE campaigns_delivery d
       SET state = 'sent', sent_at = c.at, reason = '', detail = '',
           reference = coalesce(nullif(c.reference, ''), d.reference)
    {_TAKEN} AND d.state IN ('sending', 'uncertain')
    RETURNING d.id
"""
# The provider has told what became of some before it answered: it stays so.
_NAMED = f"""
    UPDATE campaigns_delivery d SET reference = c.reference
    {_TAKEN} AND d.reference = '' AND c.reference <> ''
"""


@transaction.atomic
def mark_sent(taken: Sequence[Taken]) -> None:
    """Write down that they went out, and do what follows from it, each once."""
    if not taken:
        return
    values: dict[str, Any] = {
        "ids": [item.delivery.pk for item in taken],
        "attempts": [item.delivery.attempts for item in taken],
        "references": [item.reference for item in taken],
        "at": [item.at for item in taken],
    }
    with connection.cursor() as cursor:
        cursor.execute(_SENT, values)
        written = {row[0] for row in cursor.fetchall()}
        if len(written) < len(taken):
            cursor.execute(_NAMED, values)
    _follow([item for item in taken if item.delivery.pk in written])


def _follow(taken: Sequence[Taken]) -> None:
    """What follows from it, once for all of an occasion, as of when the last of them went out."""
    together: defaultdict[str, list[Taken]] = defaultdict(list)
    for item in taken:
        together[item.delivery.message.occasion].append(item)
    for code, items in together.items():
        occasion = occasion_named(code)
        if occasion is not None and occasion.told is not None:
            occasion.told([item.delivery.message for item in items], max(item.at for item in items))
