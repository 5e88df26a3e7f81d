"""Every table of docs/rules.md, row by row: single orders through the engine, several through the
services."""

import datetime as dt
import zoneinfo
from decimal import Decimal
from typing import Any

import pytest

from loyalty.models import Transfer
from loyalty.rule_conditions import stored_condition
from loyalty.rule_definitions import RULE_KINDS, EarningRuleDefinition
from loyalty.rules.engine import RuleVersion, evaluate
from loyalty.rules.facts import Basket, Line, Occasion
from loyalty.rules.margins import with_margins
from members.conditions.moments import Moment
from tests.docs.tables import executed_tables, parse
from tests.loyalty.factories import line, make_program, order, record

TABLES = executed_tables("rules.md")


def rows(name: str) -> list[Any]:
    return [
        pytest.param(row, id=f"{name} {table.line} {number}")
        for table in TABLES
        if table.name == name
        for number, row in enumerate(table.rows, start=1)
    ]


def test_every_kind_has_an_example() -> None:
    assert {table.name for table in TABLES} == {"one order", "several orders"}
    said = [rule for param in rows("one order") for rule in parse(param.values[0]["rules"])]
    said += [parse(param.values[0]["rule"]) for param in rows("several orders")]
    # What is earned without an order is told in activities.md.
    without_order = {"activity", "occasion"}
    assert {rule.get("kind", "rate") for rule in said} == set(RULE_KINDS) - without_order


@pytest.mark.parametrize("row", rows("one order"))
def test_one_order(row: dict[str, str]) -> None:
    versions = [_version(number, said) for number, said in enumerate(parse(row["rules"]), start=1)]
    at = Moment(dt.datetime(2025, 3, 3, tzinfo=dt.UTC), zoneinfo.ZoneInfo("UTC"))
    lines = tuple(
        Line(
            number,
            Decimal(said["total"]),
            category=said.get("category", ""),
            quantity=Decimal(said.get("quantity", 1)),
            unit_cost=Decimal(said["unit_cost"]) if "unit_cost" in said else None,
        )
        for number, said in enumerate(parse(row["order"]), start=1)
    )
    decision = evaluate(versions, Occasion(with_margins(Basket(lines)), at))
    given = ", ".join(str(award.units) for award in decision.awards)
    assert given == row["each gives"]


@pytest.mark.django_db
@pytest.mark.parametrize("row", rows("several orders"))
def test_several_orders(row: dict[str, str]) -> None:
    make_program(earning_rules=[parse(row["rule"])])
    for day, total in parse(row["orders"]).items():
        at = dt.datetime.fromisoformat(str(day)).replace(hour=12, tzinfo=dt.UTC)
        record(order(f"on {day}", str(total), at=at, lines=(line(1, str(total)),)), now=at)
    earned = sum(transfer.signed_amount for transfer in Transfer.objects.select_related("wallet"))
    assert earned == int(row["points"])


def _version(number: int, said: dict[str, Any]) -> RuleVersion:
    body = EarningRuleDefinition.model_validate(said).body()
    return RuleVersion(
        number, f"Rule {number}", 1, 1, 0, body, rule_code=f"r{number}",
        when=stored_condition(body.when),
    )  # fmt: skip
