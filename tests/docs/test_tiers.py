"""Every table of docs/tiers.md, row by row."""

import datetime as dt
import zoneinfo
from decimal import Decimal
from typing import Any

import pytest
from ruamel.yaml import YAML

from loyalty.tier_definitions import TiersDefinition
from loyalty.tier_words import TierVoice
from loyalty.tiers.facts import Fact
from loyalty.tiers.history import history
from loyalty.tiers.ladders import Ladder, Level
from loyalty.tiers.progress import standing
from tests.docs.tables import DOCS, executed_tables, parse

TABLES = executed_tables("tiers.md")
UTC = zoneinfo.ZoneInfo("UTC")
JOINED = dt.datetime(2025, 1, 1, tzinfo=UTC)
LEVELS = (
    Level("base", Decimal(0)), Level("silver", Decimal(500)), Level("gold", Decimal(1500)),
)  # fmt: skip
VOICE = TierVoice("USD", UTC, {"base": "Member", "silver": "Silver", "gold": "Gold"})


def rows(name: str) -> list[Any]:
    return [
        pytest.param(row, id=f"{name} {table.line} {number}")
        for table in TABLES
        if table.name == name
        for number, row in enumerate(table.rows, start=1)
    ]


@pytest.mark.parametrize("row", rows("tier history"))
def test_history(row: dict[str, str]) -> None:
    spans = history(
        (_ladder(row),), _facts(row), joined_at=JOINED, until=_noon("2035-01-01"), zone=UTC
    )
    said = ", ".join(f"{span.since.date()} {span.tier}" for span in spans)
    assert said == row["tiers since"]


@pytest.mark.parametrize("row", rows("tier sentences"))
def test_sentences(row: dict[str, str]) -> None:
    found = standing((_ladder(row),), _facts(row), joined_at=JOINED, at=_noon(row["on"]), zone=UTC)
    assert found is not None
    assert row["said"] in VOICE.sentences(found)


def test_the_page_s_own_file_can_be_read() -> None:
    text = (DOCS / "tiers.md").read_text(encoding="utf-8")
    said = YAML(typ="safe").load(text.split("```yaml")[1].split("```")[0])
    read = TiersDefinition.model_validate(said["tiers"])
    assert [(tier.code, tier.threshold) for tier in read.tiers] == [
        (level.code, level.threshold) for level in LEVELS
    ]


def _ladder(row: dict[str, str]) -> Ladder:
    said = parse(row["tiers"])
    days = {"grace_days": int(said.pop("grace_days", 0))}
    return Ladder(LEVELS, **said | days)


def _facts(row: dict[str, str]) -> list[Fact]:
    return [
        Fact(f"order:{said['on']}", "spend", _noon(said["on"]), Decimal(said["buy"]))
        if "buy" in said
        else Fact(
            f"refund:{said['on']}", "spend", _noon(said["on"]), -Decimal(said["return"]),
            of=f"order:{said['of']}",
        )
        for said in parse(row["what happens"])
    ]  # fmt: skip


def _noon(day: Any) -> dt.datetime:
    return dt.datetime.fromisoformat(str(day)).replace(hour=12, tzinfo=UTC)
