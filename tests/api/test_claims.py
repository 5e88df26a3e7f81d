"""/orders/claim, /orders/unclaim."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from loyalty.models import Membership, Order
from members.models import Customer
from tests.api.conftest import ApiClient, assert_problem, order_body
from tests.loyalty.conftest import assert_ledger_coherent

pytestmark = pytest.mark.usefixtures("ann_for_all")

CLAIM, UNCLAIM = "/orders/claim", "/orders/unclaim"
ORDER = {"source": "shop", "external_id": "A-1001"}
FOR_ANN = {**ORDER, "customer": {"external_id": "C-1"}}
FOR_BEN = {**ORDER, "customer": {"external_id": "C-2"}}


@pytest.fixture
def guest_order(api: ApiClient, membership: Membership) -> None:
    body = order_body()
    del body["customer"]
    assert api.post("/orders", body).json()["awards"] == []


def spendable(api: ApiClient, membership: Membership) -> str:
    [balance] = api.get(f"/memberships/{membership.public_id}/balances").json()["balances"]
    return str(balance["spendable"])


def test_a_guest_order_finds_its_buyer_and_earns(
    api: ApiClient, membership: Membership, guest_order: None
) -> None:
    answer = api.post(CLAIM, FOR_ANN)
    assert answer.status_code == 200
    assert answer.json()["customer"]["external_id"] == "C-1"
    assert [award["units"] for award in answer.json()["awards"]] == ["12"]
    assert api.post(CLAIM, FOR_ANN).json() == answer.json()
    assert spendable(api, membership) == "12"
    assert_ledger_coherent()


def test_a_mistaken_claim_is_taken_back(
    api: ApiClient, membership: Membership, guest_order: None
) -> None:
    api.post(CLAIM, FOR_ANN)
    answers = [api.post(UNCLAIM, ORDER) for _ in range(2)]
    assert [answer.json()["customer"] for answer in answers] == [None, None]
    assert spendable(api, membership) == "0"
    Customer.objects.create(external_id="C-2")
    assert api.post(CLAIM, FOR_BEN).json()["customer"]["external_id"] == "C-2"
    assert_ledger_coherent()


def test_a_claim_may_be_repeated_with_its_key(
    api: ApiClient, membership: Membership, guest_order: None
) -> None:
    first = api.post(CLAIM, FOR_ANN, Idempotency_Key="c")
    again = api.post(CLAIM, FOR_ANN, Idempotency_Key="c")
    assert again["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()


def test_what_cannot_be_is_refused(
    api: ApiClient, membership: Membership, guest_order: None
) -> None:
    nobody = {**ORDER, "customer": {"external_id": "C-9"}}
    nowhere = {"source": "shop", "external_id": "X"}
    assert_problem(api.post(CLAIM, nobody), 422, "invalid_request", "customer")
    assert_problem(api.post(CLAIM, ORDER), 422, "invalid_request", "customer")
    assert_problem(api.post(CLAIM, FOR_ANN | nowhere), 422, "invalid_request", "external_id")
    assert_problem(api.post(UNCLAIM, nowhere), 422, "invalid_request", "external_id")
    Customer.objects.create(external_id="C-2")
    api.post(CLAIM, FOR_BEN)
    assert_problem(api.post(CLAIM, FOR_ANN), 409, "order_conflict", "customer")


def test_an_order_that_came_with_its_customer_stays_theirs(
    api: ApiClient, membership: Membership
) -> None:
    api.post("/orders", order_body())
    assert_problem(api.post(UNCLAIM, ORDER), 409, "order_conflict")
    assert Order.objects.get(external_id="A-1001").customer == membership.customer


@pytest.mark.parametrize(("address", "body"), [(CLAIM, FOR_ANN), (UNCLAIM, ORDER)])
def test_who_may_not(
    address: str, body: object, outsider: ApiClient, key_with: Callable[..., ApiClient]
) -> None:
    assert_problem(outsider.post(address, body), 401, "unauthorized")
    assert_problem(key_with("orders:read").post(address, body), 403, "insufficient_scope")


@pytest.mark.parametrize("address", [CLAIM, UNCLAIM])
def test_wrong_method(api: ApiClient, address: str) -> None:
    assert_problem(api.get(address), 405, "method_not_allowed")
