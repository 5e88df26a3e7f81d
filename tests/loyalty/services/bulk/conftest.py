"""Thirty members, and two who may adjust them."""

from types import SimpleNamespace
from typing import NamedTuple

import pytest

from loyalty.models import Program, Wallet
from loyalty.services import bulk_checking, bulk_posting
from members.services.audit import Actor
from tests.factories import StaffMemberFactory
from tests.loyalty.factories import NOW, adjust, make_program, make_wallet
from tests.sharing import anew, shared


@pytest.fixture(autouse=True)
def _noon(monkeypatch):
    """Workers look at the clock; here it stands still."""
    for module in (bulk_checking, bulk_posting):
        monkeypatch.setattr(module, "timezone", SimpleNamespace(now=lambda: NOW))


class Crowd(NamedTuple):
    program: Program
    members: list[Wallet]


def make_crowd() -> Crowd:
    program = make_program()
    wallets = [make_wallet(program, f"c{number}") for number in range(1, 31)]
    adjust(wallets[0], 50, "start")
    return Crowd(program, wallets)


made_once = shared(make_crowd)


@pytest.fixture
def crowd(made_once: Crowd, db: None) -> Crowd:
    return anew(made_once)


@pytest.fixture
def program(crowd: Crowd) -> Program:
    return crowd.program


@pytest.fixture
def members(crowd: Crowd) -> list[Wallet]:
    """Thirty members; c1 has 50 units to lose."""
    return crowd.members


@pytest.fixture
def mia(db):
    return Actor.of_user(StaffMemberFactory(role="marketing_manager").user)


@pytest.fixture
def ada(db):
    return Actor.of_user(StaffMemberFactory(role="administrator").user)
