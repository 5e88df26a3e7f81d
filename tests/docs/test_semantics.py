"""Every table of docs/semantics.md, row by row, against the rules and the services."""

import datetime as dt
import zoneinfo
from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest
from babel.numbers import get_currency_precision

from loyalty.ledger.checks import verify_ledger
from loyalty.rule_definitions import EarningRuleDefinition
from loyalty.rules.basket import net_basket
from loyalty.rules.calendar import localize
from loyalty.rules.engine import RuleVersion, evaluate
from loyalty.rules.exchange import Exchange, converted
from loyalty.rules.facts import Basket, Line, Occasion, Return, ReturnedLine
from loyalty.rules.lots import LotTerms, OrderTimes, lot_times, matures_at
from loyalty.services.order_checks import ahead
from loyalty.unit_definitions import ExpiryDefinition, PendingDefinition
from members.conditions.moments import Moment
from tests.docs.shared_story import SharedStory
from tests.docs.story import Story
from tests.docs.tables import Table, executed_tables, parse

TABLES = executed_tables("semantics.md")
KNOWN = {
    "local times", "told ahead", "what earns", "net basket", "lots in time", "story",
    "shared story", "conversion",
}  # fmt: skip


def tables(name: str) -> list[Any]:
    return [pytest.param(table, id=str(table)) for table in TABLES if table.name == name]


def rows(name: str) -> list[Any]:
    return [
        pytest.param(row, id=f"{table.name} {number}")
        for table in TABLES
        if table.name == name
        for number, row in enumerate(table.rows, start=1)
    ]


def test_every_marked_table_is_executed() -> None:
    assert {table.name for table in TABLES} == KNOWN


@pytest.mark.parametrize("row", rows("local times"))
def test_local_times(row: dict[str, str]) -> None:
    zone = zoneinfo.ZoneInfo(row["time zone"])
    at = localize(dt.datetime.fromisoformat(row["local time"]), zone)
    assert at.astimezone(dt.UTC) == dt.datetime.fromisoformat(row["is"])


@pytest.mark.parametrize("row", rows("told ahead"))
def test_told_ahead(row: dict[str, str]) -> None:
    dated, heard_of = _utc(row["dated"]), _utc(row["heard of"])
    assert heard_of is not None
    refused = any(ahead("placed_at", dated, heard_of))
    assert ("refused" if refused else "taken") == row["is"]


@pytest.mark.parametrize("row", rows("what earns"))
def test_what_earns(row: dict[str, str]) -> None:
    assert points(parse(row["rule"]), basket(parse(row["order"]))) == int(row["points"])


@pytest.mark.parametrize("row", rows("net basket"))
def test_net_basket(row: dict[str, str]) -> None:
    rule = {"exclude": {"categories": ["FUEL"]}}
    bought = basket(parse(row["order"]))
    assert points(rule, bought) == int(row["was"])
    returns = [returned(item) for item in parse(row["came back"])]
    assert points(rule, net_basket(bought, returns)) == int(row["is"])


@pytest.mark.parametrize("row", rows("conversion"))
def test_conversion(row: dict[str, str]) -> None:
    wanted = row["in"]
    exchange = Exchange(
        "USD", wanted, Decimal(row["rate"]), get_currency_precision(wanted), "order"
    )
    found = converted(basket(parse(row["order"])), exchange)
    lines = " + ".join(str(line.total) for line in found.lines)
    beside = found.shipping_total - found.discount_total
    beside += Decimal(0) if found.taxes_included else found.tax_total
    assert (lines, str(beside), str(found.total)) == (row["lines"], row["beside"], row["total"])


@pytest.mark.parametrize("row", rows("lots in time"))
def test_lots_in_time(row: dict[str, str]) -> None:
    zone = zoneinfo.ZoneInfo(row["time zone"])
    earned = _utc(row["earned (UTC)"])
    assert earned is not None
    given = parse(row["terms"])
    pending = PendingDefinition.model_validate(
        {name: given.pop(name) for name in [*given] if name in PendingDefinition.model_fields}
    )
    expiry = ExpiryDefinition.model_validate(given)
    terms = LotTerms(**pending.model_dump(), **expiry.model_dump(exclude={"renewed_by"}))
    lot = lot_times(terms, earned, matures_at(terms, OrderTimes(earned), zone), zone)
    assert lot.spendable_at == _utc(row["spendable from (UTC)"])
    assert lot.expires_at == _utc(row["gone at (UTC)"])


@pytest.mark.django_db
@pytest.mark.parametrize("table", tables("story"))
def test_stories(table: Table) -> None:
    story = Story()
    for number, row in enumerate(table.rows, start=1):
        found = story.play(dt.date.fromisoformat(row["on"]), row["what happens"])
        expected = (
            row["movement"], int(row["spendable"]), int(row["pending"]), int(row["owed"])
        )  # fmt: skip
        assert found == expected, f"row {number} of {table}: {row['what happens']}"
        assert verify_ledger(story.now) == []


@pytest.mark.django_db
@pytest.mark.parametrize("table", tables("shared story"))
def test_shared_stories(table: Table) -> None:
    story = SharedStory()
    for number, row in enumerate(table.rows, start=1):
        found = story.tell(dt.date.fromisoformat(row["on"]), row["what happens"])
        expected = {name: row[name] for name in found if name in row}
        assert len(expected) == len(row) - 2
        shown = {name: found[name] for name in expected}
        assert shown == expected, f"row {number} of {table}: {row['what happens']}"
        assert verify_ledger(story.now) == []


def points(rule: dict[str, Any], bought: Basket) -> int:
    version = RuleVersion(
        id=1, rule_name="", number=1, wallet_type_id=1, scale=0,
        body=EarningRuleDefinition.model_validate(rule).body(),
    )  # fmt: skip
    at = Moment(dt.datetime(2025, 3, 3, tzinfo=dt.UTC), zoneinfo.ZoneInfo("UTC"))
    occasion = Occasion(bought, at)
    return evaluate([version], occasion).awards[0].units


def basket(data: dict[str, Any]) -> Basket:
    lines = data.pop("lines")
    return Basket(
        lines=tuple(_fill(Line, {"line_no": number, **line}) for number, line in enumerate(lines)),
        **_values(Basket, data),
    )


def returned(data: dict[str, Any]) -> Return:
    lines = tuple(_fill(ReturnedLine, line) for line in data.pop("lines", ()))
    values = _values(Return, data)
    values.setdefault("total", sum((line.total for line in lines), Decimal(0)))
    return Return(lines=lines, **values)


def _fill(kind: Any, data: dict[str, Any]) -> Any:
    return kind(**_values(kind, data))


def _values(kind: Any, data: dict[str, Any]) -> dict[str, Any]:
    """Texts of a cell as the types that the dataclass wants."""
    types = {field.name: str(field.type) for field in fields(kind)}
    convert = {
        "Decimal": Decimal,
        "bool": lambda text: text == "true",
        "int": int,
        "int | None": int,
        "tuple[str, ...]": tuple,
    }
    return {name: convert.get(types[name], str)(value) for name, value in data.items()}


def _utc(text: str) -> dt.datetime | None:
    return None if text == "never" else dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
