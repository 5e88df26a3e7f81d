import pytest

from loyalty.ledger.checks import verify_ledger
from tests.loyalty.factories import (
    day,
    make_program,
)


@pytest.fixture
def club(db):
    return make_program(currency="EUR", at=day(-30))


@pytest.fixture(autouse=True)
def books_are_coherent(club):
    yield
    assert verify_ledger(day(30)) == []
