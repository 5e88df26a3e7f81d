"""Values that orders and their lines have lately had: to pick from while one writes a condition."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import connection

from members.conditions.fields import NamedValue

# By their keys the newest are at hand at once, however many there are.
LATEST = 20_000
MOST = 20

_OF_LINES = """
    SELECT value FROM (SELECT {value} AS value FROM loyalty_orderline
                        WHERE id > (SELECT max(id) FROM loyalty_orderline) - %(latest)s) lately
"""
_OF_ORDERS = """
    SELECT value FROM (SELECT {value} AS value FROM loyalty_order
                        WHERE id > (SELECT max(id) FROM loyalty_order) - %(latest)s) lately
"""
_FITTING = """
    SELECT value FROM ({values}) lately
     WHERE value <> '' AND strpos(lower(value), lower(%(typed)s)) > 0
     GROUP BY value ORDER BY count(*) DESC, value LIMIT %(most)s
"""


def of_lines(value: str) -> Callable[[str], Sequence[str]]:
    """Those of a column of lines, the most frequent first, that contain what was typed."""
    return _fitting(_OF_LINES.format(value=value))


_PRODUCTS = """
    SELECT sku, max(name) FROM loyalty_orderline
     WHERE id > (SELECT max(id) FROM loyalty_orderline) - %(latest)s AND sku <> ''
       AND (strpos(lower(sku), lower(%(typed)s)) > 0 OR strpos(lower(name), lower(%(typed)s)) > 0)
     GROUP BY sku ORDER BY count(*) DESC, sku LIMIT %(most)s
"""


def products(typed: str) -> Sequence[NamedValue]:
    """SKUs with the names of their products, the most frequent first; found by either."""
    with connection.cursor() as cursor:
        cursor.execute(
            _PRODUCTS, {"typed": typed.replace("\x00", ""), "latest": LATEST, "most": MOST}
        )
        return [NamedValue.of(sku, name) for sku, name in cursor.fetchall()]


def of_orders(value: str) -> Callable[[str], Sequence[str]]:
    """Those of a column of orders."""
    return _fitting(_OF_ORDERS.format(value=value))


def _fitting(values: str) -> Callable[[str], Sequence[str]]:
    statement = _FITTING.format(values=values)

    def suggest(typed: str) -> Sequence[str]:
        with connection.cursor() as cursor:
            cursor.execute(
                statement,
                {"typed": typed.replace("\x00", ""), "latest": LATEST, "most": MOST},
            )
            return [row[0] for row in cursor.fetchall()]

    return suggest
