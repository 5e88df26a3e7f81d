"""docs/imports.md: its two files, imported twice, give what the page says."""

import datetime as dt
from pathlib import Path

import pytest
from django.core.management import call_command

from loyalty.ledger.checks import verify_ledger
from loyalty.program_files import load_program
from loyalty.services.import_rows import LINE_COLUMNS, ORDER_COLUMNS
from loyalty.services.programs import apply_definition
from members.services.audit import SYSTEM
from tests.docs.tables import DOCS, code_blocks

PAGE = DOCS / "imports.md"


@pytest.mark.django_db(transaction=True)
def test_the_files_shown_give_the_report_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
    example = load_program(code_blocks(DOCS / "programs.md", "yaml")[0])
    apply_definition(example, actor=SYSTEM, now=now)
    names = [tmp_path / "orders.csv", tmp_path / "order_lines.csv"]
    for name, text in zip(names, code_blocks(PAGE, "csv"), strict=True):
        name.write_text(text, encoding="utf-8")

    call_command("import_orders", "bean-club", *map(str, names))
    told = capsys.readouterr()
    call_command("import_orders", "bean-club", *map(str, names))
    again = capsys.readouterr()

    assert told.out + told.err == code_blocks(PAGE, "text")[0]
    assert again.out.removeprefix("Done: ").strip() in PAGE.read_text(encoding="utf-8")
    assert again.err == told.err
    assert verify_ledger(dt.datetime.now(dt.UTC)) == []


def test_every_column_is_described() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in (*ORDER_COLUMNS, *LINE_COLUMNS):
        assert f"`{name}`" in text
