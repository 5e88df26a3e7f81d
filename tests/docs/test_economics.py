"""Every table of docs/economics.md, row by row."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

import pytest

from loyalty.economics import Economics, Inputs
from tests.docs.tables import executed_tables, parse

ROWS = [
    pytest.param(table.name, row, id=f"{table.line} {number}")
    for table in executed_tables("economics.md")
    for number, row in enumerate(table.rows, start=1)
]


def test_each_number_has_an_example() -> None:
    said = {name for param in ROWS for name in parse(param.values[1]["says"])}
    assert said == {field.name for field in fields(Inputs)} - {"members", "lift"}


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_a_row(name: str, row: dict[str, str]) -> None:
    numbers = {key: Decimal(value) for key, value in parse(row["says"]).items()}
    found = Economics(Inputs(members=int(row["members"]), **numbers))
    expected = {key: value for key, value in row.items() if key not in ("members", "says")}
    if name == "economics":
        follows = {
            "cost": two(found.cost), "gain": two(found.gain), "net": two(found.net),
            "roi": "–" if found.roi is None else f"{found.roi:.1f}",
            "total": two(found.total_net),
        }  # fmt: skip
    elif name == "break-even":
        follows = {
            "more to spend": two(found.break_even_lift),
            "members from": str(found.break_even_members or "–"),
            "highest rate": two(found.break_even_rate),
        }
    else:
        follows = {"left over": two(found.outstanding), "liability": two(found.liability)}
    assert follows == expected


def two(number: Decimal | None) -> str:
    return "–" if number is None else f"{number:.2f}"
