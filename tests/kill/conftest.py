"""One installation for all tests here: they run one after the other (`tests/scheduling.py`)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kill.installation import Installation


@pytest.fixture(scope="package")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("installation"))
    try:
        installation.start()
        yield installation
    finally:
        installation.stop()
