import pytest

from loyalty.models import Program
from tests.sharing import anew


@pytest.fixture(autouse=True)
def _coherent(coherent_ledger: object) -> None:
    """Whatever a test here did, it left coherent books."""


@pytest.fixture
def program(program_for_all: Program, db: None) -> Program:
    """A live program, which a module's tests that ask for it share."""
    return anew(program_for_all)
