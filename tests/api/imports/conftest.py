from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loyalty.api.v1 import imports
from tests.loyalty.conftest import assert_ledger_coherent


@pytest.fixture(autouse=True)
def _coherent(transactional_db: None) -> Iterator[None]:
    yield
    assert_ledger_coherent()


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Path) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path / "imports"


@pytest.fixture(autouse=True)
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker comes when a test says so."""
    monkeypatch.setattr(imports, "queue_job", lambda job: None)
