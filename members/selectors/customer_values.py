"""Values that customers have: to pick from while one writes a condition."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

# Those of the newest customers, who are at hand at once however many there are.
LATEST = 20_000
MOST = 20
IN_USE = {"country": "country", "locale": "locale", "tags": "unnest(tags)"}

_FITTING = """
    SELECT value FROM (SELECT {value} AS value FROM members_customer
                        WHERE id > (SELECT max(id) FROM members_customer) - %(latest)s) lately
     WHERE value <> '' AND strpos(lower(value), lower(%(typed)s)) > 0
     GROUP BY value ORDER BY count(*) DESC, value LIMIT %(most)s
"""


def values_in_use(name: str, typed: str) -> Sequence[str]:
    """The most frequent first, of those that contain what was typed."""
    with connection.cursor() as cursor:
        cursor.execute(
            _FITTING.format(value=IN_USE[name]),
            {"typed": typed.replace("\x00", ""), "latest": LATEST, "most": MOST},
        )
        return [row[0] for row in cursor.fetchall()]
