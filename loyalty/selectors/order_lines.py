"""What the shop's orders are made of, for suggestions while a rule is written."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

# Suggestions look at the newest lines only: they must come while somebody types.
NEWEST = 20_000

_QUERIES = {
    "categories": """
        SELECT category, count(*), '' FROM recent
         WHERE category <> '' AND category ILIKE %(like)s
         GROUP BY category ORDER BY count(*) DESC, category LIMIT %(limit)s
    """,
    "skus": """
        SELECT sku, count(*), max(name) FROM recent
         WHERE sku <> '' AND (sku ILIKE %(like)s OR name ILIKE %(like)s)
         GROUP BY sku ORDER BY count(*) DESC, sku LIMIT %(limit)s
    """,
    "tags": """
        SELECT tag, count(*), '' FROM recent CROSS JOIN unnest(tags) AS tag
         WHERE tag ILIKE %(like)s
         GROUP BY tag ORDER BY count(*) DESC, tag LIMIT %(limit)s
    """,
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A value on the lines, on how many of the newest ones, and what it is called there."""

    value: str
    lines: int
    name: str


def suggest_line_values(kind: str, typed: str, *, limit: int = 20) -> list[Suggestion]:
    """The most frequent categories, skus or tags of recent orders that contain what was typed."""
    escaped = typed.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    newest = "SELECT * FROM loyalty_orderline ORDER BY id DESC LIMIT %(newest)s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH recent AS ({newest}) {_QUERIES[kind]}",
            {"like": f"%{escaped}%", "limit": limit, "newest": NEWEST},
        )
        return [Suggestion(*row) for row in cursor.fetchall()]
