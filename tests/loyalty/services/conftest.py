import pytest


@pytest.fixture(autouse=True)
def _coherent(coherent_ledger: object) -> None:
    """Whatever a test here did, it left coherent books."""
