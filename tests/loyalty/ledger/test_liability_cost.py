"""Liability is read from totals of days: it costs a hundredth of adding everything up, at most."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.ledger.reports import totals
from loyalty.models import Program
from loyalty.rules.calendar import last_instant
from loyalty.selectors.liability import get_liability
from loyalty.services.totals import write_month_ends
from members.services.outbox import deliver_waiting
from tests.loyalty.factories import day, make_program, order, record

ORDERS = 600
AT = day(20).date()


def scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes of a plan that read a table or an index."""
    if "Scan" in plan["Node Type"] and "Relation Name" in plan:
        yield plan
    for part in plan.get("Plans", []):
        yield from scans(part)


def rows_read(act: Callable[[], object]) -> int:
    """How many rows of tables the database looks at for what an act asks."""
    with CaptureQueriesContext(connection) as asked:
        act()
    read = 0
    with connection.cursor() as cursor:
        # On tables of this size scanning all of them is no worse; on large ones it is never done.
        cursor.execute("SET LOCAL enable_seqscan = off")
        for query in asked:
            if "loyalty_" not in query["sql"]:
                continue
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}".replace("%", "%%"), [])
            [(found,)] = cursor.fetchall()
            plan = json.loads(found) if isinstance(found, str) else found
            for node in scans(plan[0]["Plan"]):
                passed = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
                read += int(passed * node["Actual Loops"])
        cursor.execute("SET LOCAL enable_seqscan = on")
    return read


def busy_program() -> Program:
    """Many orders on a few days, of many customers; units last two months."""
    program = make_program(unit={"expiry": {"kind": "months", "length": 2}})
    record(
        *(
            order(f"A{number}", "10", at=day(number % 3), buyer=f"c{number % 100}")
            for number in range(ORDERS)
        )
    )
    while deliver_waiting(1000):
        pass
    write_month_ends(program.wallet_types.get().pk, dt.date(2024, 3, 31))
    # What the database believes of tables that were empty a moment ago leads it astray for minutes.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return program


def test_it_reads_a_hundredth_of_the_rows_and_comes_to_the_same_total(db: None) -> None:
    program = busy_program()
    wallet_type = program.wallet_types.select_related("program").get()
    at = last_instant(AT, program.zone)
    figures = totals(program, at, booked_by=AT)["points"]
    liability = get_liability(wallet_type, AT)
    assert liability.units == figures.outstanding - figures.owed == 10 * ORDERS
    scan = rows_read(lambda: totals(program, at, booked_by=AT))
    assert scan >= ORDERS
    assert rows_read(lambda: get_liability(wallet_type, AT)) <= 0.01 * scan
