"""A live program, keys, and a client that speaks JSON with one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.test.client import ClientHandler
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from loyalty.definitions import ProgramDefinition
from loyalty.models import Membership, Program
from loyalty.services.memberships import enroll_customer
from loyalty.services.programs import apply_definition
from members.api.throttling import forget_windows
from members.languages import offered_languages
from members.models import Customer
from members.services.api_keys import SCOPES, create_api_key, forget_cached_keys
from members.services.audit import SYSTEM
from tests.factories import StaffMemberFactory
from tests.sharing import anew, commits, shared
from tests.sign_ins import signed_in

BASE = "/api/v1"
BEAN = {
    "singular": "Bean", "plural": "Beans", "unit_value": "0.01",
    # What was bought on the day below is there whenever the tests run.
    "expiry": {"kind": "years", "length": 50},
}  # fmt: skip
# One for all clients: the middleware is put together once.
HANDLER = ClientHandler(enforce_csrf_checks=False)


class ApiClient:
    """`api.post("/orders", {...})` → response; `.problem(...)` also checks that it is one."""

    def __init__(self, secret: str = "") -> None:
        self.http = Client()
        self.http.handler = HANDLER
        self.headers = {"Authorization": f"Bearer {secret}"} if secret else {}

    def request(
        self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str
    ) -> Any:
        extra = {name.replace("_", "-"): value for name, value in headers.items()}
        content_type = extra.pop("Content-Type", "application/json")
        data = raw if raw is not None else b"" if body is None else orjson.dumps(body)
        path = path.removeprefix("http://testserver")
        address = path if path.startswith("/api") else f"{BASE}{path}"
        return self.http.generic(
            method, address, data, content_type=content_type, headers={**self.headers, **extra}
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.request("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.request("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.request("PUT", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.request("PATCH", path, body, **headers)


def assert_problem(response: Any, status: int, code: str, *fields: str) -> dict[str, Any]:
    """The response is a problem with this code, naming these fields."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["code"] == code, body
    assert body["detail"]
    named = [item["field"] for item in body.get("errors", [])]
    assert [field for field in fields if field not in named] == [], body
    return body


def count_queries(act: Callable[[], Any]) -> int:
    """How many queries an act makes, without those about its key and about the languages that are
    offered: they depend on the clock."""
    offered_languages()
    with CaptureQueriesContext(connection) as captured:
        act()
    return len([query for query in captured if "members_apikey" not in query["sql"]])


@pytest.fixture(autouse=True)
def _fresh_process_memory() -> Iterator[None]:
    """Keys and windows that this process remembers belong to one test."""
    forget_cached_keys()
    forget_windows()
    yield
    forget_windows()


def make_key(*scopes: str) -> str:
    """The secret of a key that has just these scopes."""
    name = f"key {timezone.now().timestamp()}"
    _key, secret = create_api_key(actor=SYSTEM, name=name, scopes=scopes)
    return secret


def make_beans(**said: Any) -> Program:
    """Live, with Beans worth a cent each; `said` is said of the program besides."""
    plain = {
        "code": "beans", "name": "Bean Club", "currency": "USD", "status": "live",
        "wallet_types": [BEAN], "earning_rules": [{}],
    }  # fmt: skip
    definition = ProgramDefinition.model_validate(plain | said)
    return apply_definition(definition, actor=SYSTEM, now=timezone.now()).program


def make_customer() -> Customer:
    return Customer.objects.create(
        external_id="C-1", email="ann@example.com", given_name="Ann", family_name="Lee"
    )


def enroll(customer: Customer, program: Program) -> Membership:
    found, _created = enroll_customer(
        customer=customer, program=program, source="api", at=timezone.now(), actor=SYSTEM
    )
    return found


@dataclass(frozen=True)
class Shared:
    """What all tests of a module begin with: the program and a key, and Ann where she is wanted."""

    secret: str
    program: Program
    customer: Customer | None = None
    membership: Membership | None = None


def with_beans(program: Program | None = None) -> Shared:
    return Shared(make_key(*SCOPES), program or make_beans())


def with_ann(program: Program | None = None) -> Shared:
    program, customer = program or make_beans(), make_customer()
    return Shared(make_key(*SCOPES), program, customer, enroll(customer, program))


# A module whose tests all need the program says `usefixtures("beans_for_all")`, and
# `usefixtures("ann_for_all")` where all may find Ann a member: made once for it.
beans_for_all = shared(with_beans)
ann_for_all = shared(with_ann)
OWN = pytest.StashKey[Shared]()


def own_of(request: pytest.FixtureRequest) -> Shared | None:
    """This test's copy of what all tests of its module have; None where each makes its own."""
    names = [name for name in ("beans_for_all", "ann_for_all") if name in request.fixturenames]
    if not names or commits(request.node):
        return None
    if OWN not in request.node.stash:
        request.node.stash[OWN] = anew(request.getfixturevalue(names[-1]))
    return request.node.stash[OWN]


@pytest.fixture
def key_with(db: None) -> Callable[..., ApiClient]:
    """A client whose key has just these scopes."""
    return lambda *scopes: ApiClient(make_key(*scopes))


@pytest.fixture
def api(request: pytest.FixtureRequest, db: None) -> ApiClient:
    """A client that may do everything."""
    own = own_of(request)
    return ApiClient(own.secret if own else make_key(*SCOPES))


@pytest.fixture
def outsider() -> ApiClient:
    """Somebody without a key."""
    return ApiClient()


@pytest.fixture
def manager(db: None) -> Client:
    """The browser of a marketing manager, where the API meets the back-office."""
    user = StaffMemberFactory(role="marketing_manager").user
    return signed_in(user)


@pytest.fixture
def program(request: pytest.FixtureRequest, db: None) -> Program:
    own = own_of(request)
    return own.program if own else make_beans()


@pytest.fixture
def customer(request: pytest.FixtureRequest, db: None) -> Customer:
    own = own_of(request)
    return (own and own.customer) or make_customer()


@pytest.fixture
def membership(request: pytest.FixtureRequest, program: Program, customer: Customer) -> Membership:
    own = own_of(request)
    return (own and own.membership) or enroll(customer, program)


def order_body(**changes: Any) -> dict[str, Any]:
    """An order over 12.50, two lines, for C-1."""
    body = {
        "source": "shop",
        "external_id": "A-1001",
        "placed_at": "2026-03-01T12:30:00+08:00",
        "currency": "USD",
        "total": "12.50",
        "customer": {"external_id": "C-1"},
        "lines": [
            {"sku": "ESP-250", "category": "Coffee", "quantity": "2", "total": "9.00"},
            {"sku": "CUP-1", "category": "Cups", "total": "3.50"},
        ],
    }
    return body | changes
