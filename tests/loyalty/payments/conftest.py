from collections.abc import Iterator

import pytest

from tests.loyalty.payments.banks import Bank, open_bank


@pytest.fixture
def bank() -> Iterator[Bank]:
    with open_bank() as found:
        yield found
