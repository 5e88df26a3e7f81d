from collections.abc import Iterator

import pytest

from loyalty.payments import providers
from tests.loyalty.payments.banks import Bank


@pytest.fixture
def bank(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bank]:
    found = Bank()
    found.taken.clear()
    found.given.clear()
    monkeypatch.setattr(providers, "PROVIDERS", {**providers.PROVIDERS, "bank": lambda: found})
    yield found
    found.taken.clear()
    found.given.clear()
