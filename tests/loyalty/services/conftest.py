import pytest

from loyalty.models import Membership, Pool, Program
from tests.loyalty.services.pooling import add, found_pool, join
from tests.sharing import anew


@pytest.fixture(autouse=True)
def _coherent(coherent_ledger: object) -> None:
    """Whatever a test here did, it left coherent books."""


@pytest.fixture
def program(program_for_all: Program, db: None) -> Program:
    """A live program, which a module's tests that ask for it share."""
    return anew(program_for_all)


@pytest.fixture
def ann(program) -> Membership:
    return join(program, "ann")


@pytest.fixture
def ben(program) -> Membership:
    return join(program, "ben")


@pytest.fixture
def pool(ann, ben) -> Pool:
    """Ann owns it, Ben is in it; everything they earn goes into it."""
    pool = found_pool(ann)
    add(pool, ben)
    return pool
