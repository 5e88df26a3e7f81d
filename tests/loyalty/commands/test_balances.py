"""Balances by command: out of a program, and into one."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from loyalty.models import Transfer
from members.models import Job
from tests.loyalty.factories import make_program, order, record

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path / "var"


def run(*arguments: Any, **options: Any) -> str:
    out = io.StringIO()
    call_command(*map(str, arguments), stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def test_what_one_command_writes_the_other_books(tmp_path: Path) -> None:
    make_program(code="old")
    make_program(code="new", earning_rules=[])
    record(order("A1", "40", buyer="C-1"))
    path = tmp_path / "lots.csv"
    run("export_lots", "old", output=path)
    before = Transfer.objects.count()
    assert "1 balances can be booked" in run("import_balances", "new", path)
    assert Transfer.objects.count() == before
    assert "1 balances booked" in run("import_balances", "new", path, book=True)
    assert Transfer.objects.count() == before + 1
    job = Job.objects.filter(kind="balance_import").latest("pk")
    assert "would be taken back" in run("undo_import", job.public_id)
    assert run("export_lots", "new", format="ndjson").startswith('{"reference":"new-')
    assert "1 balances taken back" in run("undo_import", job.public_id, reason="Wrong file")


def test_what_cannot_be_is_said(tmp_path: Path) -> None:
    make_program(code="old")
    with pytest.raises(CommandError, match="There is no file"):
        run("import_balances", "old", tmp_path / "none.csv")
    path = tmp_path / "empty.csv"
    path.write_text("reference,units,customer_id\n")
    with pytest.raises(CommandError, match="nothing to book"):
        run("import_balances", "old", path, book=True)
    with pytest.raises(CommandError, match="There is no program"):
        run("export_lots", "none")
