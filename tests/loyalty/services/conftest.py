import pytest

from loyalty.models import Membership, Pool
from tests.loyalty.services.pooling import add, found_pool, join


@pytest.fixture(autouse=True)
def _coherent(coherent_ledger: object) -> None:
    """Whatever a test here did, it left coherent books."""


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
