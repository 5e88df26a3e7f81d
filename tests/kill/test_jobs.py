"""Long work whose worker or database dies in the middle ends as if nothing had happened."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from loyalty.services.import_rows import LINE_COLUMNS, ORDER_COLUMNS
from tests.kill.books import assert_exactly
from tests.kill.installation import Installation
from tests.kill.work import another_in_charge, kill_in_the_middle, wait_until_done

pytestmark = [pytest.mark.kill, pytest.mark.xdist_group("kill"), pytest.mark.timeout(300)]
ORDERS = 6_000
BUYERS = 500
LINES = 3


def write_files(folder: Path, source: str) -> dict[str, str]:
    """Two files for an import: the arguments that name them."""
    paths = {name: folder / f"{name}.csv" for name in ("orders", "lines")}
    with paths["orders"].open("w") as first, paths["lines"].open("w") as second:
        orders, lines = csv.writer(first), csv.writer(second)
        orders.writerow(ORDER_COLUMNS)
        lines.writerow(LINE_COLUMNS)
        for number in range(ORDERS):
            name, units = f"{source}-{number}", units_of(number)
            buyer, at = f"{source}-C{number % BUYERS}", f"2026-01-{1 + number % 28:02}T10:00:00"
            orders.writerow([name, buyer, at, "USD", f"{units}.00", "sale", ""])
            for line in range(LINES):
                total = f"{units - LINES + 1 if line == 0 else 1}.00"
                lines.writerow([name, line + 1, f"SKU-{line}", "", 1, total, "0", total])
    return {name: str(path) for name, path in paths.items()}


def expected(source: str) -> dict[str, int]:
    return {f"{source}-{number}": units_of(number) for number in range(ORDERS)}


def units_of(number: int) -> int:
    return LINES + number % 89


@pytest.mark.parametrize("part", ["worker", "postgres"])
def test_an_import_records_every_order_once(
    installation: Installation, part: str, tmp_path: Path
) -> None:
    source = f"import-{part}"
    job = installation.do("import_orders", source=source, **write_files(tmp_path, source))
    kill_in_the_middle(installation, job, part)
    result = wait_until_done(installation, job)["result"]
    assert_exactly(installation, source, expected(source))
    assert result == {"created": ORDERS, "updated": 0, "unchanged": 0, "refused": 0}


def test_an_import_that_two_workers_have_records_every_order_once(
    installation: Installation, tmp_path: Path
) -> None:
    job = installation.do("import_orders", source="twice", **write_files(tmp_path, "twice"))
    with another_in_charge(installation, job):
        result = wait_until_done(installation, job)["result"]
    assert_exactly(installation, "twice", expected("twice"))
    assert result == {"created": ORDERS, "updated": 0, "unchanged": 0, "refused": 0}
