"""A café with a live program, a member with a past, and colleagues of every role."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from loyalty.models import Membership, Program, Wallet
from members.models import Customer
from tests.factories import CustomerFactory, StaffMemberFactory
from tests.loyalty.factories import give_back, line, make_program, order, record, refund, wallet_of
from tests.sharing import anew, commits, shared
from tests.sign_ins import signed_in

AGO = dt.timedelta(days=40)


@dataclass
class Member:
    customer: Customer
    membership: Membership
    wallet: Wallet
    program: Program

    def spendable(self) -> int:
        self.wallet.refresh_from_db()
        return self.wallet.balance - self.wallet.owed


@pytest.fixture(autouse=True)
def _coherent(coherent_ledger: object) -> None:
    """Whatever a screen did, it left coherent books."""


@pytest.fixture
def client_of(db: None) -> Callable[[str], Client]:
    """`client_of("analyst")`: a browser in which somebody of this role is signed in."""

    def sign_in(role: str) -> Client:
        return signed_in(StaffMemberFactory(role=role).user)

    return sign_in


@pytest.fixture
def agent(client_of: Callable[[str], Client]) -> Client:
    return client_of("support_agent")


@pytest.fixture
def manager(client_of: Callable[[str], Client]) -> Client:
    return client_of("marketing_manager")


@pytest.fixture
def sign_in(
    page: Any, live_server: Any, client_of: Callable[[str], Client]
) -> Callable[[str], Any]:
    """`sign_in("support_agent")`: the page, with somebody of this role signed in."""

    def sign_in(role: str) -> Any:
        cookie = client_of(role).cookies["sessionid"]
        page.context.add_cookies(
            [{"name": cookie.key, "value": cookie.value, "url": live_server.url}]
        )
        return page

    return sign_in


def make_beans() -> Program:
    return make_program(
        "beans",
        name="Bean Club",
        time_zone="America/New_York",
        unit={
            "singular": "Bean",
            "plural": "Beans",
            "unit_value": "0.01",
            "expiry": {"kind": "months", "length": 12},
            "gifts": {"to_members": True, "most_per_day": 100},
        },
        charities=[{"code": "trees", "name": "City Trees"}],
    )


def make_ana(beans: Program) -> Member:
    customer = CustomerFactory(given_name="Ana", family_name="Lima", external_id="c1")
    at = timezone.now() - AGO
    lines = (line(1, "150", sku="COFFEE", category="Coffee"), line(2, "50", sku="MUG"))
    record(order("A-1001", "200", at=at, lines=lines))
    give_back(refund("R-1", "50", of="A-1001", at=at + dt.timedelta(days=1)))
    membership = Membership.objects.get(customer=customer, program=beans)
    return Member(customer, membership, wallet_of(membership.account_id), beans)


# A module whose tests are all about Ana says `usefixtures("ana_for_all")`: she is made once for it.
ana_for_all = shared(lambda: make_ana(make_beans()))


OWN = pytest.StashKey[Member]()


def own_ana(request: pytest.FixtureRequest) -> Member | None:
    """This test's copy of her whom all tests of the module have; None where each makes her."""
    if "ana_for_all" not in request.fixturenames or commits(request.node):
        return None
    if OWN not in request.node.stash:
        request.node.stash[OWN] = anew(request.getfixturevalue("ana_for_all"))
    return request.node.stash[OWN]


@pytest.fixture
def beans(request: pytest.FixtureRequest, db: None) -> Program:
    own = own_ana(request)
    return own.program if own else make_beans()


@pytest.fixture
def ana(request: pytest.FixtureRequest, beans: Program) -> Member:
    """Ana bought for 200 dollars and returned 50 of them: she has 150 Beans."""
    return own_ana(request) or make_ana(beans)


def url(name: str, *args: Any) -> str:
    return reverse(f"loyalty_backoffice:{name}", args=args)


def htmx(target: str = "") -> dict[str, str]:
    """What a request by HTMX carries."""
    return {"HX-Request": "true", "HX-Target": target}


def queries_of(client: Client, address: str) -> int:
    """How often a part of a page asks the database, once everything is warm."""
    client.get(address, headers=htmx("panel-x"))
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address, headers=htmx("panel-x")).status_code == 200
    return len(asked)
