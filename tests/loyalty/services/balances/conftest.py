from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loyalty.models import Program
from loyalty.services.balance_imports import (
    run_balance_import,
    start_balance_check,
)
from members.models import Job
from members.services.audit import SYSTEM
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import make_program
from tests.loyalty.services.balances.holders import CREDIT
from tests.loyalty.services.balances.moving import (
    COINS,
    POINTS,
    Bring,
    booked,
)


@pytest.fixture(autouse=True)
def _coherent(db: None) -> Iterator[None]:
    yield
    assert_ledger_coherent()


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path


@pytest.fixture
def old() -> Program:
    return make_program(code="old", wallet_types=[POINTS, COINS])


@pytest.fixture
def new() -> Program:
    """With a kind for gift cards, which nothing earns."""
    return make_program(code="new", wallet_types=[POINTS, COINS, CREDIT], earning_rules=[])


@pytest.fixture
def check(tmp_path: Path) -> Bring:
    """The dry run of these rows."""

    def run(program: Program, *rows: dict[str, Any], name: str = "old.ndjson", **said: Any) -> Job:
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        job = start_balance_check(program=program, path=path, name=name, actor=SYSTEM, **said)
        done = run_balance_import(job.pk)
        assert done is not None
        return done

    return run


@pytest.fixture
def bring(check: Bring) -> Bring:
    """These rows, tried and booked."""

    def run(*arguments: Any, **said: Any) -> Job:
        return booked(check(*arguments, **said))

    return run
