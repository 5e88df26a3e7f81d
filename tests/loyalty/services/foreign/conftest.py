import pytest

from loyalty.ledger.checks import verify_ledger
from tests.loyalty.factories import (
    day,
    make_program,
)
from tests.sharing import anew, shared

club_for_all = shared(lambda: make_program(currency="EUR", at=day(-30)))


@pytest.fixture
def club(club_for_all, db):
    return anew(club_for_all)


@pytest.fixture(autouse=True)
def books_are_coherent(club):
    yield
    assert verify_ledger(day(30)) == []
