"""Every table of docs/discounts.md, row by row, through the engine."""

import datetime as dt
import zoneinfo
from decimal import Decimal
from typing import Any, cast

import pytest

from loyalty.rule_conditions import stored_condition
from loyalty.rule_definitions import DiscountRuleDefinition
from loyalty.rules.discount_bodies import DiscountBody
from loyalty.rules.discounts import Discounting, DiscountVersion, discount
from loyalty.rules.facts import ZERO, Basket, Line, Occasion
from members.conditions.moments import Moment
from tests.docs.tables import executed_tables, parse

TABLES = executed_tables("discounts.md")
NOON = Moment(dt.datetime(2025, 3, 3, 12, tzinfo=dt.UTC), zoneinfo.ZoneInfo("UTC"))
ROWS = [
    pytest.param(row, id=f"{table.line} {number}")
    for table in TABLES
    for number, row in enumerate(table.rows, start=1)
]


def test_what_a_rule_can_say_has_an_example() -> None:
    said = {name for param in ROWS for rule in parse(param.values[0]["rules"]) for name in rule}
    # A condition is told in conditions.md; the names of lines, pieces and reduced items above them.
    untold = {"kind", "when", "exclude", "reduced_too", "pieces"}
    assert said == set(DiscountBody.model_fields) - untold


@pytest.mark.parametrize("row", ROWS)
def test_a_row(row: dict[str, str]) -> None:
    versions = [_version(number, said) for number, said in enumerate(parse(row["rules"]), start=1)]
    lines = tuple(_line(number, said) for number, said in enumerate(parse(row["order"]), start=1))
    taxes = sum((line.tax for line in lines), ZERO)
    found = discount(
        versions,
        Occasion(Basket(lines, tax_total=taxes), NOON),
        coin=Decimal("0.01"),
        discounting=cast("Discounting", row.get("discounting", "best")),
        rooms={item.budget_id: item.body.budget for item in versions if item.body.budget},
    )
    given = ", ".join(f"{item.amount:.2f}" for item in found.discounts)
    assert given == row["each takes off"]


def _line(number: int, said: dict[str, Any]) -> Line:
    return Line(
        number,
        Decimal(str(said["total"])),
        category=said.get("category", ""),
        sku=said.get("sku", ""),
        quantity=Decimal(str(said.get("quantity", 1))),
        tax=Decimal(str(said.get("tax", 0))),
        stored_value=said.get("stored_value", False),
    )


def _version(number: int, said: dict[str, Any]) -> DiscountVersion:
    names = {"code": f"d{number}", "name": f"Discount {number}"}
    body = DiscountRuleDefinition.model_validate(said | names).body()
    return DiscountVersion(
        id=number, rule_id=number, rule_code=names["code"], rule_name=names["name"], number=1,
        body=body, wallet_type_id=1, scale=0, when=stored_condition(body.when), budget_id=number,
    )  # fmt: skip
