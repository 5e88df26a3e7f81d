"""Tables in docs/ that tests execute: each stands right below a mark <!-- executed: NAME -->."""

import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.chromium import PROJECT

DOCS = PROJECT / "docs"
MARK = re.compile(r"^<!-- executed: (.+) -->$")
CELLS = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Table:
    """A table's rows by column heading, without the backquotes around a whole cell."""

    page: str
    line: int
    name: str
    rows: tuple[dict[str, str], ...]

    def __str__(self) -> str:
        return f"{self.page}:{self.line} {self.name}"


def executed_tables(page: str) -> list[Table]:
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    tables = []
    for number, line in enumerate(lines):
        found = MARK.match(line)
        if found:
            tables.append(_table(page, number + 2, found[1], lines[number + 1 :]))
    return tables


def _table(page: str, line: int, name: str, lines: list[str]) -> Table:
    rows = []
    for text in lines:
        if not text.startswith("|"):
            break
        rows.append([cell.strip() for cell in CELLS.split(text.strip("|"))])
    assert len(rows) > 2, f"{page}:{line} has no table below its mark"
    header, _rule, *body = rows
    assert all(len(row) == len(header) for row in body), f"{page}:{line} has ragged rows"
    return Table(
        page,
        line,
        name,
        tuple(dict(zip(header, map(_bare, row), strict=True)) for row in body),
    )


def _bare(cell: str) -> str:
    whole = re.fullmatch(r"`([^`]*)`", cell)
    return whole[1] if whole else cell


def parse(text: str) -> Any:
    """A YAML cell; every value stays the text it is written as."""
    return YAML(typ="base", pure=True).load(text)


def amount(text: str) -> Decimal:
    return Decimal(text)


def code_blocks(page: Path, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
