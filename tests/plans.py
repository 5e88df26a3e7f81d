"""What the database reads to answer, as it counts itself: never how long it takes."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext


def rows_read(act: Callable[[], object], mark: str = "SELECT ") -> Counter[str]:
    """How many rows of each table the queries of an act read, of those that have `mark` in them."""
    with CaptureQueriesContext(connection) as queries:
        act()
    read: Counter[str] = Counter()
    for query in queries:
        if mark in query["sql"]:
            read += _read(_plan(query["sql"]))
    return read


def plan_by_index(rows: QuerySet[Any]) -> str:
    """How the rows are found where an index can find them: among few anything is as cheap, whatever
    the statistics say of those of other tests."""
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        plan = rows.explain()
        for way in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = on")
    return plan


def _plan(sql: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        # A table of some hundred rows is read as a whole, whatever is asked of it.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        [plan] = cursor.fetchone()[0]
        cursor.execute("SET LOCAL enable_seqscan = on")
    found: dict[str, Any] = plan["Plan"]
    return found


def _read(node: dict[str, Any]) -> Counter[str]:
    read: Counter[str] = Counter()
    if "Relation Name" in node:
        rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        read[node["Relation Name"]] = int(rows * node["Actual Loops"])
    for child in node.get("Plans", ()):
        read += _read(child)
    return read
