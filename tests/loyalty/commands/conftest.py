"""Commands run as people run them; imports work in threads, so their tests commit."""

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command

ORDERS = "order_id,customer_id,placed_at,currency,total,kind,returns_order_id"
LINES = "order_id,line_no,sku,category,quantity,unit_price,discount,line_total"


@pytest.fixture(autouse=True)
def _coherent(coherent_ledger: object) -> None:
    """Whatever a test here did, it left coherent books."""


@pytest.fixture
def run() -> Callable[..., tuple[str, str]]:
    """Run a command; what it said, and what it complained of."""

    def call(*arguments: object, **options: object) -> tuple[str, str]:
        out, err = io.StringIO(), io.StringIO()
        call_command(*map(str, arguments), stdout=out, stderr=err, **options)
        return out.getvalue(), err.getvalue()

    return call


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """Write a pair of files from rows without their headers."""

    def files(orders: list[str], lines: list[str] | None = None, *, packed: bool = False,
              encoding: str = "utf-8", newline: str = "\n") -> tuple[Path, Path]:  # fmt: skip
        paths = []
        for name, header, rows in (("orders", ORDERS, orders), ("lines", LINES, lines or [])):
            content = "".join(row + newline for row in [header, *rows]).encode(encoding)
            path = tmp_path / (f"{name}.csv.gz" if packed else f"{name}.csv")
            path.write_bytes(gzip.compress(content) if packed else content)
            paths.append(path)
        return paths[0], paths[1]

    return files
