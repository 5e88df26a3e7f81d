"""Real baskets of a grocery chain under layered rules: each household's sum is what a query over
the files finds, which knows neither the engine nor the ledger.

One household in 300 here; every one of them with `SETIA_TEST_HOUSEHOLDS=1` and `--timeout 0`, which
takes minutes.
"""

import csv
import datetime as dt
import os
from decimal import Decimal

import duckdb
import pytest

from loyalty.demo import history
from loyalty.demo.history import write_history
from tests.loyalty.factories import make_program

pytestmark = pytest.mark.django_db(transaction=True)

ONE_IN = int(os.environ.get("SETIA_TEST_HOUSEHOLDS", "300"))
WEEKEND = {"field": "order.weekday", "op": "one_of", "value": ["saturday", "sunday"]}
FIVE = [
    {"code": "base"},
    {"code": "produce", "kind": "multiplier", "factor": 5, "include": {"categories": ["PRODUCE"]}},
]
POINTS = [
    {"code": "base", "caps": {"per_order": 500}},
    {"code": "produce", "kind": "multiplier", "factor": 5, "include": {"categories": ["PRODUCE"]}},
    {"code": "weekend", "kind": "multiplier", "factor": 2, "when": WEEKEND},
]
CASHBACK = [
    {
        "code": "back", "kind": "cashback", "percent": 1,
        "by_category": [
            {"category": "PRODUCE", "percent": 5},
            {"category": "MEAT", "percent": 2}, {"category": "DRUG GM", "percent": 2},
        ],
    },
]  # fmt: skip

# Five times for produce.
FIVE_SQL = """
    WITH x AS (
        SELECT o.order_id, o.customer_id, sum(l.line_total::DECIMAL(18, 4)
                   * CASE l.category WHEN 'PRODUCE' THEN 5 ELSE 1 END) AS units
          FROM '{orders}' o JOIN '{lines}' l USING (order_id) GROUP BY ALL)
    SELECT customer_id, sum(greatest(floor(units), 0)) FROM x GROUP BY 1
"""
# Five times for produce, twice at the weekend, the larger of both for a line, at most 500 for an
# order.
POINTS_SQL = """
    WITH x AS (
        SELECT o.order_id, o.customer_id, sum(l.line_total::DECIMAL(18, 4) * CASE
                   WHEN l.category = 'PRODUCE' THEN 5
                   WHEN dayofweek(o.placed_at::TIMESTAMP) IN (0, 6) THEN 2 ELSE 1 END) AS units
          FROM '{orders}' o JOIN '{lines}' l USING (order_id) GROUP BY ALL)
    SELECT customer_id, sum(least(greatest(floor(units), 0), 500)) FROM x GROUP BY 1
"""
# In cents: one for each percent of a dollar.
CASHBACK_SQL = """
    WITH x AS (
        SELECT o.order_id, o.customer_id, sum(l.line_total::DECIMAL(18, 4) * CASE
                   WHEN l.category = 'PRODUCE' THEN 5
                   WHEN l.category IN ('MEAT', 'DRUG GM') THEN 2 ELSE 1 END) AS cents
          FROM '{orders}' o JOIN '{lines}' l USING (order_id) GROUP BY ALL)
    SELECT customer_id, sum(greatest(floor(cents), 0)) / 100 FROM x GROUP BY 1
"""


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setattr(history, "SHARE", ONE_IN)
    monkeypatch.setattr(history, "REMAINDER", 1 % ONE_IN)
    return write_history(tmp_path, days=0, today=dt.date(2020, 1, 1), everyone=False)


def found_by(query, files):
    with duckdb.connect() as connection:
        rows = connection.execute(query.format(orders=files.orders, lines=files.lines)).fetchall()
    return {customer: Decimal(str(units)) for customer, units in rows}


def reported(run, program, folder):
    path = folder / f"{program}.csv"
    run("ledger_report", program, "--customers", path)
    with path.open(encoding="utf-8") as rows:
        return {row["customer_id"]: Decimal(row["accrued"]) for row in csv.DictReader(rows)}


def test_each_household_has_what_a_query_over_the_files_finds(files, run, tmp_path):
    zone = {"time_zone": "America/New_York"}
    make_program("five", earning_rules=FIVE, **zone)
    make_program("points", earning_rules=POINTS, **zone)
    make_program("cash", earning_rules=CASHBACK, unit={"decimals": 2}, **zone)
    queries = {"five": FIVE_SQL, "points": POINTS_SQL, "cash": CASHBACK_SQL}
    sums = {}
    for program, query in queries.items():
        run("import_orders", program, files.orders, files.lines, "--source", program)
        expected = found_by(query, files)
        assert reported(run, program, tmp_path) == expected
        sums[program] = sum(expected.values())
    assert sums["points"] > sums["five"] > sums["cash"] > 0


def test_looking_up_when_a_basket_was_bought_leaves_the_shared_connection_free():
    assert history.original_day("31198570044") == dt.date(2017, 1, 1)
    assert history.original_day("1") is None
    assert duckdb.sql("SELECT 1").fetchall() == [(1,)]
