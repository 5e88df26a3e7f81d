"""Thirty members, and two who may adjust them."""

from types import SimpleNamespace

import pytest

from loyalty.services import bulk_checking, bulk_posting
from members.services.audit import Actor
from tests.factories import StaffMemberFactory
from tests.loyalty.factories import NOW, adjust, make_wallet


@pytest.fixture(autouse=True)
def _noon(monkeypatch):
    """Workers look at the clock; here it stands still."""
    for module in (bulk_checking, bulk_posting):
        monkeypatch.setattr(module, "timezone", SimpleNamespace(now=lambda: NOW))


@pytest.fixture
def members(program):
    """Thirty members; c1 has 50 units to lose."""
    wallets = [make_wallet(program, f"c{number}") for number in range(1, 31)]
    adjust(wallets[0], 50, "start")
    return wallets


@pytest.fixture
def mia(db):
    return Actor.of_user(StaffMemberFactory(role="marketing_manager").user)


@pytest.fixture
def ada(db):
    return Actor.of_user(StaffMemberFactory(role="administrator").user)
